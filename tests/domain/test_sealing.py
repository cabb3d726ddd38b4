"""How late a time stamp may be, and when an archive copy is stamped anew."""

from datetime import UTC, datetime, timedelta

import pytest

from permits.domain.permit import SealingStopped
from permits.domain.sealing import check_deferral, renewal

DELIVERED = datetime(2027, 1, 11, 9, 0, tzinfo=UTC)
ONE_SECOND = timedelta(seconds=1)


def test_issuing_goes_on_for_four_hours_less_a_second() -> None:
    check_deferral(DELIVERED, DELIVERED + timedelta(hours=4) - ONE_SECOND)


@pytest.mark.parametrize("late", [timedelta(0), ONE_SECOND, timedelta(days=30)])
def test_issuing_stops_at_four_hours_to_the_second(late: timedelta) -> None:
    with pytest.raises(SealingStopped, match="quatre heures"):
        check_deferral(DELIVERED, DELIVERED + timedelta(hours=4) + late)


def test_issuing_goes_on_while_nothing_waits() -> None:
    check_deferral(None, DELIVERED)


@pytest.mark.parametrize(
    ("certificate_left", "renewed_after"),
    [(timedelta(days=1000), timedelta(days=910)), (timedelta(days=40), timedelta(days=30))],
    ids=["90 days ahead", "a quarter of a short time"],
)
def test_a_stamp_is_renewed_well_before_its_certificate_ends(
    certificate_left: timedelta, renewed_after: timedelta
) -> None:
    assert renewal(DELIVERED, DELIVERED + certificate_left) == DELIVERED + renewed_after
