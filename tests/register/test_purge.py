"""The purge: to the day, only what the law wants erased, in batches that the chain tells."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from permits import acts
from permits.document.errors import PrintError
from permits.domain.calendar import PARIS, months_after
from permits.domain.decision import Citation
from permits.domain.filing import Filed
from permits.domain.retention import DEFAULT_RETENTION
from permits.domain.ruling import Motive
from permits.issue import decide_waiting, finish_act, issue_permit
from permits.register import purge as purging
from permits.register.clients import add_client, authenticate, new_key, revoke_client
from permits.register.fsck.check import check
from permits.register.purge import SWEEPS, erase_contact, purge
from permits.register.readings import Reading, Subject, note_reading
from tests.fakes import SIRET, FakeOffice, open_establishment, request_body
from tests.register.copies import kept_waiting
from tests.register.every_kind import write_book

ERASED = [sweep.table for sweep in SWEEPS]
BY = "agent-7"
HEARING = "le titulaire a été invité par courriel à présenter ses observations"
BREACH = acts.Grounds("condition_not_met", ("l’échafaudage empiète sur le passage des piétons",), HEARING)
ILLEGAL = acts.Grounds("illegal", ("l’emprise est située sur un fonds privé",), HEARING)


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), PARIS)


def filed(office: FakeOffice, **changes: Any) -> Filed:
    """File a request by a sole trader, with its contact; from Monday 11 to Friday 15 January 2027 unless told."""
    return issue_permit(office.desk, office.filing(**changes))[0]


def granted(office: FakeOffice, **changes: Any) -> str:
    done = filed(office, **changes)
    assert done.act is not None, done.decision
    return done.act.number


def referred(office: FakeOffice, **changes: Any) -> Filed:
    done = issue_permit(office.desk, office.filing(request_body("04-parking-and-lane-referred") | changes))[0]
    assert done.outcome == "referred"
    return done


def run(office: FakeOffice, at: datetime, *, dry_run: bool = False) -> dict[str, int]:
    return purge(office.register.engine, office.register.authority, DEFAULT_RETENTION, at, dry_run=dry_run)


def counts(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return {table: connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in ERASED}


def entries(office: FakeOffice) -> list[dict[str, Any]]:
    with office.register.engine.connect() as connection:
        found = connection.execute(text("SELECT entry FROM audit_entry WHERE event = 'erased' ORDER BY position"))
        return list(found.scalars())


# --- from which day a file counts ----------------------------------------------------------------


def a_permit(office: FakeOffice) -> date:
    granted(office)
    return date(2027, 1, 15)


def a_permit_that_ends_on_29_february(office: FakeOffice) -> date:
    office.clock.now = datetime(2028, 2, 1, 9, 0, tzinfo=PARIS)
    granted(office, starts_on="2028-02-28", ends_on="2028-02-29")
    return date(2028, 2, 29)


def an_extended_permit(office: FakeOffice) -> date:
    extend(office, granted(office), date(2027, 1, 22))
    return date(2027, 1, 22)


def an_extension_that_was_corrected(office: FakeOffice) -> date:
    extension = extend(office, granted(office), date(2027, 1, 22))
    assert extension.act is not None
    acts.correct(office.desk, extension.act.number, {"worksite": "Façade sud"}, ("le nom du chantier",), BY)
    return date(2027, 1, 22)


def an_abrogated_permit(office: FakeOffice) -> date:
    acts.abrogate(office.desk, granted(office), BREACH, date(2027, 1, 13), BY)
    return date(2027, 1, 12)


def a_permit_abrogated_before_it_began(office: FakeOffice) -> date:
    number = granted(office)
    office.clock.move(days=9)
    acts.abrogate(office.desk, number, BREACH, date(2026, 12, 10), BY)
    return date(2026, 12, 10)


def a_withdrawn_permit(office: FakeOffice) -> date:
    number = granted(office)
    office.clock.move(days=70)
    acts.withdraw(office.desk, number, ILLEGAL, BY)
    return date(2027, 2, 9)


def a_corrected_permit(office: FakeOffice) -> date:
    acts.correct(office.desk, granted(office), {"worksite": "Façade sud"}, ("le nom du chantier",), BY)
    return date(2027, 1, 15)


def a_refused_application(office: FakeOffice) -> date:
    asked = referred(office)
    office.clock.move(days=8)
    motive = Motive(fact="la place accueille le marché aux dates demandées", citation=Citation(text="art. 22 (fictif)"))
    acts.refuse(office.desk, asked, (motive,), HEARING, BY)
    return date(2026, 12, 9)


def an_application_that_nobody_answered(office: FakeOffice) -> date:
    return referred(office).filing.application.ends_on


def an_application_decided_too_late(office: FakeOffice) -> date:
    office.registry.is_down = True
    waiting = filed(office)
    office.registry.is_down = False
    office.clock.move(days=90)
    decide_waiting(office.desk, waiting.filing.application_id)
    return date(2027, 3, 1)


def a_number_that_was_annulled(office: FakeOffice) -> date:
    office.press.broken = PrintError("plus d’encre")
    number = granted(office)
    office.press.broken = None
    acts.annul(office.desk, number, "le document ne se compose pas", BY)
    return date(2026, 12, 1)


def extend(office: FakeOffice, number: str, ends_on: date) -> Filed:
    act = office.register.act_by_number(number)
    assert act is not None
    asked = acts.extension_of(
        office.desk, act, ends_on, lambda application: replace(office.filing(), application=application)
    )
    done, _ = issue_permit(office.desk, asked)
    return done


LIVES = [
    a_permit,
    a_permit_that_ends_on_29_february,
    an_extended_permit,
    an_extension_that_was_corrected,
    an_abrogated_permit,
    a_permit_abrogated_before_it_began,
    a_withdrawn_permit,
    a_corrected_permit,
    a_refused_application,
    an_application_that_nobody_answered,
    an_application_decided_too_late,
    a_number_that_was_annulled,
]


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.__name__)
def test_a_file_is_erased_on_the_day_its_period_ends(office: FakeOffice, life: Callable[[FakeOffice], date]) -> None:
    counted_from = life(office)
    end = midnight(months_after(counted_from, 12))
    kept = counts(office.register.engine)
    assert kept["application_contact"] >= 1
    assert kept["application_evidence"] >= 1

    assert not any(run(office, end - timedelta(microseconds=1)).values())
    assert counts(office.register.engine) == kept
    assert entries(office) == []

    erased = run(office, end)
    left = counts(office.register.engine)
    assert (left["application_contact"], left["application_evidence"]) == (0, 0)
    assert erased["application_contact"] == kept["application_contact"]
    assert erased["application_evidence"] == kept["application_evidence"]
    assert check(office.register.engine, "exemple", end).findings == ()


def a_waiting_application(office: FakeOffice) -> Callable[[], object]:
    office.registry.is_down = True
    waiting = filed(office)
    office.registry.is_down = False
    return lambda: decide_waiting(office.desk, waiting.filing.application_id)


def a_number_not_yet_sealed(office: FakeOffice) -> Callable[[], object]:
    office.press.broken = PrintError("plus d’encre")
    reserved = filed(office)
    office.press.broken = None
    assert reserved.act is not None
    return lambda: finish_act(office.desk, reserved.act.id) if reserved.act else None


def a_permit_whose_extension_waits(office: FakeOffice) -> Callable[[], object]:
    number = granted(office)
    office.registry.is_down = True
    waiting = extend(office, number, date(2027, 1, 22))
    office.registry.is_down = False
    assert waiting.outcome == "awaiting_registry"
    return lambda: decide_waiting(office.desk, waiting.filing.application_id)


@pytest.mark.parametrize(
    "life", [a_waiting_application, a_number_not_yet_sealed, a_permit_whose_extension_waits], ids=lambda f: f.__name__
)
def test_a_file_that_is_open_is_never_erased(
    office: FakeOffice, life: Callable[[FakeOffice], Callable[[], object]]
) -> None:
    close = life(office)
    kept = counts(office.register.engine)
    in_nine_years = midnight(date(2036, 1, 1))

    assert not any(run(office, in_nine_years).values())
    assert counts(office.register.engine) == kept

    close()
    run(office, in_nine_years)
    assert counts(office.register.engine)["application_contact"] == 0


def test_what_the_registry_said_of_a_company_is_never_erased(office: FakeOffice) -> None:
    """Negative control: the same file of a sole trader is erased by the same run."""
    office.registry.answers[SIRET] = open_establishment(legal_form="5710")
    company = filed(office)
    office.registry.answers[SIRET] = open_establishment(legal_form="1000")
    trader = filed(office)
    erased = run(office, midnight(date(2090, 1, 1)))

    assert (erased["application_contact"], erased["application_evidence"]) == (2, 1)
    kept, gone = (office.register.application(each.filing.application_id) for each in (company, trader))
    assert kept is not None and kept.facts is not None
    assert kept.facts.registry == company.facts.registry if company.facts else False
    assert gone is not None and gone.facts is None
    assert gone.decision == trader.decision


# --- the two logs ----------------------------------------------------------------------------------


def trace_at(engine: Engine, at: datetime) -> None:
    statement = (
        "INSERT INTO registry_access (authority, at, source, siret, purpose, outcome)"
        " VALUES ('exemple', :at, 'api-entreprise', '99999001300024', 'filing', 'found')"
    )
    with engine.begin() as connection:
        connection.execute(text(statement), {"at": at})


@pytest.mark.parametrize(
    ("at", "end"),
    [
        (datetime(2027, 1, 15, 12, 0, tzinfo=PARIS), date(2030, 1, 15)),
        (datetime(2028, 2, 29, 12, 0, tzinfo=PARIS), date(2031, 2, 28)),
        (datetime.fromisoformat("2026-12-31T22:59:59.999999+00:00"), date(2029, 12, 31)),
        (datetime.fromisoformat("2026-12-31T23:00:00+00:00"), date(2030, 1, 1)),
        (datetime.fromisoformat("2027-06-30T22:00:00+00:00"), date(2030, 7, 1)),
    ],
)
def test_a_line_of_a_log_is_erased_after_36_months_of_paris(office: FakeOffice, at: datetime, end: date) -> None:
    engine = office.register.engine
    trace_at(engine, at)
    note_reading(engine, "exemple", Reading(at, office.client_id, uuid4(), Subject.ACT, "EX-2026-000001"))
    before = run(office, midnight(end) - timedelta(microseconds=1))
    after = run(office, midnight(end))

    assert (before["registry_access"], before["access_log"]) == (0, 0)
    assert (after["registry_access"], after["access_log"]) == (1, 1)
    assert entries(office) == [{"table": "registry_access", "count": 1}, {"table": "access_log", "count": 1}]


@pytest.mark.parametrize(
    "statement",
    ["UPDATE registry_access SET siret = '99999002100019'", "UPDATE registry_access SET outcome = 'not_found'"],
)
def test_a_completed_trace_is_never_rewritten(office: FakeOffice, statement: str) -> None:
    trace_at(office.register.engine, office.clock())

    with pytest.raises(IntegrityError, match="frozen"), office.register.engine.begin() as connection:
        connection.execute(text(statement))


def test_a_reading_is_never_rewritten(office: FakeOffice) -> None:
    reading = Reading(office.clock(), office.client_id, uuid4(), Subject.PERMITS, None)
    note_reading(office.register.engine, "exemple", reading)

    with pytest.raises(IntegrityError, match="not allowed"), office.register.engine.begin() as connection:
        connection.execute(text("UPDATE access_log SET at = now()"))


# --- accounts --------------------------------------------------------------------------------------


@pytest.fixture
def revoked(office: FakeOffice) -> FakeOffice:
    """An office whose only client has a real key, revoked on 1 December 2026."""
    key, client_id = new_key(), uuid4()
    engine = office.register.engine
    add_client(engine, "exemple", "Entreprise Marie Modèle", ["999990013"], key, client_id, office.clock())
    assert revoke_client(engine, "exemple", key.get_secret_value()[3:11], office.clock())
    assert authenticate(engine, "exemple", key) is None
    return replace(office, client_id=client_id)


def account(office: FakeOffice) -> Any:
    with office.register.engine.connect() as connection:
        found = text("SELECT name, key_sha256, sirens, revoked_at, erased_at FROM client WHERE id = :id")
        return connection.execute(found, {"id": office.client_id}).one()


def is_erased(office: FakeOffice, at: datetime) -> bool:
    erased = run(office, at)["client"]
    row = account(office)
    blank = (row.name, row.key_sha256, row.sirens) == ("", "0" * 64, [])
    assert blank == (row.erased_at is not None) == (erased == 1)
    return blank


def test_an_account_is_blanked_twelve_months_after_its_key_was_revoked(revoked: FakeOffice) -> None:
    end = midnight(date(2027, 12, 1))

    assert not is_erased(revoked, end - timedelta(microseconds=1))
    assert is_erased(revoked, end)
    assert entries(revoked) == [{"table": "client", "ids": [str(revoked.client_id)]}]
    assert run(revoked, end)["client"] == 0


def test_an_account_that_is_not_revoked_is_kept(office: FakeOffice) -> None:
    assert run(office, midnight(date(2090, 1, 1)))["client"] == 0


def a_live_permit(office: FakeOffice) -> date:
    office.clock.now = midnight(date(2027, 11, 22))
    granted(office, starts_on="2027-12-06", ends_on="2027-12-10")
    return date(2027, 12, 11)


def a_permit_abrogated_for_later(office: FakeOffice) -> date:
    office.clock.now = midnight(date(2027, 11, 22))
    number = granted(office, starts_on="2027-12-06", ends_on="2027-12-10")
    acts.abrogate(office.desk, number, BREACH, date(2027, 12, 8), BY)
    return date(2027, 12, 8)


def a_referred_application(office: FakeOffice) -> date:
    office.clock.now = midnight(date(2027, 11, 22))
    referred(office, starts_on="2027-12-06", ends_on="2027-12-10")
    return date(2027, 12, 11)


@pytest.mark.parametrize(
    "life", [a_live_permit, a_permit_abrogated_for_later, a_referred_application], ids=lambda f: f.__name__
)
def test_an_account_is_kept_while_an_act_of_its_depends_on_it(
    revoked: FakeOffice, life: Callable[[FakeOffice], date]
) -> None:
    first_free_day = life(revoked)

    assert not is_erased(revoked, midnight(date(2027, 12, 1)))
    assert not is_erased(revoked, midnight(first_free_day) - timedelta(microseconds=1))
    assert is_erased(revoked, midnight(first_free_day))


@pytest.mark.parametrize("life", [a_waiting_application, a_number_not_yet_sealed], ids=lambda f: f.__name__)
def test_an_account_is_kept_while_something_of_its_is_open(
    revoked: FakeOffice, life: Callable[[FakeOffice], object]
) -> None:
    life(revoked)

    assert not is_erased(revoked, midnight(date(2036, 1, 1)))


def test_an_account_marked_erased_is_blank_or_the_database_refuses(revoked: FakeOffice) -> None:
    with pytest.raises(IntegrityError, match="client_erased_is_blank"), revoked.register.engine.begin() as connection:
        connection.execute(text("UPDATE client SET erased_at = now() WHERE revoked_at IS NOT NULL"))


def test_a_key_is_known_to_its_own_authority_alone(office: FakeOffice) -> None:
    """Two towns may share a database: the client of one files nothing in the other's book."""
    key, engine = new_key(), office.register.engine
    add_client(engine, "ailleurs", "voisine", [], key, uuid4(), office.clock())

    assert authenticate(engine, "exemple", key) is None
    assert authenticate(engine, "ailleurs", key) is not None


