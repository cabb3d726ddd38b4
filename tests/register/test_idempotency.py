"""An idempotency key belongs to its client and lives as long as the permit: one application, one number, one document.

tests/test_issue.py and tests/web/test_applications.py hold the plain cases; here are crowds, time and overlap.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from threading import Barrier, Event
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from permits import acts
from permits.domain.act import ActState
from permits.domain.calendar import paris_day
from permits.domain.filing import Filed, Filing
from permits.domain.permit import Permit
from permits.domain.ruling import Ruling
from permits.issue import KeyReused, RequestInProgress, issue_permit
from permits.register.clients import add_client, new_key
from tests.acting import BREACH, BY, granted, permit_of
from tests.fakes import SIRET, FakeOffice, FakePress, request_body

CONTACT = {"email": "chantier@exemple.example", "phone": "+33 2 98 00 00 00"}
CROWD = 20
PATIENCE_S = 30


def how_many(office: FakeOffice) -> dict[str, int]:
    """Return how many rows the book holds of each kind."""
    with office.register.engine.connect() as connection:
        return {
            table: int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())
            for table in ("application", "act", "document", "counter")
        }


def all_at_once(office: FakeOffice, filings: list[Filing]) -> list[Filed | None]:
    """Send them together, each from its own thread; None stands for « in progress »."""
    together = Barrier(len(filings))

    def send(filing: Filing) -> Filed | None:
        together.wait(PATIENCE_S)
        try:
            return issue_permit(office.desk, filing)[0]
        except RequestInProgress:
            return None

    with ThreadPoolExecutor(len(filings)) as pool:
        return list(pool.map(send, filings))


def document_of(office: FakeOffice, filed: Filed) -> bytes:
    sha256 = granted(filed).document_sha256
    assert sha256 is not None
    return office.register.document(sha256)


def record_of(filed: Filed) -> tuple[Any, ...]:
    """Return what the book tells of an application; the contact is never read back."""
    return filed.filing.application_id, filed.outcome, filed.decision, filed.decided_at, filed.act


def another_client(office: FakeOffice) -> FakeOffice:
    """Return the same office as another client sees it."""
    client_id = uuid4()
    add_client(office.register.engine, office.register.authority, "autre", [], new_key(), client_id, office.clock())
    return replace(office, client_id=client_id)


def test_a_crowd_of_the_same_request_makes_one_application_one_number_and_the_same_bytes(office: FakeOffice) -> None:
    answers = all_at_once(office, [office.filing(key="once") for _ in range(CROWD)])
    later = [issue_permit(office.desk, office.filing(key="once")) for _ in range(3)]

    assert how_many(office) == {"application": 1, "act": 1, "document": 1, "counter": 1}
    answered = [answer for answer in answers if answer is not None]
    assert answered, "somebody was told of the permit"
    everyone = answered + [filed for filed, _ in later]
    assert {filed.filing.application_id for filed in everyone} == {answered[0].filing.application_id}
    assert {granted(filed).number for filed in everyone} == {"EX-2026-000001"}
    assert len({document_of(office, filed) for filed in everyone}) == 1
    assert all(replayed for _, replayed in later)
    assert office.press.made == ["EX-2026-000001"]


def test_without_its_constraint_the_crowd_is_seen_to_make_several(office: FakeOffice) -> None:
    """Negative control: the same crowd, the same look, on a book that does not hold the key."""
    with office.register.engine.begin() as connection:
        connection.execute(text("ALTER TABLE application DROP CONSTRAINT application_client_id_idempotency_key_key"))
    held = hold_until(office, how_many=CROWD)
    all_at_once(held, [office.filing(key="once") for _ in range(CROWD)])

    assert how_many(office)["application"] > 1
    assert how_many(office)["act"] > 1


def hold_until(office: FakeOffice, how_many: int) -> FakeOffice:
    """Return the office with a registry that answers nobody before so many have asked."""
    together = Barrier(how_many)

    class Held:
        def lookup(self, siret: str, **asked: Any) -> Any:
            together.wait(PATIENCE_S)
            return office.registry.lookup(siret, **asked)

    return replace(office, desk=replace(office.desk, registry=Held()))


def test_a_year_later_the_key_tells_the_present_state_and_gives_the_same_bytes(office: FakeOffice) -> None:
    first, _ = issue_permit(office.desk, office.filing(key="for life"))
    before = document_of(office, first)
    acts.abrogate(office.desk, granted(first).number, BREACH, paris_day(office.clock()) + timedelta(days=3), BY)
    office.clock.move(days=370)
    # Whatever the registry would say by now: a replay decides nothing.
    office.registry.forgets(SIRET, definite=True)
    again, replayed = issue_permit(office.desk, office.filing(key="for life"))

    assert replayed
    assert again.filing.application_id == first.filing.application_id
    assert again.filing.received_at == first.filing.received_at
    assert granted(again).number == granted(first).number
    assert granted(again).state is ActState.ABROGATED
    assert document_of(office, again) == before


def test_a_year_later_a_permit_that_has_run_out_is_still_the_same_permit(office: FakeOffice) -> None:
    first, _ = issue_permit(office.desk, office.filing(key="for life"))
    office.clock.move(days=370)
    again, replayed = issue_permit(office.desk, office.filing(key="for life"))

    assert replayed
    assert granted(again) == granted(first)
    assert not granted(again).is_in_force(paris_day(office.clock()))
    assert how_many(office) == {"application": 1, "act": 1, "document": 1, "counter": 1}


def test_a_referred_application_is_replayed_too(office: FakeOffice) -> None:
    body = request_body("04-parking-and-lane-referred")
    first, _ = issue_permit(office.desk, office.filing(body, key="asked"))
    office.clock.move(days=370)
    again, replayed = issue_permit(office.desk, office.filing(body, key="asked"))

    assert replayed
    assert record_of(again) == record_of(first)
    assert again.outcome == "referred"


@pytest.mark.parametrize("days", [0, 370])
def test_another_body_under_the_key_is_refused_for_ever_and_leaves_no_trace(office: FakeOffice, days: int) -> None:
    issue_permit(office.desk, office.filing(key="for life"))
    before = how_many(office)
    office.clock.move(days=days)

    with pytest.raises(KeyReused):
        issue_permit(office.desk, office.filing(key="for life", worksite="un autre chantier"))
    assert how_many(office) == before


@pytest.mark.parametrize(("first", "later"), [({}, CONTACT), (CONTACT, {}), (CONTACT, {"email": "b@exemple.example"})])
def test_another_contact_or_one_more_or_one_less_is_another_body(
    office: FakeOffice, first: dict[str, str], later: dict[str, str]
) -> None:
    issue_permit(office.desk, office.filing(key="for life", contact=first))

    with pytest.raises(KeyReused):
        issue_permit(office.desk, office.filing(key="for life", contact=later))
    assert issue_permit(office.desk, office.filing(key="for life", contact=first))[0].act is not None


@dataclass
class SlowPress(FakePress):
    """Prints nothing before it is told to."""

    at_work: Event = field(default_factory=Event)
    go_on: Event = field(default_factory=Event)

    def print_and_lint(self, payload: Permit | Ruling, signed_code: str | None) -> bytes:
        self.at_work.set()
        assert self.go_on.wait(PATIENCE_S)
        return super().print_and_lint(payload, signed_code)


@contextmanager
def while_it_is_printed(office: FakeOffice, filing: Filing) -> Iterator[Callable[[], Filed]]:
    """Send the request, and stop its walk at the press; the caller may let it go on and have its answer."""
    press = SlowPress()
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(issue_permit, replace(office.desk, press=press), filing)
        assert press.at_work.wait(PATIENCE_S)

        def finish() -> Filed:
            press.go_on.set()
            return sent.result(PATIENCE_S)[0]

        try:
            yield finish
        finally:
            press.go_on.set()


def test_while_the_first_is_in_hand_the_second_is_told_so_and_later_has_the_same_permit(office: FakeOffice) -> None:
    with while_it_is_printed(office, office.filing(key="slow")) as finish:
        with pytest.raises(RequestInProgress):
            issue_permit(office.desk, office.filing(key="slow"))
        first = finish()
    again, replayed = issue_permit(office.desk, office.filing(key="slow"))

    assert replayed
    assert record_of(again) == record_of(first)
    assert how_many(office) == {"application": 1, "act": 1, "document": 1, "counter": 1}


def test_while_the_first_is_in_hand_another_body_is_refused_all_the_same(office: FakeOffice) -> None:
    with while_it_is_printed(office, office.filing(key="slow")) as finish:
        with pytest.raises(KeyReused):
            issue_permit(office.desk, office.filing(key="slow", worksite="un autre chantier"))
        assert granted(finish()).state is ActState.ISSUED


def test_two_clients_use_the_same_key_at_once_and_each_keeps_its_own(office: FakeOffice) -> None:
    other = another_client(office)
    elsewhen = {"starts_on": "2027-02-08", "ends_on": "2027-02-12"}
    mine, theirs = all_at_once(office, [office.filing(key="same"), other.filing(key="same", **elsewhen)])

    assert mine is not None and theirs is not None
    assert granted(mine).number != granted(theirs).number
    assert record_of(issue_permit(office.desk, office.filing(key="same"))[0]) == record_of(mine)
    assert record_of(issue_permit(office.desk, other.filing(key="same", **elsewhen))[0]) == record_of(theirs)
    assert how_many(office)["application"] == 2


def test_the_key_of_one_client_tells_another_nothing(office: FakeOffice) -> None:
    permit_of(office, key="mine")
    other = another_client(office)

    assert office.register.find_filed(other.client_id, "mine") is None
    assert office.register.find_filed(office.client_id, "mine") is not None
