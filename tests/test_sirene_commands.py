"""What staff see of the registry, and the switch of each source, with the database alone."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from permits.cli import app
from permits.domain.establishment import Source
from permits.issue import issue_permit
from permits.register.fsck import Code, check
from permits.register.source_switch import is_off
from permits.register.traces import traces_about
from tests.acting import BY, events, publish_again, rows, turn_source
from tests.fakes import FakeOffice
from tests.register.forcing import superuser
from tests.sandbox.server import running_sandbox

WHY = "elle répond faux depuis ce matin"


@pytest.fixture
def commanded(office: FakeOffice, database_url: str, monkeypatch: pytest.MonkeyPatch) -> FakeOffice:
    """An office on the database that the commands are set to; nothing else is set."""
    monkeypatch.setenv("PERMITS_DATABASE_URL", database_url)
    return office


def command(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["sirene", *words])
    return done.exit_code, done.output


def off(office: FakeOffice, source: Source = Source.API_ENTREPRISE) -> bool:
    return is_off(office.register.engine, office.register.authority, source)


def test_nobody_waiting_is_told(commanded: FakeOffice) -> None:
    assert command("waiting") == (0, "Aucune demande n’attend le registre\n")
    assert json.loads(command("waiting", "--json")[1]) == {"waiting": 0, "oldest": None, "reasons": {}, "off": []}


def test_who_waits_is_told_with_the_oldest_and_the_reasons(commanded: FakeOffice) -> None:
    commanded.registry.is_down = True
    issue_permit(commanded.desk, commanded.filing())
    assert command("waiting")[1].startswith("1 demande attend le registre, la plus ancienne depuis le 2026-12-01 10:00")
    commanded.clock.move(hours=1)
    issue_permit(commanded.desk, commanded.filing())
    code, told = command("waiting")

    assert code == 0
    assert told == (
        "2 demandes attendent le registre, la plus ancienne depuis le 2026-12-01 10:00 (Paris)\n"
        "     2  api-entreprise: HTTP 502\n"
    )
    assert json.loads(command("waiting", "--json", "--authority", "exemple")[1]) == {
        "waiting": 2,
        "oldest": "2026-12-01T09:00:00+00:00",
        "reasons": {"api-entreprise: HTTP 502": 2},
        "off": [],
    }


def test_a_source_that_is_left_alone_is_told_with_the_reason(commanded: FakeOffice) -> None:
    turn_source(commanded, off=True, reason=WHY)
    told = command("waiting")[1]
    assert told.startswith(f"api-entreprise est laissée de côté depuis le 2026-12-01 10:00 (Paris) : {WHY}\n")
    assert json.loads(command("waiting", "--json")[1])["off"] == ["api-entreprise"]
    turn_source(commanded, off=False)
    assert command("waiting")[1] == "Aucune demande n’attend le registre\n"


def test_who_waits_is_told_although_no_rulebook_can_be_read(
    commanded: FakeOffice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_again(commanded, date(2027, 6, 1))
    monkeypatch.setenv("PERMITS_RULEBOOK", str(tmp_path))

    assert command("waiting")[0] == 0


def test_a_source_is_left_alone_from_the_commit_on_and_asked_again(commanded: FakeOffice) -> None:
    assert not off(commanded)
    code, told = command("off", "api-entreprise", "--because", WHY, "--by", BY)
    assert (code, told) == (0, "api-entreprise : laissée de côté ; `permits sirene on api-entreprise` y revient\n")
    assert off(commanded)
    assert not off(commanded, Source.INSEE), "each source has its own switch"
    assert not is_off(commanded.register.engine, "ailleurs", Source.API_ENTREPRISE)

    assert command("on", "api-entreprise", "--because", "elle est rétablie", "--by", BY)[0] == 0
    assert not off(commanded)
    turns = rows(commanded, "SELECT source, off, reason, turned_by FROM registry_switch ORDER BY id")
    assert turns == [("api-entreprise", True, WHY, BY), ("api-entreprise", False, "elle est rétablie", BY)]
    assert events(commanded) == ["source_off", "source_on"]
    assert check(commanded.register.engine, "exemple", commanded.clock()).findings == ()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("api-entreprise", "--because", WHY), "--by"),
        (("api-entreprise", "--because", WHY, "--by", "Maëlle Fictive"), "--by"),
        (("api-entreprise", "--because", "  ", "--by", BY), "dites pourquoi"),
        (("api-entreprise", "--by", BY), "--because"),
        (("infogreffe", "--because", WHY, "--by", BY), "infogreffe"),
        (("insee", "--because", WHY, "--by", BY, "--authority", "exempel"), "aucun registre de l’autorité « exempel »"),
    ],
)
@pytest.mark.parametrize("turn", ["off", "on"])
def test_a_turn_names_a_source_a_reason_and_an_identifier_or_changes_nothing(
    commanded: FakeOffice, turn: str, words: tuple[str, ...], told: str
) -> None:
    code, output = command(turn, *words)

    assert (code != 0, told in output) == (True, True), output
    assert rows(commanded, "SELECT 1 FROM registry_switch") == rows(commanded, "SELECT 1 FROM audit_entry") == []


def test_without_the_database_nothing_is_changed_and_it_is_told(
    commanded: FakeOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERMITS_DATABASE_URL", "postgresql+psycopg://permits@127.0.0.1:1/permits")
    code, told = command("off", "insee", "--because", WHY, "--by", BY)

    assert code == 1
    assert told.startswith("permits : rien n’est changé, la base ne répond pas")


FORGED: dict[str, str] = {
    "another source": "UPDATE registry_switch SET source = 'insee'",
    "on again": "UPDATE registry_switch SET off = false",
    "another reason": "UPDATE registry_switch SET reason = 'autre raison'",
    "gone": "DELETE FROM registry_switch",
    "one more": "INSERT INTO registry_switch (authority, source, off, reason, turned_by, turned_at)"
    " VALUES ('exemple', 'insee', true, 'par la bande', 'agent-9', now())",
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_a_turn_that_the_chain_does_not_tell_is_found(office: FakeOffice, forged: str) -> None:
    turn_source(office, off=True)

    def look() -> Any:
        return check(office.register.engine, "exemple", office.clock()).counts

    assert look() == {}
    with office.register.engine.begin() as connection, superuser(connection):
        connection.execute(text(forged))
    assert look() == {Code.SWITCH: 1}


class TestCheck:
    """What each source says, asked over real HTTP of the sandbox."""

    @pytest.fixture(autouse=True)
    def three_sources(self, commanded: FakeOffice, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        with running_sandbox() as url:
            for name, value in {
                "SIRENE_SOURCES": "api-entreprise,insee,recherche-entreprises",
                "API_ENTREPRISE_URL": url,
                "API_ENTREPRISE_TOKEN": "jeton",
                "API_ENTREPRISE_RECIPIENT": "21299999900015",
                "INSEE_URL": f"{url}/api-sirene/3.11",
                "INSEE_KEY": "clef",
                "RECHERCHE_ENTREPRISES_URL": url,
            }.items():
                monkeypatch.setenv(f"PERMITS_{name}", value)
            yield

    def test_tells_what_each_source_said_and_when(self, commanded: FakeOffice) -> None:
        code, told = command("check", "999 990 013 00024")

        assert code == 0
        assert told.count("ECHAFAUDAGES DU MODELE") == 3
        labels = [source.label for source in (Source.API_ENTREPRISE, Source.INSEE, Source.RECHERCHE_ENTREPRISES)]
        assert [line for line in told.splitlines() if line in labels] == labels
        assert told.count("X-Request-ID") == 4
        assert told.endswith("Ensemble : ouvert\n")

    def test_tells_a_disagreement(self, commanded: FakeOffice) -> None:
        assert command("check", "99999019500011")[1].endswith("Ensemble : sources en désaccord\n")

    def test_never_shows_what_a_company_asked_to_hide(self, commanded: FakeOffice) -> None:
        for told in (command("check", "99999007000016")[1], command("check", "99999007000016", "--json")[1]):
            assert "CAMILLE" not in told
            assert "[ND]" not in told

    def test_tells_of_a_source_that_does_not_answer_and_of_one_switched_off(self, commanded: FakeOffice) -> None:
        turn_source(commanded, source=Source.INSEE, off=True)
        code, told = command("check", "99999013800011", "--json")

        assert code == 1
        assert json.loads(told)["verdict"] is None
        assert [(each["source"], each["reason"]) for each in json.loads(told)["sources"]] == [
            ("api-entreprise", "HTTP 502 01001"),
            ("insee", "switched off"),
            ("recherche-entreprises", "HTTP 502"),
        ]

    def test_leaves_a_trace_of_each_source_it_asked(self, commanded: FakeOffice) -> None:
        turn_source(commanded, source=Source.INSEE, off=True)
        command("check", "99999001300024")
        traces = traces_about(commanded.register.engine, "exemple", "99999001300024", 10)
        assert sorted((trace.source, trace.purpose, trace.outcome) for trace in traces) == [
            ("api-entreprise", "operation", "found"),
            ("recherche-entreprises", "operation", "found"),
        ]

    def test_asks_nobody_about_what_is_no_siret(self, commanded: FakeOffice) -> None:
        assert command("check", "123") == (1, "permits : un SIRET compte 14 chiffres\n")
