"""Acts and chain hold nothing that must be erased: marked data are looked for in every column of the database,
in every document and in the logs, before and after the purge.
"""

import hashlib
import io
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

import app
from permits.document.codes import make_code_key
from permits.document.press import Press
from permits.document.quarantine import Quarantine
from permits.document.sealing.demo import load_demo_seal, make_demo_seal
from permits.domain.application import FiledApplication
from permits.domain.canonical import digest
from permits.domain.establishment import Evidence, Source
from permits.domain.filing import body_digest
from permits.domain.retention import DEFAULT_RETENTION
from permits.issue import decide_waiting
from permits.logs import KeyValueFormatter
from permits.register.clients import add_client, authenticate, new_key, revoke_client
from permits.register.fsck.check import check
from permits.register.purge import purge
from permits.register.readings import note_reading
from permits.register.traces import Errand, Purpose, on_errand
from permits.settings import Settings
from permits.web.app import create_web_app
from permits.web.context import Context
from tests.fakes import SIRET, FakeOffice, open_establishment, request_body
from tests.marks import places_of
from tests.register.test_traces import FakeSource, fails, with_registry

# Contacts: one of each application, of each outcome.
CONTACTS = {
    "granted": {"email": "zqgranted@marie-modele.example", "phone": "06 99 10 20 31"},
    "referred": {"email": "zqreferred@marie-modele.example", "phone": "06 99 10 20 32"},
    "waiting": {"email": "zqwaiting@marie-modele.example", "phone": "06 99 10 20 33"},
}
# A contact that is refused at the door is nowhere at all.
REFUSED = "zqrefused.marie-modele.example"
PRIVATE = [mark for contact in CONTACTS.values() for mark in contact.values()]
# What the act must say of its beneficiary, and the rest of what the registry said.
NAME, STREET = "MARIE ZQNOM", "7 RUE ZQVOIE"
ANSWER = {"commune": "ZQCOM", "activity": "ZQACT", "form": "1ZQFORM", "request": "zq-request-7", "digest": "5a" * 32}
WORKSITE = "Façade zqchantier"
CLIENT = "Cabinet Zqclient"


@dataclass
class City:
    """The API over a real register and the real press, its registry traced, and all that is logged."""

    office: FakeOffice
    source: FakeSource
    http: TestClient
    key: str
    log: io.StringIO

    @property
    def engine(self) -> Engine:
        return self.office.register.engine

    def post(self, example: str, key: str, **changes: Any) -> Any:
        body = request_body(example) | {"worksite": WORKSITE} | changes
        headers = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": key}
        return self.http.post("/v1/applications", json=body, headers=headers)

    def get(self, path: str) -> Any:
        return self.http.get(path, headers={"Authorization": f"Bearer {self.key}"})


