"""Every promise that the book must keep is looked at again: what each broken one is called, and that none is idle."""

import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from permits.domain.canonical import digest
from permits.domain.sealing import SealLevel
from permits.issue import issue_permit
from permits.jobs.drain import Drain
from permits.register.fsck import Code, Report, Seals, check
from permits.register.fsck.acts import check_acts
from permits.register.fsck.check import check_on
from permits.register.fsck.guards import FILE, definitions, file_text
from permits.register.fsck.look import Look
from permits.register.fsck.story import Story
from permits.register.waiting import WaitingLine
from tests.fakes import ROOT, FakeOffice, open_office
from tests.register.every_kind import Original, body_at
from tests.register.forcing import force, refreeze, rewrite_chain, superuser
from tests.register.large_book import write_large_book

check_module = sys.modules[check_on.__module__]


@dataclass
class Broken:
    """A book in the hands of a superuser, in a transaction of its own."""

    connection: Connection
    numbers: dict[str, str]

    def run(self, statement: str, of: str = "", **values: Any) -> None:
        """Write past every guard; `:number` is that of the act named `of`."""
        given = values | ({"number": self.numbers[of]} if of else {})
        with superuser(self.connection):
            assert force(self.connection, statement, **given) >= 1, statement

    def define(self, statement: str) -> None:
        self.connection.execute(text(statement))

    def nullify(self, table: str, column: str) -> None:
        """Take away every value of a column that must have one."""
        self.define(f"ALTER TABLE {table} ALTER {column} DROP NOT NULL")
        self.run(f"UPDATE {table} SET {column} = NULL")

    def refreeze(self, of: str, change: Callable[[dict[str, Any]], None]) -> None:
        with superuser(self.connection):
            refreeze(self.connection, self.numbers[of], change)

    def rewrite_chain(self) -> None:
        with superuser(self.connection):
            rewrite_chain(self.connection)


@pytest.fixture
def broken(book: Connection, original: Original) -> Broken:
    return Broken(book, original.book.numbers)


def look_at(broken: Broken, original: Original) -> Report:
    book = original.book
    return check_on(broken.connection, book.authority, book.at, checkpoint=book.checkpoint)


def _cheap(payload: dict[str, Any]) -> None:
    payload["fee"]["lines"][0]["amount"] = "0.01"


def _backwards(payload: dict[str, Any]) -> None:
    payload["ends_on"] = "2026-01-01"


def _rewrite_who_halted(book: Broken) -> None:
    book.run("UPDATE audit_entry SET entry = entry || '{\"by\": \"autre\"}' WHERE event = 'halted'")
    book.rewrite_chain()


def _age_the_evidence(book: Broken, by: str) -> None:
    """Make the answer that a permit rests on older by so much, as a patient forger would."""
    of = book.numbers["next year"]
    which = {"id": book.connection.execute(text(f"SELECT application_id {_ACT}"), {"number": of}).scalar_one()}
    query = "SELECT answer, asked_at - CAST(:by AS interval) AS asked_at FROM application_evidence"
    row = book.connection.execute(text(f"{query} WHERE application_id = :id"), which | {"by": by}).one()
    evidence = [each | {"fetched_at": row.asked_at.isoformat()} for each in row.answer["evidence"]]
    answer = row.answer | {"evidence": evidence}
    book.run(
        "UPDATE application_evidence SET answer = CAST(:answer AS jsonb), asked_at = :at WHERE application_id = :id",
        answer=json.dumps(answer),
        at=row.asked_at,
        **which,
    )
    book.run(
        "UPDATE audit_entry SET entry = entry || jsonb_build_object('evidence_sha256', CAST(:sha256 AS text))"
        " WHERE entry ->> 'application' = CAST(:id AS text) AND event = 'granted'",
        sha256=digest(answer),
        **which,
    )
    book.rewrite_chain()


