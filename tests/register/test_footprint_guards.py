"""A place is taken with its act, follows it, and is given back with it: nothing else moves it, even by hand."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection, text

from permits import acts
from permits.domain.act import Act
from tests.acting import BREACH, BY, CHANGE, ILLEGAL, REASONS, live_footprints, permit_of, reserved_permit, rows
from tests.fakes import FakeOffice
from tests.register.by_hand import by_hand, columns, refusal

COPY = "INSERT INTO act_footprint SELECT {columns} FROM act_footprint WHERE act_id = :id"


def copy_of(connection: Connection, **changes: str) -> str:
    """Return a statement that inserts a footprint like that of an act, changed as told in SQL."""
    return COPY.format(columns=", ".join(changes.get(name, name) for name in columns(connection, "act_footprint")))


def permit_in(office: FakeOffice, state: str) -> Act:
    """Return a permit of 11 to 15 January in that state; an abrogated one ends on the eve of the 14th."""
    if state in ("reserved", "annulled"):
        permit = reserved_permit(office)
        if state == "annulled":
            acts.annul(office.desk, permit.number, "le document ne se compose pas", BY)
        return permit
    permit = permit_of(office)
    if state == "abrogated":
        acts.abrogate(office.desk, permit.number, BREACH, date(2027, 1, 14), BY)
    elif state == "abrogated before":
        acts.abrogate(office.desk, permit.number, BREACH, date(2027, 1, 4), BY)
    elif state == "withdrawn":
        acts.withdraw(office.desk, permit.number, ILLEGAL, BY)
    elif state == "superseded":
        acts.correct(office.desk, permit.number, CHANGE, REASONS, BY)
    return permit


STATES = ("reserved", "issued", "annulled", "abrogated", "abrogated before", "withdrawn", "superseded")


@pytest.mark.parametrize("state", STATES)
def test_a_footprint_holds_its_place_as_long_as_its_act_does(office: FakeOffice, state: str) -> None:
    permit = permit_in(office, state)
    kept = rows(office, "SELECT live, lower(period), upper(period) FROM act_footprint WHERE act_id = :id", id=permit.id)

    first, end = date(2027, 1, 11), date(2027, 1, 16)
    holds = state in ("reserved", "issued", "abrogated")
    assert kept == [(holds, first, date(2027, 1, 14) if state == "abrogated" else end)]


@pytest.mark.parametrize("triggers", [True, False], ids=["as it is", "negative control"])
@pytest.mark.parametrize("state", STATES)
def test_a_footprint_cannot_be_moved_given_back_revived_or_stretched(
    office: FakeOffice, state: str, triggers: bool
) -> None:
    permit = permit_in(office, state)
    changes = {
        "moved": "footprint_core = polygon '((0,0),(0,1),(1,1))'",
        "turned": "live = NOT live",
        "stretched": "period = daterange('2027-01-11', '2027-01-17')",
        "brought forward": "period = daterange('2027-01-10', upper(period))",
        "shortened": "period = daterange('2027-01-11', '2027-01-13')",
        "given to another worksite": "worksite_key = 'autre'",
        "put in the sandbox": "space = 'sandbox'",
        "given to another act": "act_id = gen_random_uuid()",
        "left as it is": "live = live",
    }
    with by_hand(office, triggers=triggers) as connection:
        possible = {
            name
            for name, change in changes.items()
            if refusal(connection, f"UPDATE act_footprint SET {change} WHERE act_id = :id", id=permit.id) is None
        }

    # An abrogated footprint may be told again that it ends on the eve: it changes nothing.
    same = {"left as it is"} if state == "abrogated" else set()
    assert possible == same if triggers else possible >= {"turned", "stretched", "moved"}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"occupancy": "occupancy + 1"}, "before its act, never after"),
        ({"act_id": "gen_random_uuid()", "live": "false"}, "before its act, never after"),
        ({"act_id": "gen_random_uuid()"}, "act_footprint_act_id_fkey"),
    ],
    ids=["to an act that is there", "already given back", "of an act that never comes"],
)
def test_a_footprint_comes_before_its_act_and_in_its_transaction(
    office: FakeOffice, changes: dict[str, str], told: str
) -> None:
    permit = permit_of(office)
    with by_hand(office) as connection:
        refused = refusal(connection, copy_of(connection, **changes), id=permit.id)

    assert refused is not None and told in refused


def test_two_worksites_cannot_hold_one_place_by_hand_either(office: FakeOffice) -> None:
    permit = permit_of(office)
    rival = {"act_id": "gen_random_uuid()", "worksite_key": "'999990021/autre'"}
    with by_hand(office) as connection:
        assert "no_double_booking" in str(refusal(connection, copy_of(connection, **rival), id=permit.id))
        free: list[Any] = [{"space": "'sandbox'"}, {"period": "daterange('2027-01-16', '2027-01-17')"}]
        for change in free:
            told = refusal(connection, copy_of(connection, **rival, **change), id=permit.id)
            assert "act_footprint_act_id_fkey" in str(told), change


def test_a_place_given_back_is_taken_by_another_and_never_returns(office: FakeOffice) -> None:
    permit = permit_in(office, "withdrawn")
    other = permit_of(office, siret="99999002100019")

    assert live_footprints(office) == [other.number]
    with by_hand(office, triggers=False) as connection:
        revive = "UPDATE act_footprint SET live = true WHERE act_id = :id"
        # Even without the guards, the exclusion itself says no.
        assert "no_double_booking" in str(refusal(connection, revive, id=permit.id))
        assert connection.execute(text("SELECT count(*) FROM act_footprint")).scalar_one() == 2