def test_a_key_is_revoked_once_and_only_by_its_own_authority(office: FakeOffice) -> None:
    key, engine = new_key(), office.register.engine
    add_client(engine, "exemple", "autre", [], key, uuid4(), office.clock())
    key_id = key.get_secret_value()[3:11]

    assert not revoke_client(engine, "ailleurs", key_id, office.clock())
    assert authenticate(engine, "exemple", key) is not None
    assert revoke_client(engine, "exemple", key_id, office.clock())
    assert not revoke_client(engine, "exemple", key_id, office.clock())
    assert authenticate(engine, "exemple", key) is None


# --- what a run does -------------------------------------------------------------------------------


def contents(engine: Engine) -> dict[str, str]:
    """Return a digest of all the rows of each table, in every schema of the register."""
    with engine.connect() as connection:
        tables = connection.execute(
            text(
                "SELECT table_schema || '.' || table_name FROM information_schema.tables"
                " WHERE table_schema IN ('public', 'jobs') AND table_type = 'BASE TABLE' ORDER BY 1"
            )
        ).scalars()
        rows = "SELECT md5(coalesce(string_agg(r::text, '' ORDER BY r::text), '')) FROM {} r"
        return {table: connection.execute(text(rows.format(table))).scalar_one() for table in tables.all()}