def _issue_nothing(book: Broken) -> None:
    book.run("UPDATE audit_entry SET event = 'erased' WHERE event = 'issued' AND position < 8")
    book.rewrite_chain()


def _put_on_the_same_spot(book: Broken) -> None:
    book.define("ALTER TABLE act_footprint DROP CONSTRAINT no_double_booking")
    book.run(
        "UPDATE act_footprint SET worksite_key = 'autre', footprint_core = "
        f"(SELECT footprint_core FROM act_footprint WHERE act_id = {_OF_ACT}) "
        "WHERE act_id = (SELECT id FROM act WHERE label = 'EX-2026-000004')",
        "issued",
    )


_ACT = "FROM act WHERE label = :number"
_OF_ACT = f"(SELECT id {_ACT})"

# One way to break each promise, and the code under which it is told. What stands in one statement is run past every
# guard as by a superuser; `:number` is that of the act that is named.
BREAKS: dict[Code, Callable[[Broken], None]] = {
    Code.SCHEMA: lambda book: book.run("UPDATE alembic_version SET version_num = '0001'"),
    Code.UNREADABLE: lambda book: book.run("UPDATE audit_entry SET at = 'infinity' WHERE position = 3"),
    Code.GUARD_MISSING: lambda book: book.define("DROP TRIGGER act_is_never_deleted ON act"),
    Code.GUARD_UNKNOWN: lambda book: book.define("CREATE RULE quiet AS ON UPDATE TO act DO INSTEAD NOTHING"),
    Code.GUARD_ALTERED: lambda book: book.define(
        "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'"
    ),
    Code.GUARD_DISABLED: lambda book: book.define("ALTER TABLE act DISABLE TRIGGER act_moves_only_forward"),
    Code.CHECKPOINT: _rewrite_who_halted,
    Code.CHAIN_POSITION: lambda book: book.run("DELETE FROM audit_entry WHERE position = 5"),
    Code.CHAIN_HASH: lambda book: book.run("UPDATE audit_entry SET at = at + interval '1 hour' WHERE position = 5"),
    Code.CHAIN_LINK: lambda book: book.run(
        "UPDATE audit_entry SET previous_sha256 = repeat('a', 64) WHERE position = 5"
    ),
    Code.CHAIN_HEAD: lambda book: book.run("UPDATE audit_head SET sha256 = repeat('a', 64)"),
    Code.CHAIN_EVENT: _issue_nothing,
    Code.COUNTER: lambda book: book.run("UPDATE counter SET value = value + 1 WHERE series = 'EXR'"),
    Code.NUMBER_HOLE: lambda book: book.run(f"DELETE {_ACT}", "issued"),
    Code.ACT_MISSING: lambda book: book.run(f"DELETE {_ACT}", "refusal"),
    Code.ACT_UNKNOWN: lambda book: book.run("UPDATE act SET label = 'EX-2027-000099' WHERE label = :number", "issued"),
    Code.ACT_PAYLOAD: lambda book: book.run(
        "UPDATE act SET payload = jsonb_set(payload, '{fee,total}', '\"0.00\"') WHERE label = :number", "issued"
    ),
    Code.ACT_COLUMN: lambda book: book.run("UPDATE act SET taken_by = 'agent-8' WHERE label = :number", "refusal"),
    Code.ACT_STATE: lambda book: book.run("UPDATE act SET ended_on = ended_on + 1 WHERE label = :number", "abrogated"),
    Code.FEE: lambda book: book.refreeze("issued", _cheap),
    Code.DAYS: lambda book: book.refreeze("issued", _backwards),
    Code.DOCUMENT_MISSING: lambda book: book.run(
        f"DELETE FROM document WHERE sha256 = (SELECT document_sha256 {_ACT})", "issued"
    ),
    Code.DOCUMENT_ALTERED: lambda book: book.run(
        f"UPDATE document SET content = content || 'x' WHERE sha256 = (SELECT document_sha256 {_ACT})", "issued"
    ),
    Code.DOCUMENT_UNKNOWN: lambda book: book.run(
        "INSERT INTO document SELECT encode(sha256('faux'), 'hex'), 'faux', now()"
    ),
    Code.COPY_MISSING: lambda book: book.run("DELETE FROM archive_copy WHERE level = 'B-T'"),
    Code.COPY_ALTERED: lambda book: book.run("UPDATE archive_copy SET level = 'B-LTA' WHERE level = 'B-T'"),
    Code.COPY_UNKNOWN: lambda book: book.run(
        "INSERT INTO archive_copy SELECT encode(sha256(content || 'x'), 'hex'), act_id, content || 'x', level, sha256,"
        " made_at, NULL FROM archive_copy ORDER BY octet_length(content) DESC LIMIT 1"
    ),
    Code.KEY_MISSING: lambda book: book.run("DELETE FROM seal_certificate"),
    Code.KEY_ALTERED: lambda book: book.run(
        "UPDATE code_key SET public_key = public_key || '{\"x\": \"autre\"}' WHERE kid = 'before'"
    ),
    Code.KEY_UNKNOWN: lambda book: book.run(
        "INSERT INTO seal_certificate SELECT authority, encode(sha256('faux'), 'hex'), 'faux', '', first_used_at"
        " FROM seal_certificate LIMIT 1"
    ),
    Code.NOTIFICATION: lambda book: book.run(
        f"UPDATE act_notification SET notified_on = notified_on - 30 WHERE act_id = {_OF_ACT}", "notified"
    ),
    Code.FOOTPRINT: lambda book: book.run(f"DELETE FROM act_footprint WHERE act_id = {_OF_ACT}", "two places"),
    Code.OVERLAP: _put_on_the_same_spot,
    Code.APPLICATION_MISSING: lambda book: book.run(
        f"DELETE FROM application WHERE id = (SELECT application_id {_ACT})", "issued"
    ),
    Code.APPLICATION_UNKNOWN: lambda book: book.run(
        "UPDATE application SET id = gen_random_uuid() WHERE outcome = 'awaiting_registry'"
    ),
    Code.APPLICATION_ALTERED: lambda book: book.run(
        f"UPDATE application SET siret = '99999002100019' WHERE id = (SELECT application_id {_ACT})", "issued"
    ),
    Code.DECISION_ALTERED: lambda book: book.run(
        f"UPDATE application SET outcome = 'referred' WHERE id = (SELECT application_id {_ACT})", "issued"
    ),
    Code.EVIDENCE_MISSING: lambda book: book.run(
        f"DELETE FROM application_evidence WHERE application_id = (SELECT application_id {_ACT})", "next year"
    ),
    Code.EVIDENCE_ALTERED: lambda book: book.run(
        "UPDATE application_evidence SET answer = jsonb_set(answer, '{is_open}', 'false')"
        f" WHERE application_id = (SELECT application_id {_ACT})",
        "next year",
    ),
    Code.NOT_ERASED: lambda book: book.run(
        f"INSERT INTO application_evidence SELECT application_id, '{{}}', true, now() {_ACT}",
        "a person's",
    ),
    Code.RULEBOOK_MISSING: lambda book: book.run("DELETE FROM rulebook"),
    Code.RULEBOOK_ALTERED: lambda book: book.run("UPDATE rulebook SET files = files - 'rules.yaml'"),
    Code.RULEBOOK_STEP: lambda book: book.run("UPDATE rulebook_step SET taken_by = 'agent-7' WHERE step = 'published'"),
    Code.EVIDENCE_STALE: lambda book: _age_the_evidence(book, "25 hours"),
    Code.WAIT_MISSING: lambda book: book.run("DELETE FROM registry_wait"),
    Code.WAIT_UNKNOWN: lambda book: book.run(
        f"INSERT INTO registry_wait SELECT application_id, authority, reserved_at, reserved_at, 0, 'HTTP 502' {_ACT}",
        "issued",
    ),
    Code.SWITCH: lambda book: book.run("UPDATE issuing_switch SET reason = 'autre raison' WHERE halted"),
    Code.CLIENT: lambda book: book.run("UPDATE client SET authority = 'ailleurs' WHERE erased_at IS NULL"),
    Code.REFERENCE: lambda book: book.run("UPDATE application_contact SET application_id = gen_random_uuid()"),
}
# What has another shape than it must, each with what is told of it beside the schema.
_MISSHAPEN: dict[str, tuple[Callable[[Broken], None], set[Code]]] = {
    "a rulebook that is a number": (
        lambda book: book.run("UPDATE audit_entry SET entry = entry || '{\"rulebook\": 5}' WHERE event = 'granted'"),
        {Code.CHAIN_HASH, Code.CHAIN_EVENT},
    ),
    "a rulebook that is a list": (
        lambda book: book.run("UPDATE audit_entry SET entry = entry || '{\"rulebook\": []}' WHERE event = 'granted'"),
        {Code.CHAIN_HASH, Code.CHAIN_EVENT},
    ),
    "an erased account known by a number": (
        lambda book: book.run(
            "UPDATE audit_entry SET entry = jsonb_set(entry, '{ids}', '[5]')"
            " WHERE event = 'erased' AND entry ->> 'table' = 'client'"
        ),
        {Code.CHAIN_HASH, Code.CHAIN_EVENT, Code.CLIENT},
    ),
    "an application of no instant": (
        lambda book: book.nullify("application", "received_at"),
        {Code.UNREADABLE},
    ),
    "a notification of no day": (
        lambda book: book.nullify("act_notification", "notified_on"),
        {Code.UNREADABLE},
    ),
    "an entry of no instant": (
        lambda book: book.nullify("audit_entry", "at"),
        {Code.UNREADABLE, Code.CHAIN_EVENT},
    ),
    "a number reserved at no instant": (
        lambda book: book.nullify("act", "reserved_at"),
        {Code.UNREADABLE, Code.ACT_COLUMN},
    ),
}
# What PostgreSQL would run or read in the place of what the schema and the check name.
_STRANGERS = {
    "a function that answers for a built-in one": (
        "CREATE FUNCTION public.to_jsonb(act) RETURNS jsonb IMMUTABLE LANGUAGE sql AS $$ SELECT CAST('{}' AS jsonb) $$"
    ),
    "a function among the system's": (
        "CREATE FUNCTION pg_catalog.to_jsonb(act) RETURNS jsonb LANGUAGE sql AS $$ SELECT CAST('{}' AS jsonb) $$"
    ),
    "an aggregate": "CREATE AGGREGATE public.least_of(uuid) (SFUNC = uuid_larger_of, STYPE = uuid)",
    "an operator that answers for a built-in one": (
        "CREATE OPERATOR public.&& (LEFTARG = daterange, RIGHTARG = daterange, FUNCTION = never)"
    ),
    "a cast": "CREATE CAST (text AS uuid) WITH INOUT AS IMPLICIT",
    "a table of which ours is the parent": "CREATE TABLE footprint_too () INHERITS (act_footprint)",
    "an event trigger": "CREATE EVENT TRIGGER quiet ON ddl_command_end EXECUTE FUNCTION watch()",
}
_PREPARED = (
    "CREATE SCHEMA elsewhere",
    "CREATE FUNCTION elsewhere.uuid_larger_of(uuid, uuid) RETURNS uuid LANGUAGE sql AS 'SELECT $1'",
    "CREATE FUNCTION elsewhere.never(daterange, daterange) RETURNS boolean LANGUAGE sql AS 'SELECT false'",
    "CREATE FUNCTION elsewhere.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'",
    "SET LOCAL search_path = public, jobs, elsewhere",
)
# What takes more than a change in the book: each has a test of its own below.
APART = {Code.ACT_LATE, Code.SEAL}


