"""The commands that erase, revoke and show: what an operator reads, in French, and what it does."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from permits.cli import app
from permits.issue import issue_permit
from permits.register.clients import add_client, authenticate, new_key
from permits.register.readings import Reading, Subject, note_reading
from permits.register.traces import Errand, Purpose, on_errand
from tests.fakes import SIRET, FakeOffice
from tests.register.test_traces import FakeSource, with_registry


@pytest.fixture
def installed(office: FakeOffice, database_url: str, monkeypatch: pytest.MonkeyPatch) -> FakeOffice:
    """An office whose registry is traced, and whose database the commands are set to."""
    monkeypatch.setenv("PERMITS_DATABASE_URL", database_url)
    return with_registry(office, FakeSource(office.clock), most_remembered=0)


def permits(*words: str) -> tuple[int, list[str]]:
    """Run a command; return its exit code and its lines, spaces between columns made one."""
    done = CliRunner().invoke(app, list(words))
    return done.exit_code, [" ".join(line.split()) for line in done.output.splitlines()]


def four_years_before(office: FakeOffice, at: datetime) -> None:
    """Ask the registry about a company, and read a list."""
    office.clock.now = at - timedelta(days=4 * 366)
    errand = Errand(Purpose.PREVIEW, client_id=office.client_id, request_id=uuid4())
    with on_errand(errand):
        office.desk.registry.lookup(SIRET)
    reading = Reading(office.clock(), office.client_id, uuid4(), Subject.PERMITS, None)
    note_reading(office.register.engine, "exemple", reading)


TABLE = """
Table Durée Comptée depuis {told}
courriel et téléphone des demandeurs 12 mois fin du dossier 0
réponses du registre sur des personnes 12 mois fin du dossier 0
traces des appels au registre 36 mois chaque ligne {lines}
lectures par les clients 36 mois chaque ligne {lines}
comptes révoqués 12 mois révocation 0
"""


def test_the_purge_tells_what_it_erased_and_a_dry_run_what_it_would(installed: FakeOffice) -> None:
    four_years_before(installed, datetime.now(UTC))

    dry, wet, again = permits("purge", "--dry-run"), permits("purge"), permits("purge")
    assert dry == (0, TABLE.format(told="À effacer", lines=1).split("\n")[1:-1])
    assert wet == (0, TABLE.format(told="Effacé", lines=1).split("\n")[1:-1])
    assert again == (0, TABLE.format(told="Effacé", lines=0).split("\n")[1:-1])


def test_a_person_is_shown_what_was_asked_and_read_about_them(installed: FakeOffice) -> None:
    filed, _ = issue_permit(installed.desk, installed.filing())
    four_years_before(installed, installed.clock())
    code, lines = permits("access-log", SIRET)

    assert filed.act is not None
    assert code == 0
    assert [re.sub(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", "", line) for line in lines] == [
        "Appels au registre des entreprises : 2",
        "Instant (Paris) Registre Pourquoi Réponse Demande ou acte",
        "api-entreprise opération du service trouvé",
        "api-entreprise simulation trouvé",
        "",
        "Lectures des dossiers : 1",
        "Instant (Paris) Client Lu Lequel",
        "test liste des permis",
    ]
    assert permits("access-log", "12") == (1, ["permits : un SIRET compte 14 chiffres"])


def test_a_contact_is_erased_on_request(installed: FakeOffice) -> None:
    filed, _ = issue_permit(installed.desk, installed.filing())
    name = str(filed.filing.application_id)

    assert permits("erase-contact", name) == (0, [f"contact de la demande {name} effacé"])
    assert permits("erase-contact", name) == (
        1,
        [f"permits : le registre ne tient aucun contact pour la demande {name}"],
    )
    with installed.register.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM application_contact")).scalar_one() == 0


def test_a_key_is_revoked_by_the_id_it_shows(installed: FakeOffice) -> None:
    key, engine = new_key(), installed.register.engine
    add_client(engine, "exemple", "autre", [], key, UUID(int=7), installed.clock())
    key_id = key.get_secret_value()[3:11]

    assert authenticate(engine, "exemple", key) is not None
    assert permits("keys", "revoke", key_id) == (0, [f"clé {key_id} révoquée"])
    assert authenticate(engine, "exemple", key) is None
    assert permits("keys", "revoke", key_id) == (1, [f"permits : aucune clé en service n’a pour identifiant {key_id}"])