AFTER_ALL = midnight(date(2090, 1, 1))


def test_a_purge_touches_nothing_but_what_it_names_and_the_chain(revoked: FakeOffice) -> None:
    write_book(revoked)
    engine, instant = revoked.register.engine, revoked.clock()
    revoked.registry.answers[SIRET] = open_establishment(SIRET, instant, legal_form="1000")
    revoked.press.broken = None
    filed(revoked, starts_on="2027-04-12", ends_on="2027-04-16")
    trace_at(engine, instant)
    note_reading(engine, "exemple", Reading(instant, revoked.client_id, uuid4(), Subject.PERMITS, None))
    with engine.begin() as connection:
        # The waiting application and the reserved number of this book keep its only account open.
        connection.execute(
            text(
                "INSERT INTO client (id, authority, name, key_id, key_sha256, sirens, created_at, revoked_at)"
                " VALUES (gen_random_uuid(), 'exemple', 'ancien', 'ancien', repeat('1', 64), '{}', now(), :at)"
            ),
            {"at": instant},
        )
    faults = check(engine, "exemple", AFTER_ALL).findings
    before = contents(engine)
    erased = run(revoked, AFTER_ALL)
    changed = {name for name, rows in contents(engine).items() if rows != before[name]}

    assert all(erased.values()), erased
    assert changed == {f"public.{name}" for name in (*ERASED, "audit_entry", "audit_head")}
    assert check(engine, "exemple", AFTER_ALL).findings == faults