def test_a_book_with_acts_of_every_kind_in_every_state_passes(original: Original) -> None:
    with original.copied() as engine:
        report = check(engine, original.book.authority, original.book.at, checkpoint=original.book.checkpoint)
        held = {
            f"{row.kind} {row.state}" for row in engine.connect().execute(text("SELECT DISTINCT kind, state FROM act"))
        }

    assert report.findings == ()
    assert report.position == original.book.checkpoint.position
    assert report.read["actes"] == len(original.book.numbers)
    assert held >= {
        "permit reserved",
        "permit issued",
        "permit abrogated",
        "permit withdrawn",
        "permit superseded",
        "permit annulled",
        "extension issued",
        "correction issued",
        "refusal issued",
        "refusal annulled",
        "abrogation issued",
        "withdrawal issued",
    }


def test_an_empty_book_passes(engine: Engine) -> None:
    report = check(engine, "exemple", open_office(engine).clock())

    assert (report.findings, report.position) == ((), 0)


@pytest.mark.parametrize("code", BREAKS, ids=str)
def test_each_broken_promise_is_told_under_its_code(broken: Broken, original: Original, code: Code) -> None:
    assert look_at(broken, original).findings == ()

    BREAKS[code](broken)
    report = look_at(broken, original)

    told = [finding for finding in report.findings if finding.code == code]
    assert told, report.counts
    assert report.counts[code] == len(told)
    assert all(finding.what and finding.message.strip() for finding in told)


