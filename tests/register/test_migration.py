"""A book written by the first schema becomes one of today's with nothing lost, and goes on."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

from permits import acts
from permits.domain.act import Act, ActKind, ActState
from permits.domain.canonical import canonical_json, digest
from permits.domain.decide import decide
from permits.domain.decision import Granted
from permits.domain.drafting import draft_permit
from permits.domain.establishment import Establishment
from permits.issue import decide_waiting, finish_act
from permits.jobs.drain import Drain
from permits.register.audit import GENESIS, entry_digest
from permits.register.database import MIGRATIONS, check_schema, migrate
from permits.register.schema_dump import dump_schema
from permits.register.waiting import WaitingLine
from tests.acting import BREACH, BY, extension_of, live_footprints, neighbour_asks, permit_of, rows
from tests.domain.builders import RECEIVED_AT, a_footprint, an_application, an_establishment, demo_rulebook, some_facts
from tests.fakes import FakeOffice, open_office
from tests.register.copies import faults_of, new_database

AUTHORITY = "exemple"
CONTENT = b"%PDF un document scelle"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
# What did not exist then.
NEW_FACTS = {"extends", "issuing_is_halted"}
NEW_FIELDS = {"amends", "answers", "kept"}


@pytest.fixture
def first_schema(postgres: str) -> Iterator[Engine]:
    """An engine on a database that holds the first revision only."""
    with new_database(postgres) as engine:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "0001")
            connection.commit()
        yield engine


class OldBook:
    """Writes what the first version wrote, in its own words."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.client = uuid4()
        self.position, self.last = 0, GENESIS

    def put(self, table: str, **values: Any) -> None:
        fields = ", ".join(values)
        marks = ", ".join(f":{name}" for name in values)
        written = {n: canonical_json(v) if isinstance(v, dict) else v for n, v in values.items()}
        self.connection.execute(text(f"INSERT INTO {table} ({fields}) VALUES ({marks})"), written)

    def begin(self) -> None:
        digest_, at = demo_rulebook().digest, RECEIVED_AT
        key = {"key_id": "0ldb00k0", "key_sha256": "0" * 64, "sirens": ["999990013"]}
        self.put("client", id=self.client, authority=AUTHORITY, name="ancien", created_at=at, **key)
        self.put("rulebook", digest=digest_, authority=AUTHORITY, files={}, recorded_at=at)
        self.put("counter", authority=AUTHORITY, series="EX", year=2026, value=1)
        self.put("document", sha256=SHA256, content=CONTENT, stored_at=at)

    def application(self, outcome: str, **changes: Any) -> tuple[UUID, Granted | None]:
        """Write an application, with what was then established and decided."""
        registry = an_establishment(**changes)
        facts, asked, id_ = some_facts(registry=registry), an_application(), uuid4()
        decision = decide(asked, facts, demo_rulebook())
        told = facts.model_dump(mode="json")
        decided: dict[str, Any] = {}
        if outcome != "awaiting_registry":
            decided = {
                "facts": {name: value for name, value in told.items() if name not in NEW_FACTS},
                "decision": decision.model_dump(mode="json"),
                "rulebook_digest": demo_rulebook().digest,
                "decided_at": RECEIVED_AT,
            }
        self.put(
            "application",
            id=id_,
            authority=AUTHORITY,
            client_id=self.client,
            idempotency_key=str(id_),
            body_sha256=digest(asked),
            received_at=RECEIVED_AT,
            outcome=outcome,
            siret=asked.siret,
            worksite_key="999990013/façade 12 rue des exemples",
            assurance=3,
            payer_assurance=0,
            body=asked.model_dump(mode="json"),
            **decided,
        )
        self.put("application_contact", application_id=id_, email="chantier@modele.example", phone=None)
        self.audit("received" if outcome == "awaiting_registry" else outcome, {"application": str(id_)})
        return id_, decision if isinstance(decision, Granted) else None

    def permit(self, number: int, state: str) -> UUID:
        """Write a permit that is reserved, then issued or annulled as it was done then."""
        application, decision = self.application("granted")
        assert decision is not None
        act, label, code = uuid4(), f"EX-2026-{number:06}", f"{number:022}"
        permit = draft_permit(
            an_application(),
            some_facts(),
            decision,
            demo_rulebook(),
            number=label,
            application_id=str(application),
            decided_at=RECEIVED_AT,
            verification_url=f"https://permis.exemple-ville.example/v/{code}",
            specimen=True,
        )
        payload = {k: v for k, v in permit.model_dump(mode="json").items() if k not in NEW_FIELDS}
        if number > 1:
            self.connection.execute(text("UPDATE counter SET value = value + 1"))
        core = ",".join(f"({x},{y})" for x, y in a_footprint().core[:-1])
        self.put(
            "act_footprint",
            act_id=act,
            occupancy=0,
            authority=AUTHORITY,
            footprint_core=f"({core})",
            period="[2027-01-11,2027-01-16)",
            worksite_key="999990013/façade 12 rue des exemples",
            state="reserved",
        )
        self.put(
            "act",
            id=act,
            authority=AUTHORITY,
            series="EX",
            year=2026,
            number=number,
            label=label,
            application_id=application,
            client_id=self.client,
            state="reserved",
            code=code,
            siret=permit.beneficiary.siret,
            starts_on=permit.starts_on,
            ends_on=permit.ends_on,
            fee_total=permit.fee.total,
            payload=payload,
            payload_sha256=digest(payload),
            reserved_at=RECEIVED_AT,
        )
        moves = {
            "issued": f"state = 'issued', issued_at = '{RECEIVED_AT.isoformat()}', document_sha256 = '{SHA256}'",
            "annulled": "state = 'annulled'",
        }
        if state in moves:
            self.connection.execute(text(f"UPDATE act SET {moves[state]} WHERE id = :id"), {"id": act})
            self.audit(state, {"act": label})
        return act

    def audit(self, event: str, entry: dict[str, Any]) -> None:
        self.position += 1
        sha256 = entry_digest(AUTHORITY, self.position, event, RECEIVED_AT, entry, self.last)
        values = {"authority": AUTHORITY, "position": self.position, "at": RECEIVED_AT, "event": event}
        self.put("audit_entry", entry=entry, previous_sha256=self.last, sha256=sha256, **values)
        self.last = sha256

    def end(self) -> None:
        self.put("audit_head", authority=AUTHORITY, position=self.position, sha256=self.last)