def test_the_comparison_sees_one_answer_about_a_company_go(office: FakeOffice) -> None:
    """Negative control."""
    office.registry.answers[SIRET] = open_establishment(legal_form="5710")
    filed(office)
    before = contents(office.register.engine)
    with office.register.engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("DELETE FROM application_evidence"))
    now = contents(office.register.engine)

    assert [name for name in now if now[name] != before[name]] == ["public.application_evidence"]
    assert [str(each.code) for each in check(office.register.engine, "exemple", AFTER_ALL).findings] == [
        "evidence-missing"
    ]


def test_a_dry_run_of_a_large_book_is_not_cut_short(office: FakeOffice) -> None:
    filed(office)

    with kept_waiting(office.register.engine, "application_contact"):
        assert run(office, AFTER_ALL, dry_run=True)["application_contact"] == 1


def test_a_dry_run_counts_what_a_purge_erases_and_erases_nothing(revoked: FakeOffice) -> None:
    filed(revoked)
    trace_at(revoked.register.engine, revoked.clock())
    reading = Reading(revoked.clock(), revoked.client_id, uuid4(), Subject.PERMITS, None)
    note_reading(revoked.register.engine, "exemple", reading)
    before = contents(revoked.register.engine)
    told = run(revoked, AFTER_ALL, dry_run=True)

    assert told == dict.fromkeys(ERASED, 1)
    assert contents(revoked.register.engine) == before
    assert run(revoked, AFTER_ALL) == told
    assert run(revoked, AFTER_ALL) == dict.fromkeys(ERASED, 0)
    assert len(entries(revoked)) == len(ERASED)