def test_no_code_is_idle() -> None:
    assert BREAKS.keys() | APART == set(Code)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (Code.FEE, {Code.FEE}),
        (Code.DAYS, {Code.DAYS, Code.ACT_COLUMN}),
        (Code.EVIDENCE_STALE, {Code.EVIDENCE_STALE}),
        (Code.CHECKPOINT, set()),
    ],
    # Named by the code alone: a set prints in another order in each of the runner's processes.
    ids=["fee", "days", "evidence-stale", "checkpoint"],
)
def test_a_patient_forger_who_makes_digests_and_chain_fit_is_told_by_what_is_kept_elsewhere(
    broken: Broken, original: Original, code: Code, told: set[Code]
) -> None:
    BREAKS[code](broken)

    assert check_on(broken.connection, original.book.authority, original.book.at).counts.keys() == told
    assert look_at(broken, original).counts.keys() == told | {Code.CHECKPOINT}


@pytest.mark.parametrize("misshapen", _MISSHAPEN)
def test_what_cannot_be_read_is_told_and_hides_nothing_else(broken: Broken, original: Original, misshapen: str) -> None:
    spoil, told = _MISSHAPEN[misshapen]
    broken.run("UPDATE document SET content = content || 'x'")
    spoil(broken)
    report = look_at(broken, original)

    assert report.counts.keys() >= told | {Code.DOCUMENT_ALTERED}
    read = {"entrées", "demandes", "actes", "copies d’archive", "documents"}
    assert report.read.keys() == read, "each was read to its end"


