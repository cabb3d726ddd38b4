"""A small book that holds acts of every kind in every state, made by the walk itself."""

import copy
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine

from permits import acts
from permits.document.errors import PrintError
from permits.domain.act import Act, Channel, Notification
from permits.domain.establishment import Source
from permits.domain.filing import Filed, Filing
from permits.domain.sealing import SealLevel
from permits.issue import issue_permit
from permits.register.archive import Archive
from permits.register.checkpoint import Checkpoint
from permits.register.clients import add_client, new_key, revoke_client
from permits.register.floor import read_checkpoint, snapshot
from permits.register.purge import purge
from permits.register.readings import Reading, Subject, note_reading
from permits.register.traces import Errand, Purpose, on_errand
from permits.register.trusted import remember_code_key, remember_seal
from tests.acting import (
    BREACH,
    BY,
    CHANGE,
    HEARING,
    ILLEGAL,
    MARKET,
    REASONS,
    extension_of,
    granted,
    publish_again,
    turn,
    turn_source,
)
from tests.document.conftest import town_seal
from tests.fakes import OTHER_SIRET, SIRET, FakeOffice, open_establishment, open_office, request_body
from tests.register.copies import new_database
from tests.register.test_traces import FakeSource, with_registry

# One spot is a tenth of a street from the next.
_STEP = 0.0004


@dataclass(frozen=True)
class Book:
    """Where to find each state: numbers by what became of them. `at` is the instant of the last event."""

    authority: str
    numbers: dict[str, str]
    checkpoint: Checkpoint
    at: datetime


