"""A number that cannot be sealed is annulled by a person, with a reason, and is never a hole."""

from datetime import date

import pytest

from permits import acts
from permits.document.errors import PrintError
from permits.domain.act import ActState
from permits.domain.filing import ActNotPossible
from permits.issue import finish_act
from tests.acting import BREACH, BY, again, events, granted, live_footprints, neighbour_asks, permit_of, reserved_permit
from tests.fakes import FakeOffice

THURSDAY = date(2027, 1, 14)


def test_an_annulled_number_stays_with_its_reason_and_the_next_one_follows(office: FakeOffice) -> None:
    permit = reserved_permit(office)
    annulled = acts.annul(office.desk, permit.number, "l’établissement a fermé avant le scellement", BY)

    assert annulled.state is ActState.ANNULLED
    assert annulled.annulled_because == "l’établissement a fermé avant le scellement"
    assert live_footprints(office) == []
    following = granted(neighbour_asks(office, "2027-01-11", "2027-01-15"))
    assert following.number == "EX-2026-000002"
    assert events(office) == ["granted", "annulled", "granted", "issued"]
    finished = finish_act(office.desk, permit.id)
    assert finished is not None and finished.state is ActState.ANNULLED


def test_only_what_is_reserved_is_annulled(office: FakeOffice) -> None:
    permit = permit_of(office)

    with pytest.raises(ActNotPossible, match="seul un numéro réservé s’annule"):
        acts.annul(office.desk, permit.number, "l’établissement a fermé", BY)
    stuck = reserved_permit(office)
    acts.annul(office.desk, stuck.number, "l’établissement a fermé", BY)
    with pytest.raises(ActNotPossible):
        acts.annul(office.desk, stuck.number, "l’établissement a fermé", BY)


@pytest.mark.parametrize("reason", ["", "neuf sign", "dix\u200bcaractères"], ids=["none", "nine", "invisible"])
def test_an_annulment_has_a_reason_of_ten_visible_characters(office: FakeOffice, reason: str) -> None:
    permit = reserved_permit(office)

    with pytest.raises(ActNotPossible):
        acts.annul(office.desk, permit.number, reason, BY)
    assert again(office, permit).state is ActState.RESERVED


def test_an_annulled_abrogation_leaves_the_permit_to_be_ended_another_day(office: FakeOffice) -> None:
    permit = permit_of(office)
    office.press.broken = PrintError("encre")
    stuck = acts.abrogate(office.desk, permit.number, BREACH, THURSDAY, BY)
    office.press.broken = None
    acts.annul(office.desk, stuck.number, "le document ne se compose pas", BY)

    assert again(office, permit).state is ActState.ISSUED
    assert acts.abrogate(office.desk, permit.number, BREACH, THURSDAY, BY).number == "EXA-2026-000002"