class Upgraded:
    """The old book after the migration, and where to find what it held."""

    def __init__(self, engine: Engine) -> None:
        with engine.begin() as connection:
            connection.execute(text("SET CONSTRAINTS ALL DEFERRED"))
            book = OldBook(connection)
            book.begin()
            self.issued = book.permit(1, "issued")
            self.annulled = book.permit(2, "annulled")
            self.reserved = book.permit(3, "reserved")
            self.of_a_person, _ = book.application("referred", standing="struck_off", legal_form="1000")
            self.of_a_company, _ = book.application("referred", standing="struck_off", legal_form="5710")
            self.waiting, _ = book.application("awaiting_registry")
            job = {"queue_name": "default", "task_name": "decide_waiting"}
            for status in ("todo", "doing"):
                book.put("jobs.procrastinate_jobs", **job, status=status, args={"application_id": str(self.waiting)})
            book.end()
            self.client = book.client
            self.chain, self.client = book.position, book.client
        with engine.connect() as connection:
            self.before = self.everything(connection)
        migrate(engine)
        with engine.connect() as connection:
            check_schema(connection)
            self.after = self.everything(connection)
        self.office: FakeOffice = open_office(engine)
        self.office.clock.now = datetime(2026, 12, 21, 10, 0, tzinfo=UTC)

    @staticmethod
    def everything(connection: Connection) -> dict[str, list[Any]]:
        """Return every row of every table of the first schema, as JSON."""
        tables = (
            "client",
            "rulebook",
            "application",
            "application_contact",
            "counter",
            "document",
            "act",
            "act_footprint",
            "audit_entry",
            "audit_head",
        )
        return {
            table: [row for (row,) in connection.execute(text(f"SELECT to_jsonb(t) FROM {table} t ORDER BY t::text"))]
            for table in tables
        }

    def act(self, act_id: UUID) -> Act:
        act = self.office.register.act(act_id)
        assert act is not None
        return act


@pytest.fixture
def upgraded(first_schema: Engine) -> Upgraded:
    return Upgraded(first_schema)


def without(rows_: list[Any], *names: str) -> list[str]:
    return sorted(json.dumps({k: v for k, v in row.items() if k not in names}, sort_keys=True) for row in rows_)


def test_no_row_and_no_value_of_the_old_book_is_lost(upgraded: Upgraded) -> None:
    before, after = upgraded.before, upgraded.after
    moved = {"application": ("facts",), "act_footprint": ("state",)}
    for table, rows_ in before.items():
        known = {name for row in rows_ for name in row}
        kept = [{name: row[name] for name in known & row.keys()} for row in after[table]]
        assert without(kept, *moved.get(table, ())) == without(rows_, *moved.get(table, ())), table

    evidence = rows(upgraded.office, "SELECT application_id, answer FROM application_evidence")
    restored = {str(row.application_id): row.answer for row in evidence}
    facts = {
        row["id"]: row["facts"] and row["facts"] | {"registry": restored[row["id"]]} for row in after["application"]
    }
    assert facts == {row["id"]: row["facts"] for row in before["application"]}