def body_at(spot: int, *, example: str = "01-scaffolding-granted", **changes: Any) -> dict[str, Any]:
    """Return an example request, all its occupancies moved to a spot of its own."""
    body = copy.deepcopy(request_body(example)) | changes
    for occupancy in body["occupancies"]:
        ring = occupancy["place"]["footprint"]["coordinates"][0]
        ring[:] = [[x + _STEP * (spot % 10), y - _STEP * (spot // 10)] for x, y in ring]
    return body


def write_book(office: FakeOffice, pause: Callable[[str], None] = lambda _stage: None) -> Book:
    """Write at least one act of each kind in each state it can be in, and one application in each outcome.

    `pause` is called after each stage but the last, with its name.
    """
    numbers: dict[str, str] = {}
    publish_again(office, date(2027, 1, 1))
    _first_year(office, numbers)
    pause("first year")
    _remember_keys(office)
    _erase(office)
    office.clock.move(days=34)  # into January: the numbers begin again at 1
    numbers["next year"] = _permit(office, 20, starts_on="2027-02-01", ends_on="2027-02-05").number
    _people_act(office, numbers)
    pause("people acted")
    _in_between(office, numbers)
    _look_on(office, numbers)
    return Book(office.register.authority, numbers, checkpoint_of(office), office.clock())


def checkpoint_of(office: FakeOffice) -> Checkpoint:
    """Return the checkpoint of the book as it is now."""
    with snapshot(office.register.engine) as connection:
        return read_checkpoint(connection, office.register.authority, office.clock())


def _first_year(office: FakeOffice, numbers: dict[str, str]) -> None:
    office.registry.answers[SIRET] = open_establishment(SIRET, office.clock(), legal_form="5710")
    office.registry.answers[OTHER_SIRET] = open_establishment(OTHER_SIRET, office.clock(), legal_form="1000")
    numbers["issued"] = _permit(office, 0).number
    numbers["two places"] = _permit(office, 1, example="02-skip-and-materials-granted").number
    numbers["a person's"] = _permit(office, 2, siret=OTHER_SIRET).number
    sandbox = replace(office.filing(body_at(0)), sandbox=True)
    numbers["sandbox"] = granted(issue_permit(office.desk, sandbox)[0]).number
    notified = _permit(office, 3)
    acts.note_delivery(office.desk, notified, "téléchargé dans le téléservice, réponse 200")
    numbers["notified"] = notified.number
    _archive(office, numbers)
    turn(office.register, office.clock(), halted=True)
    _file(office, office.filing(body_at(4)), "referred")
    turn(office.register, office.clock(), halted=False)
    turn_source(office, off=True)
    turn_source(office, off=False, source=Source.INSEE, reason="rétablie")
    office.registry.is_down = True
    _file(office, office.filing(body_at(5)), "awaiting_registry")
    office.registry.is_down = False


def _archive(office: FakeOffice, numbers: dict[str, str]) -> None:
    """Two files with copies of every level; two acts of which one still waits for its time stamp."""
    archive = Archive(office.register.engine, office.register.authority, office.register.floor)
    office.press.defers_stamps = True
    numbers["archived"] = _permit(office, 6).number
    numbers["awaiting stamp"] = _permit(office, 7).number
    office.press.defers_stamps = False
    (waiting, _) = archive.awaiting_stamp(2)
    stamped = archive.content(waiting.sha256) + b" stamped"
    archive.keep(waiting, stamped, SealLevel.B_T, office.clock() + timedelta(days=8), office.clock())
    for level in (SealLevel.B_LTA, SealLevel.B_LTA):
        last = next(
            each for each in archive.due(office.clock() + timedelta(days=9), 20) if each.number == waiting.number
        )
        content = archive.content(last.sha256) + b" again"
        archive.keep(last, content, level, office.clock() + timedelta(days=8), office.clock())


def _remember_keys(office: FakeOffice) -> None:
    """Who seals and who signs codes here, before a rotation and after it."""
    engine, floor = office.register.engine, office.register.floor
    for kid in ("before", "after"):
        seal = town_seal(with_chain=True)
        remember_seal(engine, floor, seal.certificate, seal.key.chain, office.clock())
        remember_code_key(engine, floor, kid, {"x": kid, "y": "y"}, office.clock())
        office.clock.move(seconds=1)


def _erase(office: FakeOffice) -> None:
    """What the law wants erased two years later: a person's evidence, contacts, a revoked account."""
    engine, authority, at = office.register.engine, office.register.authority, office.clock()
    key = new_key()
    add_client(engine, authority, "une entreprise partie", [], key, uuid4(), at)
    assert revoke_client(engine, authority, key.get_secret_value()[3:11], at)
    erased = purge(engine, authority, office.desk.law.rulebook.retention, at + timedelta(days=730))
    assert all(erased[table] > 0 for table in ("application_evidence", "application_contact", "client")), erased


def _people_act(office: FakeOffice, numbers: dict[str, str]) -> None:
    """Every ruling, and what replaces or prolongs a permit."""
    desk, days = office.desk, {"starts_on": "2027-02-08", "ends_on": "2027-02-19"}
    for name, first_day in (("abrogated", date(2027, 2, 12)), ("abrogated before", date(2027, 2, 3))):
        numbers[name] = _permit(office, 21 if name == "abrogated" else 22, **days).number
        numbers[f"{name} by"] = acts.abrogate(desk, numbers[name], BREACH, first_day, BY).number
    numbers["withdrawn"] = _permit(office, 23, **days).number
    numbers["withdrawal"] = acts.withdraw(desk, numbers["withdrawn"], ILLEGAL, BY).number
    proof = Notification(notified_on=date(2027, 1, 4), channel=Channel.HAND_DELIVERY, proof="remis en main propre")
    acts.notify(desk, numbers["withdrawal"], proof, BY)
    numbers["superseded"] = _permit(office, 24, **days).number
    numbers["correction"] = acts.correct(desk, numbers["superseded"], CHANGE, REASONS, BY).number
    extended = _permit(office, 25, starts_on="2027-02-01", ends_on="2027-02-05")
    numbers["extended"] = extended.number
    numbers["extension"] = extension_of(office, extended, date(2027, 2, 12)).number
    referred = _file(office, office.filing(request_body("04-parking-and-lane-referred") | days), "referred")
    office.press.broken = PrintError("plus d’encre")
    numbers["annulled refusal"] = acts.refuse(desk, referred, (MARKET,), HEARING, BY).number
    acts.annul(desk, numbers["annulled refusal"], "le document ne se compose pas : caractère illisible", BY)
    office.press.broken = None
    again = desk.register.application(referred.filing.application_id)
    assert again is not None
    numbers["refusal"] = acts.refuse(desk, again, (MARKET,), HEARING, BY).number


def _in_between(office: FakeOffice, numbers: dict[str, str]) -> None:
    """What is annulled and, last, reserved a moment ago."""
    days = {"starts_on": "2027-03-01", "ends_on": "2027-03-05"}
    office.press.broken = PrintError("plus d’encre")
    numbers["annulled"] = _permit(office, 31, **days).number
    acts.annul(office.desk, numbers["annulled"], "le document ne se compose pas : caractère illisible", BY)
    office.clock.move(minutes=5)
    numbers["reserved"] = _permit(office, 32, **days).number
    office.press.broken = None


def _look_on(office: FakeOffice, numbers: dict[str, str]) -> None:
    """One line in each log: an exchange with a registry, and a reading."""
    engine, client, request = office.register.engine, office.client_id, uuid4()
    with on_errand(Errand(Purpose.CONSULTATION, about=uuid4(), client_id=client, request_id=request)):
        with_registry(office, FakeSource(office.clock)).desk.registry.lookup(SIRET)
    reading = Reading(office.clock(), client, request, Subject.ACT, numbers["issued"])
    note_reading(engine, office.register.authority, reading)


def _permit(office: FakeOffice, spot: int, **changes: Any) -> Act:
    return granted(issue_permit(office.desk, office.filing(body_at(spot, **changes)))[0])


def _file(office: FakeOffice, filing: Filing, outcome: str) -> Filed:
    filed, _ = issue_permit(office.desk, filing)
    assert filed.outcome == outcome, filed.decision
    return filed


@dataclass(frozen=True)
class Original:
    """A written book, and the same book as it was earlier: databases to be copied, to which nobody is connected."""

    url: str
    book: Book
    database: str
    earlier: tuple[str, ...]

    @contextmanager
    def copied(self, database: str | None = None) -> Iterator[Engine]:
        """Give an engine on a copy of the book, or of an earlier one."""
        with new_database(self.url, template=database or self.database) as engine:
            yield engine


@contextmanager
def original_book(url: str) -> Iterator[Original]:
    """Write a book on this server, keeping a copy of it after each stage."""
    with ExitStack() as stack:
        engine = stack.enter_context(new_database(url, template="permits"))
        database, earlier = str(engine.url.database), []

        def pause(_stage: str) -> None:
            engine.dispose()  # a database in use can't be copied
            copied = stack.enter_context(new_database(url, template=database))
            earlier.append(str(copied.url.database))

        book = write_book(open_office(engine), pause)
        engine.dispose()
        yield Original(url, book, database, tuple(earlier))