def test_a_purge_goes_by_batches_each_with_its_entry(office: FakeOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purging, "SWEEPS", tuple(replace(sweep, batch=2) for sweep in SWEEPS))
    asked = {str(filed(office).filing.application_id) for _ in range(5)}
    for _ in range(4):
        trace_at(office.register.engine, office.clock())
    run(office, AFTER_ALL)
    told = entries(office)

    for table in ("application_contact", "application_evidence"):
        ids = [entry["ids"] for entry in told if entry["table"] == table]
        assert [len(each) for each in ids] == [2, 2, 1]
        assert {each for batch in ids for each in batch} == asked
    assert [entry["count"] for entry in told if entry["table"] == "registry_access"] == [2, 2]
    assert check(office.register.engine, "exemple", AFTER_ALL).findings == ()


def test_a_purge_that_fails_on_the_way_has_erased_nothing_that_the_chain_does_not_tell(
    office: FakeOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purging, "SWEEPS", tuple(replace(sweep, batch=2) for sweep in SWEEPS))
    for _ in range(5):
        filed(office)
    told = purging.audit.append
    calls = iter([told, told, None])

    def fails_third(*given: Any) -> int:
        append = next(calls)
        if append is None:
            raise OSError("disque plein")
        return append(*given)

    monkeypatch.setattr(purging.audit, "append", fails_third)
    with pytest.raises(OSError, match="disque plein"):
        run(office, AFTER_ALL)

    assert counts(office.register.engine)["application_contact"] == 1
    assert sum(len(entry["ids"]) for entry in entries(office)) == 4
    assert check(office.register.engine, "exemple", AFTER_ALL).findings == ()


def test_a_purge_is_of_one_authority(office: FakeOffice) -> None:
    filed(office)
    trace_at(office.register.engine, office.clock())

    assert not any(purge(office.register.engine, "ailleurs", DEFAULT_RETENTION, AFTER_ALL).values())


def test_a_contact_is_erased_at_once_when_its_person_asks(office: FakeOffice) -> None:
    asked, other = filed(office), filed(office)
    name = asked.filing.application_id

    assert not erase_contact(office.register.engine, "ailleurs", name, office.clock())
    assert erase_contact(office.register.engine, "exemple", name, office.clock())
    assert not erase_contact(office.register.engine, "exemple", name, office.clock())
    assert entries(office) == [{"table": "application_contact", "ids": [str(name)], "on_request": True}]
    with office.register.engine.connect() as connection:
        left = connection.execute(text("SELECT application_id FROM application_contact")).scalars().all()
    assert left == [other.filing.application_id]