def test_a_lost_value_would_be_seen(upgraded: Upgraded) -> None:
    """Negative control of the comparison above."""
    rows_ = upgraded.before["act"]
    assert without(rows_) != without(rows_[1:])
    assert without(rows_) != without([rows_[0] | {"siret": "0"}, *rows_[1:]])


def test_every_old_act_is_a_permit_in_its_state(upgraded: Upgraded) -> None:
    states = {
        upgraded.act(each).state: upgraded.act(each) for each in (upgraded.issued, upgraded.annulled, upgraded.reserved)
    }

    assert states.keys() == {ActState.ISSUED, ActState.ANNULLED, ActState.RESERVED}
    assert {act.kind for act in states.values()} == {ActKind.PERMIT}
    assert states[ActState.ANNULLED].annulled_because == "annulé avant que le registre ne garde les motifs"
    issued = states[ActState.ISSUED]
    assert issued.document_sha256 is not None
    assert upgraded.office.register.document(issued.document_sha256) == CONTENT
    assert issued.permit.amends is None
    assert live_footprints(upgraded.office) == ["EX-2026-000001", "EX-2026-000003"]


def test_the_registry_s_answers_move_to_where_they_can_be_erased(upgraded: Upgraded) -> None:
    office = upgraded.office
    kept = rows(office, "SELECT application_id, about_a_person, asked_at FROM application_evidence")

    about = {row.application_id: row.about_a_person for row in kept}
    assert about[upgraded.of_a_person] is True and about[upgraded.of_a_company] is False
    assert upgraded.waiting not in about and len(about) == 5
    assert {row.asked_at for row in kept} == {RECEIVED_AT}
    assert rows(office, "SELECT 1 FROM application WHERE facts ? 'registry'") == []
    read = office.register.application(upgraded.of_a_company)
    assert read is not None and read.facts is not None
    assert isinstance(read.facts.registry, Establishment) and read.facts.registry.legal_form == "5710"
    assert read.facts.extends is None and read.facts.issuing_is_halted is False


def test_what_waited_with_a_job_of_its_own_waits_in_the_queue(upgraded: Upgraded) -> None:
    office = upgraded.office
    assert rows(office, "SELECT 1 FROM jobs.procrastinate_jobs WHERE task_name = 'decide_waiting'") == []
    assert rows(office, "SELECT application_id, since, retry_at, tries FROM registry_wait") == [
        (upgraded.waiting, RECEIVED_AT, RECEIVED_AT, 0)
    ]

    assert Drain(office.desk, WaitingLine(office.register.engine, AUTHORITY)).run() == 1
    assert rows(office, "SELECT 1 FROM registry_wait") == []


def test_the_upgraded_book_goes_on_under_the_next_number(upgraded: Upgraded) -> None:
    office = upgraded.office
    finished = finish_act(office.desk, upgraded.reserved)
    assert finished is not None and finished.state is ActState.ISSUED
    decide_waiting(office.desk, upgraded.waiting)
    decided = office.register.application(upgraded.waiting)
    assert decided is not None and decided.act is not None and decided.act.number == "EX-2026-000004"

    holder = replace(office, client_id=upgraded.client)
    extension = extension_of(holder, upgraded.act(upgraded.issued), date(2027, 1, 20))
    assert extension.number == "EX-2026-000005"
    assert acts.abrogate(office.desk, finished.number, BREACH, date(2027, 1, 14), BY).number == "EXA-2026-000001"
    assert neighbour_asks(office, "2027-01-11", "2027-01-15").outcome == "referred"
    assert permit_of(office).number == "EX-2026-000006"


def test_the_chain_goes_on_from_its_last_entry(upgraded: Upgraded) -> None:
    permit_of(upgraded.office)

    assert rows(upgraded.office, "SELECT position FROM audit_head") == [(upgraded.chain + 2,)]
    assert faults_of(upgraded.office.register.engine) == []


def test_the_schema_is_the_same_in_one_go_and_from_an_older_book(upgraded: Upgraded, postgres: str) -> None:
    url = upgraded.office.register.engine.url.render_as_string(hide_password=False)

    assert dump_schema(url) == dump_schema(postgres)