@pytest.fixture(scope="module")
def press(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Press]:
    directory: Path = tmp_path_factory.mktemp("seal")
    make_demo_seal(directory)
    press = Press(load_demo_seal(directory), workers=1)
    press.start()
    yield press
    press.close()


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that anybody logs, libraries included, as the service writes it."""
    written, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(written), root.level
    handler.setFormatter(KeyValueFormatter("%(levelname)s %(name)s: %(message)s"))
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.setLevel(level)
    root.removeHandler(handler)


@pytest.fixture
def city(office: FakeOffice, press: Press, log: io.StringIO) -> Iterator[City]:
    """A city whose registry says that the applicant is a sole trader."""
    trader = partial(
        open_establishment,
        name=NAME,
        address=(STREET, "29999 EXEMPLE-VILLE"),
        commune_code=ANSWER["commune"],
        activity_code=ANSWER["activity"],
        legal_form=ANSWER["form"],
    )
    seen = Evidence(
        source=Source.API_ENTREPRISE,
        fetched_at=office.clock(),
        sha256=ANSWER["digest"],
        parser="essai/1",
        request_id=ANSWER["request"],
    )
    source = FakeSource(office.clock, answer=lambda siret: trader(siret, evidence=(seen,)))
    office = with_registry(replace(office, desk=replace(office.desk, press=press)), source, most_remembered=0)
    engine, key = office.register.engine, new_key()
    add_client(engine, "exemple", CLIENT, ["999990013"], key, uuid4(), office.clock())
    context = Context(
        desk=office.desk,
        catalogue=office.register,
        authenticate=partial(authenticate, engine, "exemple"),
        readiness=list,
        note_reading=partial(note_reading, engine, "exemple"),
        read_stranger=Quarantine().read,
    )
    with TestClient(create_web_app(context), raise_server_exceptions=False) as client:
        yield City(office, source, client, key.get_secret_value(), log)


@pytest.fixture
def lived(city: City) -> City:
    """A year of a small city: one application granted, one referred, one decided after an outage, one turned away."""
    answer = city.source.answer
    assert city.post("01-scaffolding-granted", "granted", contact=CONTACTS["granted"]).json()["outcome"] == "granted"
    referred = city.post("04-parking-and-lane-referred", "referred", contact=CONTACTS["referred"]).json()
    assert referred["outcome"] == "referred"
    city.source.answer = fails
    waiting = city.post("01-scaffolding-granted", "waiting", contact=CONTACTS["waiting"]).json()
    assert waiting["outcome"] == "awaiting_registry"
    assert city.post("01-scaffolding-granted", "wrong", contact={"email": REFUSED}).status_code == 422
    city.source.answer = answer
    with on_errand(Errand(Purpose.WAITING, UUID(waiting["id"]))):
        decide_waiting(city.office.desk, UUID(waiting["id"]))
    assert city.get(f"/v1/applications/{waiting['id']}").json()["outcome"] == "granted"
    assert city.get("/v1/permits/EX-2026-000001/document").content.startswith(b"%PDF")
    with city.engine.begin() as connection:
        connection.execute(text("ANALYZE"))
    return city


def each(marks: Iterable[str], *places: str) -> dict[str, set[str]]:
    """Return what places_of tells when each mark is in these places and no other."""
    return {mark: set(places) for mark in marks}


def purge_in_four_years(city: City) -> dict[str, int]:
    city.office.clock.move(days=4 * 366)
    return purge(city.engine, "exemple", DEFAULT_RETENTION, city.office.clock())


def test_contacts_are_in_their_table_alone_and_nowhere_once_erased(lived: City) -> None:
    before = places_of(lived.engine, *PRIVATE, REFUSED)
    emails, phones = ({contact[kind] for contact in CONTACTS.values()} for kind in ("email", "phone"))

    assert before == (
        each(emails, "application_contact.email") | each(phones, "application_contact.phone") | each([REFUSED])
    )
    assert purge_in_four_years(lived)["application_contact"] == len(CONTACTS)
    assert places_of(lived.engine, *PRIVATE, REFUSED) == each([*PRIVATE, REFUSED])
    assert [mark for mark in [*PRIVATE, REFUSED] if mark in lived.log.getvalue()] == []


def test_of_a_sole_traders_answer_only_what_the_act_must_say_outlives_the_purge(lived: City) -> None:
    """The act keeps name, SIRET and address; nothing else of the answer is outside its table, nor in the findings."""
    said, rest = (NAME, STREET), ANSWER.values()
    kept = each(said, "act.payload", "document.content")
    before = places_of(lived.engine, *said, *rest)

    assert before == {mark: kept[mark] | {"application_evidence.answer"} for mark in said} | each(
        rest, "application_evidence.answer"
    )
    assert purge_in_four_years(lived)["application_evidence"] == len(CONTACTS)
    assert places_of(lived.engine, *said, *rest) == kept | each(rest)
    assert [mark for mark in (*said, *rest) if mark in lived.log.getvalue()] == []


def test_no_digest_that_is_kept_confirms_a_guessed_telephone_number(lived: City) -> None:
    """The request is kept, so a digest of it with its contact would be tried against every number there is."""
    filed = FiledApplication.model_validate(
        request_body("01-scaffolding-granted") | {"worksite": WORKSITE, "contact": CONTACTS["granted"]}
    )
    bodies = [application.model_dump(mode="json") for application in (filed.without_contact(), filed)]
    kept, with_contact = (body_digest(body, filed.contact) for body in bodies)
    guesses = [with_contact, digest(filed), *(hashlib.sha256(mark.encode()).hexdigest() for mark in PRIVATE)]
    found = places_of(lived.engine, kept, *guesses)

    assert "application.body_sha256" in found.pop(kept)  # the search does find a digest
    assert found == each(guesses)


def test_logs_of_readings_and_exchanges_and_old_accounts_go_in_their_time(lived: City) -> None:
    assert revoke_client(lived.engine, "exemple", lived.key[3:11], lived.office.clock())
    key_digest = hashlib.sha256(lived.key.encode()).hexdigest()
    before = places_of(lived.engine, CLIENT, key_digest)

    assert before == {CLIENT: {"client.name"}, key_digest: {"client.key_sha256"}}
    erased = purge_in_four_years(lived)
    assert (erased["registry_access"], erased["access_log"], erased["client"]) == (4, 2, 1)
    assert places_of(lived.engine, CLIENT, key_digest) == each([CLIENT, key_digest])
    assert not {place for place in places_of(lived.engine, SIRET)[SIRET] if "registry_access" in place}
    assert lived.key not in lived.log.getvalue()


def test_after_the_purge_the_book_still_answers_and_stands(lived: City) -> None:
    first = lived.post("01-scaffolding-granted", "granted", contact=CONTACTS["granted"]).json()
    document = lived.get(f"/v1/permits/{first['permit']['number']}/document").content
    assert first["establishment"]["name"] == NAME
    purge_in_four_years(lived)
    again = lived.get(f"/v1/applications/{first['id']}").json()
    replay = lived.post("01-scaffolding-granted", "granted", contact=CONTACTS["granted"])

    assert again == first | {"establishment": None}
    assert replay.headers["Idempotency-Replayed"] == "true"
    assert replay.json() == again
    assert lived.get(f"/v1/permits/{first['permit']['number']}/document").content == document
    assert lived.post("01-scaffolding-granted", "granted", pieces=1).status_code == 422
    other = lived.post("01-scaffolding-granted", "granted", starts_on="2027-01-12", contact=CONTACTS["granted"])
    assert other.json()["code"] == "idempotency_key_reused"
    assert check(lived.engine, "exemple", lived.office.clock()).findings == ()


@pytest.mark.parametrize("contact", [CONTACTS["referred"], {}])
def test_a_key_used_with_another_contact_is_another_request_while_the_contact_is_kept(
    lived: City, contact: dict[str, str]
) -> None:
    other = lived.post("01-scaffolding-granted", "granted", contact=contact)

    assert other.json()["code"] == "idempotency_key_reused"


def test_the_search_sees_what_is_shown_in_a_page_and_what_is_put_where_it_may_not_be(lived: City) -> None:
    """Negative control: the same search finds a mark in a PDF, a payload, the chain, the queue and the log."""
    assert places_of(lived.engine, WORKSITE) == each(
        [WORKSITE], "act.payload", "application.body", "document.content", "pg_stats.application.body"
    )
    planted = CONTACTS["granted"]["email"]
    logging.getLogger("permits").info("filed", extra={"by": planted})
    with lived.engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in (
            "UPDATE act SET payload = payload || jsonb_build_object('contact', cast(:mark AS text))",
            "UPDATE audit_entry SET entry = jsonb_build_object('by', cast(:mark AS text)) WHERE position = 1",
            "UPDATE application SET decision = jsonb_set(decision, '{findings,0,rule}', to_jsonb(cast(:mark AS text)))",
            "UPDATE jobs.procrastinate_jobs SET args = jsonb_build_object('to', cast(:mark AS text))",
        ):
            assert connection.execute(text(statement), {"mark": planted}).rowcount > 0
    purge_in_four_years(lived)

    assert places_of(lived.engine, planted)[planted] == {
        "act.payload",
        "audit_entry.entry",
        "application.decision",
        "jobs.procrastinate_jobs.args",
    }
    assert planted in lived.log.getvalue()


def test_the_installed_service_traces_what_it_asks_and_notes_what_it_shows(database_url: str, tmp_path: Path) -> None:
    make_demo_seal(tmp_path)
    settings = Settings().model_copy(
        update={
            "database_url": SecretStr(database_url),
            "allow_unsafe_database": True,
            "sirene_sources": (Source.RECHERCHE_ENTREPRISES,),
            "recherche_entreprises_url": "http://127.0.0.1:9",
            "code_key": make_code_key(tmp_path),
            "seal_pkcs12": tmp_path / "seal.p12",
            "seal_passphrase": SecretStr((tmp_path / "passphrase").read_text().strip()),
        }
    )
    service, key = app.build(settings), new_key()
    engine = service.state.context.catalogue.engine
    add_client(engine, "exemple", CLIENT, [], key, uuid4(), datetime.now(UTC))
    http = TestClient(service, headers={"Authorization": f"Bearer {key.get_secret_value()}"})

    assert http.get(f"/v1/establishments/{SIRET}").status_code == 503
    assert http.get("/v1/permits").status_code == 200
    with engine.connect() as connection:
        asked = connection.execute(text("SELECT source, siret, purpose, outcome FROM registry_access")).all()
        read = connection.execute(text("SELECT what FROM access_log")).scalars().all()
    assert [tuple(trace) for trace in asked] == [("recherche-entreprises", SIRET, "consultation", "no_answer")]
    assert read == ["permits"]
    engine.dispose()
