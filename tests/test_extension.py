"""Additional days are an act of their own: a new number from the day after the end, while the first permit stands."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from permits import acts
from permits.document.errors import PrintError
from permits.domain.act import Act, ActKind, ActState
from permits.domain.admissibility import Inadmissible
from permits.domain.decision import Granted
from permits.domain.filing import ActNotPossible
from permits.issue import KeyReused, decide_waiting
from tests.acting import (
    BREACH,
    BY,
    CHANGE,
    ILLEGAL,
    REASONS,
    again,
    extend,
    extension_of,
    granted,
    grounds_of,
    live_footprints,
    neighbour_asks,
    permit_of,
    reserved_permit,
    rows,
)
from tests.fakes import FakeOffice

WEDNESDAY = date(2027, 1, 20)


def test_an_extension_is_a_new_application_and_a_new_number_for_the_additional_days_only(office: FakeOffice) -> None:
    permit = permit_of(office)
    filed = extend(office, permit, WEDNESDAY)
    extension = granted(filed)

    assert filed.filing.application_id != permit.application_id
    assert filed.filing.amends == permit.id
    assert (extension.number, extension.kind) == ("EX-2026-000002", ActKind.EXTENSION)
    assert (extension.state, extension.cites) == (ActState.ISSUED, permit.id)
    assert (extension.permit.starts_on, extension.permit.ends_on) == (date(2027, 1, 16), WEDNESDAY)
    amends = extension.permit.amends
    assert amends is not None and (amends.kind, amends.cites.number) == ("extension", permit.number)
    # Ten days and one file for the whole period, less what the first permit costs: 14.40 m² × 5 days × 1.20 €.
    fee = extension.permit.fee
    assert [str(line.amount) for line in fee.lines] == ["172.80", "6.00", "-92.40"]
    assert (fee.total, fee.lines[-1].nature) == (Decimal("86.40"), "credit")


def test_the_extended_permit_stays_as_it_was(office: FakeOffice) -> None:
    permit = permit_of(office)
    extension = extension_of(office, permit, WEDNESDAY)

    assert again(office, permit) == permit
    assert again(office, permit).state is ActState.ISSUED
    assert live_footprints(office) == [permit.number, extension.number]
    in_force = [[act.is_in_force(date(2027, 1, day)) for day in (15, 16, 20, 21)] for act in (permit, extension)]
    assert in_force == [[True, False, False, False], [False, True, True, False]]


@pytest.mark.parametrize(("last", "outcome"), [(date(2027, 2, 9), "granted"), (date(2027, 2, 10), "referred")])
def test_the_longest_duration_counts_from_the_first_day_of_the_first_permit(
    office: FakeOffice, last: date, outcome: str
) -> None:
    filed = extend(office, permit_of(office), last)

    assert filed.outcome == outcome
    measured = {f.rule: (f.measured, f.limit) for f in filed.decision.findings}["DURATION-MAX"]  # type: ignore[union-attr]
    assert measured == (str((last - date(2027, 1, 11)).days + 1), "30")
    if outcome == "referred":
        assert grounds_of(filed) == ["DURATION-MAX"]


def test_an_extension_is_extended_and_its_duration_still_counts_from_the_first_permit(office: FakeOffice) -> None:
    once = extension_of(office, permit_of(office), WEDNESDAY)
    twice = extension_of(office, once, date(2027, 2, 9))

    assert twice.cites == once.id
    assert twice.permit.starts_on == date(2027, 1, 21)
    assert grounds_of(extend(office, twice, date(2027, 2, 10))) == ["DURATION-MAX"]


def test_the_duration_counts_through_a_correction_too(office: FakeOffice) -> None:
    corrected = acts.correct(office.desk, permit_of(office).number, CHANGE, REASONS, BY)

    assert grounds_of(extend(office, corrected, date(2027, 2, 10))) == ["DURATION-MAX"]
    extension = extension_of(office, corrected, date(2027, 2, 9))
    assert extension.permit.worksite == CHANGE["worksite"]
    assert live_footprints(office) == [corrected.number, extension.number]


def test_a_permit_is_extended_once(office: FakeOffice) -> None:
    permit = permit_of(office)
    extension_of(office, permit, WEDNESDAY)
    second = extend(office, permit, date(2027, 1, 18))

    assert grounds_of(second) == ["EXTENSION"]
    assert "est prolongé" in next(f.message for f in second.decision.findings if f.rule == "EXTENSION")  # type: ignore[union-attr]
    assert rows(office, "SELECT count(*) FROM act WHERE kind = 'extension'") == [(1,)]


def test_racing_extensions_of_one_permit_make_one_and_refer_the_others(office: FakeOffice) -> None:
    permit = permit_of(office)
    with ThreadPoolExecutor(4) as pool:
        filed = list(pool.map(lambda day: extend(office, permit, date(2027, 1, day)), (17, 18, 19, 20)))

    assert sorted(each.outcome for each in filed) == ["granted", "referred", "referred", "referred"]
    assert {tuple(grounds_of(each)) for each in filed if each.outcome == "referred"} == {("EXTENSION",)}
    assert rows(office, "SELECT number FROM act ORDER BY number") == [(1,), (2,)]


def test_the_street_must_be_free_on_the_additional_days(office: FakeOffice) -> None:
    permit = permit_of(office)
    standing = granted(neighbour_asks(office, "2027-01-18", "2027-01-19"))
    filed = extend(office, permit, WEDNESDAY)

    assert grounds_of(filed) == ["OVERLAP"]
    assert standing.number in next(f.message for f in filed.decision.findings if f.rule == "OVERLAP")  # type: ignore[union-attr]
    assert extension_of(office, permit, date(2027, 1, 17)).state is ActState.ISSUED


@pytest.mark.parametrize("ending", ["abrogated", "withdrawn", "superseded"])
def test_a_permit_that_was_ended_is_not_extended(office: FakeOffice, ending: str) -> None:
    permit = permit_of(office)
    if ending == "abrogated":
        acts.abrogate(office.desk, permit.number, BREACH, date(2027, 1, 14), BY)
    elif ending == "withdrawn":
        acts.withdraw(office.desk, permit.number, ILLEGAL, BY)
    else:
        acts.correct(office.desk, permit.number, CHANGE, REASONS, BY)

    with pytest.raises(ActNotPossible, match="ne peut pas être prolongé"):
        extend(office, again(office, permit), WEDNESDAY)
    # Whoever asked on the strength of an older reading is heard by a person.
    assert grounds_of(extend(office, permit, WEDNESDAY)) == ["EXTENSION"]


def test_a_reserved_permit_and_a_ruling_are_not_extended(office: FakeOffice) -> None:
    ruling = acts.withdraw(office.desk, permit_of(office).number, ILLEGAL, BY)

    for act in (reserved_permit(office), ruling):
        with pytest.raises(ActNotPossible):
            extend(office, act, WEDNESDAY)


def test_an_extension_that_waited_while_its_permit_was_ended_is_referred(office: FakeOffice) -> None:
    permit = permit_of(office)
    office.registry.is_down = True
    waiting = extend(office, permit, WEDNESDAY)
    assert waiting.outcome == "awaiting_registry"
    acts.abrogate(office.desk, permit.number, BREACH, date(2027, 1, 14), BY)
    office.registry.is_down = False
    decide_waiting(office.desk, waiting.filing.application_id)

    decided = office.register.application(waiting.filing.application_id)
    assert decided is not None and grounds_of(decided) == ["EXTENSION"]


def test_an_extension_that_waited_is_granted_when_its_permit_still_stands(office: FakeOffice) -> None:
    permit = permit_of(office)
    office.registry.is_down = True
    waiting = extend(office, permit, WEDNESDAY)
    office.registry.is_down = False
    decide_waiting(office.desk, waiting.filing.application_id)

    decided = office.register.application(waiting.filing.application_id)
    assert decided is not None and granted(decided).cites == permit.id


def test_the_same_key_tells_of_the_same_extension_even_once_its_permit_is_ended(office: FakeOffice) -> None:
    permit = permit_of(office)
    first = extend(office, permit, WEDNESDAY, key="once")
    acts.correct(office.desk, permit.number, CHANGE, REASONS, BY)
    office.clock.move(days=365)

    assert extend(office, again(office, permit), WEDNESDAY, key="once").act == first.act
    with pytest.raises(KeyReused):
        extend(office, again(office, permit), date(2027, 1, 21), key="once")
    assert rows(office, "SELECT count(*) FROM act WHERE kind = 'extension'") == [(1,)]


@pytest.mark.parametrize(
    ("now", "last", "code"),
    [
        (datetime(2026, 12, 1, 9, tzinfo=UTC), date(2027, 1, 15), "ends_before_start"),
        (datetime(2027, 1, 15, 23, tzinfo=UTC), date(2027, 1, 20), "starts_too_soon"),
    ],
    ids=["no additional day", "asked on the first additional day"],
)
def test_an_extension_is_asked_before_the_end_for_one_day_or_more(
    office: FakeOffice, now: datetime, last: date, code: str
) -> None:
    permit = permit_of(office)
    office.clock.now = now

    with pytest.raises(Inadmissible) as told:
        extend(office, permit, last)
    assert told.value.code == code


@pytest.mark.parametrize("kind", ["abrogation", "withdrawal", "correction"])
def test_an_extension_asked_while_another_act_on_the_permit_waits_for_its_seal_is_referred(
    office: FakeOffice, kind: str
) -> None:
    permit = permit_of(office)
    office.press.broken = PrintError("encre")
    if kind == "abrogation":
        stuck = acts.abrogate(office.desk, permit.number, BREACH, date(2027, 1, 14), BY)
    elif kind == "withdrawal":
        stuck = acts.withdraw(office.desk, permit.number, ILLEGAL, BY)
    else:
        stuck = acts.correct(office.desk, permit.number, CHANGE, REASONS, BY)
    office.press.broken = None
    assert stuck.state is ActState.RESERVED

    assert grounds_of(extend(office, permit, WEDNESDAY)) == ["EXTENSION"]
    acts.annul(office.desk, stuck.number, "le document ne se compose pas", BY)
    assert extension_of(office, permit, WEDNESDAY).state is ActState.ISSUED


# --- ending a permit that is extended ----------------------------------------------------------


def ends(office: FakeOffice, permit: Act) -> Act:
    return acts.abrogate(office.desk, permit.number, BREACH, permit.permit.starts_on, BY)


def test_an_extended_permit_is_not_ended_before_its_extension(office: FakeOffice) -> None:
    permit = permit_of(office)
    extension = extension_of(office, permit, WEDNESDAY)

    with pytest.raises(ActNotPossible, match="mettez d’abord fin à sa prolongation"):
        ends(office, permit)
    with pytest.raises(ActNotPossible, match="mettez d’abord fin à sa prolongation"):
        acts.withdraw(office.desk, permit.number, ILLEGAL, BY)
    assert again(office, permit).state is ActState.ISSUED

    ends(office, extension)
    ends(office, permit)
    assert again(office, permit).state is ActState.ABROGATED
    assert live_footprints(office) == []


def test_an_extension_still_without_its_seal_holds_its_permit_too(office: FakeOffice) -> None:
    permit = permit_of(office)
    office.press.broken = PrintError("encre")
    extension = extension_of(office, permit, WEDNESDAY)
    office.press.broken = None

    with pytest.raises(ActNotPossible):
        ends(office, permit)
    acts.annul(office.desk, extension.number, "le document ne se compose pas", BY)
    assert ends(office, permit).state is ActState.ISSUED


def test_the_extension_of_a_permit_corrected_since_holds_the_correction(office: FakeOffice) -> None:
    permit = permit_of(office)
    extension = extension_of(office, permit, WEDNESDAY)
    corrected = acts.correct(office.desk, permit.number, CHANGE, REASONS, BY)

    with pytest.raises(ActNotPossible, match="mettez d’abord fin à sa prolongation"):
        ends(office, corrected)
    assert grounds_of(extend(office, corrected, WEDNESDAY)) == ["EXTENSION"]
    ends(office, extension)
    assert ends(office, corrected).state is ActState.ISSUED


def test_a_corrected_extension_holds_the_first_permit_and_frees_it_when_it_ends(office: FakeOffice) -> None:
    permit = permit_of(office)
    corrected = acts.correct(office.desk, extension_of(office, permit, WEDNESDAY).number, CHANGE, REASONS, BY)

    with pytest.raises(ActNotPossible, match="mettez d’abord fin à sa prolongation"):
        ends(office, permit)
    assert grounds_of(extend(office, permit, WEDNESDAY)) == ["EXTENSION"]
    ends(office, corrected)
    # Free again: to be extended anew, or ended.
    assert isinstance(extend(office, permit, WEDNESDAY).decision, Granted)


def test_a_permit_whose_extension_was_ended_can_be_extended_again(office: FakeOffice) -> None:
    permit = permit_of(office)
    ends(office, extension_of(office, permit, WEDNESDAY))

    assert extension_of(office, permit, date(2027, 1, 17)).number == "EX-2026-000003"


def cut_short(office: FakeOffice, permit: Act) -> Act:
    """Return an extension to the 20th that was abrogated from the 18th."""
    extension = extension_of(office, permit, WEDNESDAY)
    acts.abrogate(office.desk, extension.number, BREACH, date(2027, 1, 18), BY)
    return again(office, extension)


def test_the_days_that_an_extension_cut_short_still_covers_are_not_granted_twice(office: FakeOffice) -> None:
    permit = permit_of(office)
    extension = cut_short(office, permit)
    assert (extension.state, extension.is_in_force(date(2027, 1, 17))) == (ActState.ABROGATED, True)

    assert grounds_of(extend(office, permit, WEDNESDAY)) == ["EXTENSION"]
    assert rows(office, "SELECT count(*) FROM act WHERE kind = 'extension'") == [(1,)]


def test_the_days_that_an_extension_cut_short_still_covers_hold_its_permit(office: FakeOffice) -> None:
    permit = permit_of(office)
    cut_short(office, permit)

    with pytest.raises(ActNotPossible, match="mettez d’abord fin à sa prolongation tout entière"):
        ends(office, permit)
    with pytest.raises(ActNotPossible, match="mettez d’abord fin à sa prolongation tout entière"):
        acts.withdraw(office.desk, permit.number, ILLEGAL, BY)


def test_a_corrected_extension_cut_short_holds_the_first_permit_too(office: FakeOffice) -> None:
    permit = permit_of(office)
    corrected = acts.correct(office.desk, extension_of(office, permit, WEDNESDAY).number, CHANGE, REASONS, BY)
    acts.abrogate(office.desk, corrected.number, BREACH, date(2027, 1, 17), BY)

    with pytest.raises(ActNotPossible, match="mettez d’abord fin à sa prolongation"):
        ends(office, permit)
    assert grounds_of(extend(office, permit, WEDNESDAY)) == ["EXTENSION"]