def test_a_part_of_the_check_that_fails_leaves_the_others_a_sound_connection(
    broken: Broken, original: Original, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fails in the middle of a long answer, and the next parts read theirs."""

    def fail(look: Look, story: Story) -> None:
        for _ in look.stream("essai", "SELECT 2000", "SELECT generate_series(1, 2000)"):
            raise TypeError("une liste")

    broken.run("UPDATE document SET content = content || 'x'")
    monkeypatch.setattr(check_module, "_FROM_THE_CHAIN", (("l’essai", fail), ("les actes", check_acts)))
    report = look_at(broken, original)

    assert [finding.message for finding in report.findings if finding.code == Code.UNREADABLE] == [
        "l’essai : lecture impossible (TypeError('une liste'))"
    ]
    assert report.counts.keys() == {Code.UNREADABLE, Code.DOCUMENT_ALTERED}
    assert report.read["actes"] == len(original.book.numbers)


@pytest.mark.parametrize("stranger", _STRANGERS)
def test_what_would_answer_in_the_place_of_ours_is_told(broken: Broken, original: Original, stranger: str) -> None:
    for statement in _PREPARED:
        broken.define(statement)
    assert look_at(broken, original).findings == (), "what lies in no schema of ours is not looked at"

    broken.define(_STRANGERS[stranger])
    assert look_at(broken, original).counts == {Code.GUARD_UNKNOWN: 1}


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("ALTER SEQUENCE issuing_switch_id_seq MINVALUE -99 RESTART -99", {Code.GUARD_ALTERED, Code.SWITCH}),
        ("ALTER SEQUENCE issuing_switch_id_seq RESTART 1", {Code.SWITCH}),
        ("ALTER SEQUENCE issuing_switch_id_seq RESTART 9223372036854775807", {Code.SWITCH}),
        ("ALTER SEQUENCE registry_switch_id_seq RESTART 1", {Code.SWITCH}),
        ("ALTER SEQUENCE registry_access_id_seq INCREMENT -1", {Code.GUARD_ALTERED}),
    ],
)
def test_a_sequence_that_would_unmake_a_halt_is_told(
    broken: Broken, original: Original, statement: str, told: set[Code]
) -> None:
    broken.define(statement)

    assert look_at(broken, original).counts.keys() == told


@pytest.mark.parametrize(
    "refilled", ["name = 'Marie Modèle'", "key_sha256 = repeat('a', 64)", "sirens = '{999990013}'"]
)
def test_an_erased_account_that_is_filled_again_is_told(broken: Broken, original: Original, refilled: str) -> None:
    """Its check is back in place, and says that it was always kept."""
    broken.run(f"UPDATE client SET {refilled} WHERE erased_at IS NOT NULL")

    assert look_at(broken, original).counts == {Code.CLIENT: 1}


@pytest.mark.parametrize(("by", "told"), [("24 hours", set()), ("24 hours 1 second", {Code.EVIDENCE_STALE})])
def test_what_the_machine_granted_on_an_answer_older_than_a_day_is_told(
    broken: Broken, original: Original, by: str, told: set[Code]
) -> None:
    _age_the_evidence(broken, by)

    assert check_on(broken.connection, original.book.authority, original.book.at).counts.keys() == told


def test_one_break_of_the_chain_is_told_once(broken: Broken, original: Original) -> None:
    broken.run("UPDATE audit_entry SET sha256 = repeat('a', 64) WHERE position = 5")

    assert look_at(broken, original).counts == {Code.CHAIN_HASH: 1, Code.CHAIN_LINK: 1}


def test_a_number_reserved_for_too_long_is_told(original: Original) -> None:
    with original.copied() as engine:
        soon = check(engine, original.book.authority, original.book.at + timedelta(minutes=15))
        late = check(engine, original.book.authority, original.book.at + timedelta(minutes=16))

    assert soon.findings == ()
    assert [(finding.code, finding.what) for finding in late.findings] == [
        (Code.ACT_LATE, original.book.numbers["reserved"])
    ]


def test_every_seal_or_a_sample_is_verified(original: Original) -> None:
    seen: list[bytes] = []

    def verify(content: bytes, _level: SealLevel) -> None:
        seen.append(content)
        if original.book.numbers["issued"].encode() in content:
            raise ValueError("octets ajoutés après le cachet")

    with original.copied() as engine:
        whole = check(engine, original.book.authority, original.book.at, seals=Seals(verify, None, 0))
        every, seen[:] = len(seen), []
        check(engine, original.book.authority, original.book.at, seals=Seals(verify, 5, 7))
        first, seen[:] = list(seen), []
        check(engine, original.book.authority, original.book.at, seals=Seals(verify, 5, 7))

    # Its own document, and that of a ruling or a correction never names it.
    assert [(finding.code, finding.what) for finding in whole.findings] == [
        (Code.SEAL, original.book.numbers["issued"])
    ]
    assert every == whole.read["documents"] == whole.read["cachets"]
    assert len(first) == 5 and first == seen, "the same seed draws the same documents"


def test_a_ruined_book_is_counted_whole_and_told_in_part(engine: Engine) -> None:
    office = open_office(engine)
    write_large_book(office, 1500)
    with engine.begin() as connection, superuser(connection):
        connection.execute(text('UPDATE act SET payload = payload || \'{"worksite": "ailleurs"}\''))
        false = (
            "SELECT encode(sha256(b), 'hex'), b, now() FROM generate_series(1, 1200) n, convert_to(n::text, 'UTF8') b"
        )
        connection.execute(text(f"INSERT INTO document {false}"))

    report = check(engine, office.register.authority, office.clock())

    assert report.counts == {Code.ACT_PAYLOAD: 1500, Code.DOCUMENT_UNKNOWN: 1200}
    assert len(report.findings) == 2000


def test_a_book_of_many_permits_passes_and_one_changed_cent_is_found(engine: Engine) -> None:
    office = open_office(engine)
    write_large_book(office, 1200)
    assert check(engine, office.register.authority, office.clock()).findings == ()

    with engine.begin() as connection, superuser(connection):
        connection.execute(text("UPDATE act SET fee_total = fee_total + 0.01 WHERE number = 777"))
    (finding,) = check(engine, office.register.authority, office.clock()).findings
    assert (finding.code, finding.what) == (Code.ACT_COLUMN, "EX-2026-000777")


def test_the_check_writes_nothing(original: Original) -> None:
    state = "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_xact_all_tables"
    with original.copied() as engine, engine.connect() as connection, connection.begin():
        check_on(connection, original.book.authority, original.book.at)
        assert connection.execute(text(state)).scalar_one() == 0


def test_the_committed_guards_are_those_that_the_migrations_make(engine: Engine) -> None:
    with engine.connect() as connection:
        made = file_text(definitions(connection))

    assert made == FILE.read_text(), "run `make schema` and read the difference"
    assert "  trigger public.act.act_is_never_deleted\n" in made
    assert "  constraint public.act_footprint.no_double_booking\n" in made
    assert FILE.parent == ROOT / "migrations"


def test_a_report_can_be_written_as_json(broken: Broken, original: Original) -> None:
    BREAKS[Code.ACT_COLUMN](broken)
    report = look_at(broken, original)

    written = json.loads(json.dumps({"counts": report.counts, "first": report.findings[0].__dict__}))
    assert written["counts"] == {"act-column": 1}
    assert written["first"]["what"] == original.book.numbers["refusal"]


def test_a_book_that_is_being_written_passes_at_every_instant(office: FakeOffice) -> None:
    """The check reads one instant, whatever is granted, sealed and waited for meanwhile."""
    reports: list[Report] = []
    seen_enough = Event()
    with ThreadPoolExecutor(1) as thread:
        writing = thread.submit(_write_on, office, seen_enough)
        while not writing.done():
            reports.append(check(office.register.engine, office.register.authority, office.clock()))
            if len({report.position for report in reports}) > 4:
                seen_enough.set()
        writing.result()

    positions = [report.position for report in reports]
    assert [report.findings for report in reports] == [()] * len(reports)
    assert positions == sorted(positions)
    assert seen_enough.is_set(), "it was looked at while it grew"


def _write_on(office: FakeOffice, seen_enough: Event) -> None:
    """Write until enough has been seen, and never more than the streets hold."""
    for spot in range(90):
        office.registry.is_down = spot % 4 == 3
        issue_permit(office.desk, office.filing(body_at(spot)))
        if seen_enough.is_set():
            break
    office.registry.is_down = False
    Drain(office.desk, WaitingLine(office.register.engine, office.register.authority)).run()
