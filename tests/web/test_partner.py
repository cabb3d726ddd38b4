"""`permits issue`, sent once or again: whatever became of the request is told in French, and its act is saved."""

from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from permits import acts
from permits.document.errors import PrintError
from permits.partner import Partner, RequestRefused
from tests.acting import BREACH, BY, CHANGE, HEARING, ILLEGAL, MARKET, REASONS
from tests.fakes import request_body
from tests.web.conftest import Api

KEY = "la-meme-cle"
NUMBER = "EX-2026-000001"


@pytest.fixture
def partner(api: Api) -> Partner:
    """A caller of this API, without a socket between them."""
    caller = Partner("http://permis.example", api.key)
    caller._client = api.client  # type: ignore[assignment]
    api.client.headers["Authorization"] = f"Bearer {api.key}"
    return caller


def issue(partner: Partner, output: Path, name: str = "01-scaffolding-granted") -> str:
    return partner.issue(request_body(name), KEY, output)


def saved(output: Path) -> list[str]:
    return sorted(path.name for path in output.iterdir())


def test_a_granted_permit_is_told_with_its_fee_and_saved(partner: Partner, tmp_path: Path) -> None:
    told = issue(partner, tmp_path)

    assert told.startswith(f"Permis {NUMBER} délivré à ECHAFAUDAGES DU MODELE.\nRedevance : 92,40 €\nArrêté : ")
    assert saved(tmp_path) == [f"{NUMBER}.pdf"]
    assert issue(partner, tmp_path) == told


def test_a_referred_request_is_told_with_its_grounds_and_what_silence_means(partner: Partner, tmp_path: Path) -> None:
    told = issue(partner, tmp_path, "04-parking-and-lane-referred")

    assert "transmise à un agent :\n  – " in told
    assert told.endswith("Sans réponse le 1er février 2027, la demande sera réputée rejetée.")
    assert saved(tmp_path) == []


def test_a_request_sent_again_after_its_refusal_tells_it_and_saves_it(
    api: Api, partner: Partner, tmp_path: Path
) -> None:
    issue(partner, tmp_path, "04-parking-and-lane-referred")
    refuse(api)
    told = issue(partner, tmp_path, "04-parking-and-lane-referred")

    assert " refusée.\nRefus : " in told
    assert saved(tmp_path) == ["EXR-2026-000001.pdf"]


def refuse(api: Api) -> None:
    with api.office.register.engine.connect() as connection:
        asked: UUID = connection.execute(text("SELECT id FROM application WHERE outcome = 'referred'")).scalar_one()
    filed = api.office.register.application(asked)
    assert filed is not None
    acts.refuse(api.office.desk, filed, (MARKET,), HEARING, BY)


def test_a_refusal_without_its_seal_yet_is_told_as_in_hand(api: Api, partner: Partner, tmp_path: Path) -> None:
    issue(partner, tmp_path, "04-parking-and-lane-referred")
    api.office.press.broken = PrintError("encre")
    refuse(api)

    told = issue_later(api, partner, tmp_path, "04-parking-and-lane-referred")
    assert told == "Le refus EXR-2026-000001 est réservé ; son document est en cours d’établissement."


def issue_later(api: Api, partner: Partner, output: Path, name: str = "01-scaffolding-granted") -> str:
    """Send again once it is no longer in progress."""
    api.office.clock.move(minutes=5)
    return issue(partner, output, name)


def test_a_permit_without_its_seal_is_told_as_in_hand_and_once_annulled_as_allowing_nothing(
    api: Api, partner: Partner, tmp_path: Path
) -> None:
    api.office.press.broken = PrintError("encre")
    told = issue(partner, tmp_path)
    assert told == f"Le permis {NUMBER} est réservé ; son document est en cours d’établissement."

    acts.annul(api.office.desk, NUMBER, "le document ne se compose pas", BY)
    told = issue_later(api, partner, tmp_path)
    assert told.startswith(
        f"Le numéro {NUMBER} a été annulé, il n’autorise rien : le document ne se compose pas\nDéposez à nouveau, avec "
        "une autre clé d’idempotence. Sans réponse le 1er février 2027"
    )
    assert saved(tmp_path) == []


def abrogate(api: Api) -> None:
    acts.abrogate(api.office.desk, NUMBER, BREACH, date(2027, 1, 14), BY)


def withdraw(api: Api) -> None:
    acts.withdraw(api.office.desk, NUMBER, ILLEGAL, BY)


def correct(api: Api) -> None:
    acts.correct(api.office.desk, NUMBER, CHANGE, REASONS, BY)


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (abrogate, f"Permis {NUMBER} abrogé par l’acte EXA-2026-000001 à compter du 14 janvier 2027."),
        (withdraw, f"Permis {NUMBER} retiré par l’acte EXA-2026-000001 : il n’autorise rien."),
        (correct, f"Permis {NUMBER} remplacé par le permis EX-2026-000002, qui seul fait foi."),
    ],
)
def test_a_request_sent_again_after_its_permit_ended_never_tells_it_as_delivered(
    api: Api, partner: Partner, tmp_path: Path, end: Any, told: str
) -> None:
    issue(partner, tmp_path)
    end(api)

    assert issue(partner, tmp_path).startswith(told)


def test_a_request_sent_again_once_the_registrys_answer_is_erased_names_the_siret(
    api: Api, partner: Partner, tmp_path: Path
) -> None:
    issue(partner, tmp_path)
    with api.office.register.engine.begin() as connection:
        connection.execute(text("DELETE FROM application_evidence"))

    assert issue(partner, tmp_path).startswith(f"Permis {NUMBER} délivré à {request_body()['siret']}.")


def test_a_problem_is_told_with_the_fields_it_names(partner: Partner, tmp_path: Path) -> None:
    with pytest.raises(RequestRefused, match=r"\(ends_before_start\)[\s\S]*/ends_on : "):
        partner.issue(request_body() | {"ends_on": "2027-01-01"}, KEY, tmp_path)


def test_a_service_that_does_not_answer_is_told(tmp_path: Path) -> None:
    caller = Partner("http://127.0.0.1:1", "pv_nobody")
    with pytest.raises(RequestRefused, match=r"le service ne répond pas à http://127\.0\.0\.1:1"):
        issue(caller, tmp_path)
    assert isinstance(caller._client, httpx.Client)
