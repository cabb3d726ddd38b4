"""The arms of the city at the head of its acts: kept with the rulebook, frozen with the act."""

import shutil
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pydantic import ValidationError

from permits.document.lint import lint
from permits.document.payload import payload_bytes, read_payload
from permits.document.print import print_act
from permits.domain.permit import Permit
from permits.law.load import RulebookError, load_directory
from tests.document.sample import AUTHORITY, sample_permit
from tests.fakes import ROOT

ARMS = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><path d="M0 0h10v10z" fill="#c00"/></svg>'


def armed(arms: Any = ARMS) -> Permit:
    authority = AUTHORITY.model_dump() | {"arms": arms, "name": 'Commune d’Ici <b> & "Là"'}
    return sample_permit(authority=authority)


def words_of_pictures(pdf: bytes) -> list[str]:
    with pikepdf.open(BytesIO(pdf)) as document:
        each = [each for each in document.objects if isinstance(each, pikepdf.Dictionary)]
        return [str(figure.Alt) for figure in each if figure.get("/S") == "/Figure"]


def test_arms_stand_at_the_head_of_the_act_with_their_words() -> None:
    permit = armed()
    pdf = print_act(permit)
    lint(pdf, permit)
    assert words_of_pictures(pdf)[0] == 'Armes : Commune d’Ici <b> & "Là"'
    assert pdf != print_act(armed(arms=None))


def test_they_are_frozen_with_the_act_so_that_it_prints_alike_for_ever() -> None:
    again = read_payload(payload_bytes(armed()))
    assert print_act(again) == print_act(armed())


def test_a_payload_with_arms_that_do_more_than_be_drawn_is_not_read() -> None:
    with pytest.raises(ValidationError, match="n’a pas sa place"):
        armed(ARMS.replace("<path", "<script/><path"))


@pytest.fixture
def rulebook(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "rulebooks" / "exemple", tmp_path / "mine"))


def test_a_rulebook_brings_them_among_its_files(rulebook: Path) -> None:
    without, _ = load_directory(rulebook)
    (rulebook / "arms.svg").write_text(ARMS, encoding="utf-8")
    law, files = load_directory(rulebook)
    assert without.authority.identity.arms is None
    assert law.authority.identity.arms is not None and "M0 0h10v10z" in law.authority.identity.arms
    assert files["arms.svg"] == ARMS and law.digest != without.digest


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("arms.svg", ARMS.replace("<path", '<image href="x"/><path'), "arms.svg: fichier: <image> n’a pas sa place"),
        ("arms.SVG", ARMS, "l’extension s’écrit .svg"),
        ("armes.svg", ARMS, "aucun fichier ne porte ce nom"),
    ],
)
def test_a_mistake_is_told_with_its_file(name: str, content: str, told: str, rulebook: Path) -> None:
    (rulebook / name).write_text(content, encoding="utf-8")
    with pytest.raises(RulebookError, match=told):
        load_directory(rulebook)
