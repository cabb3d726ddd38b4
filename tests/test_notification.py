"""When, how and with what proof an act reached its holder: recorded once, for it opens the appeal delay."""

from datetime import UTC, date, datetime, timedelta

import pytest

from permits import acts
from permits.domain.act import Channel, Notification
from permits.domain.filing import ActNotPossible
from tests.acting import BY, again, events, permit_of, reserved_permit
from tests.fakes import FakeOffice

TODAY = date(2026, 12, 1)


def by_hand(day: date) -> Notification:
    return Notification(notified_on=day, channel=Channel.HAND_DELIVERY, proof="récépissé n° 12")


def test_a_notification_is_recorded_once_and_told_with_the_act(office: FakeOffice) -> None:
    permit = permit_of(office)
    office.clock.move(days=3)
    acts.notify(office.desk, permit.number, by_hand(date(2026, 12, 3)), BY)

    assert again(office, permit).notification == by_hand(date(2026, 12, 3))
    with pytest.raises(ActNotPossible, match="déjà enregistrée"):
        acts.notify(office.desk, permit.number, by_hand(date(2026, 12, 4)), BY)
    assert again(office, permit).notification == by_hand(date(2026, 12, 3))
    assert events(office).count("notified") == 1


@pytest.mark.parametrize(("day", "possible"), [(29, False), (30, True), (31, True), (32, False)])
def test_a_notification_is_dated_between_the_issue_in_paris_and_today(
    office: FakeOffice, day: int, possible: bool
) -> None:
    office.clock.now = datetime(2026, 11, 29, 23, 30, tzinfo=UTC)  # already the 30th in Paris
    permit = permit_of(office)
    office.clock.now = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    notification = by_hand(date(2026, 11, 1) + timedelta(days=day - 1))

    if possible:
        assert acts.notify(office.desk, permit.number, notification, BY).notification == notification
    else:
        with pytest.raises(ActNotPossible, match="entre la délivrance de l’acte et aujourd’hui"):
            acts.notify(office.desk, permit.number, notification, BY)


@pytest.mark.parametrize(
    ("proof", "told"),
    [
        (" ", "écrivez de 3 à 2 000"),
        ("nº", "écrivez de 3 à 2 000"),
        ("x" * 2001, "écrivez de 3 à 2 000"),
        ("RK\u202e12", "caractère interdit"),
    ],
    ids=["blank", "short", "long", "invisible"],
)
def test_a_proof_is_text_that_people_can_read(office: FakeOffice, proof: str, told: str) -> None:
    permit = permit_of(office)

    with pytest.raises(ActNotPossible, match=f"la preuve : {told}"):
        acts.notify(office.desk, permit.number, by_hand(TODAY).model_copy(update={"proof": proof}), BY)
    assert again(office, permit).notification is None


def test_a_proof_is_kept_without_the_spaces_around_it(office: FakeOffice) -> None:
    permit = permit_of(office)
    acts.notify(office.desk, permit.number, by_hand(TODAY).model_copy(update={"proof": "  n° 12 "}), BY)

    notification = again(office, permit).notification
    assert notification is not None and notification.proof == "n° 12"


def test_nobody_records_by_hand_that_something_was_fetched(office: FakeOffice) -> None:
    permit = permit_of(office)

    with pytest.raises(ActNotPossible, match="le téléservice note lui-même"):
        acts.notify(office.desk, permit.number, by_hand(TODAY).model_copy(update={"channel": Channel.ONLINE}), BY)
    assert again(office, permit).notification is None


def test_what_is_not_issued_is_not_notified(office: FakeOffice) -> None:
    permit = reserved_permit(office)

    with pytest.raises(ActNotPossible, match="n’est pas délivré"):
        acts.notify(office.desk, permit.number, by_hand(TODAY), BY)
    acts.note_delivery(office.desk, permit, "téléchargement")
    assert again(office, permit).notification is None


def test_the_first_delivery_notifies_and_the_next_ones_change_nothing(office: FakeOffice) -> None:
    permit = permit_of(office)
    acts.note_delivery(office.desk, permit, "téléchargement, requête 1")
    office.clock.move(days=1)
    acts.note_delivery(office.desk, permit, "téléchargement, requête 2")

    notification = again(office, permit).notification
    assert notification is not None
    assert (notification.notified_on, notification.channel) == (TODAY, Channel.ONLINE)
    assert notification.proof == "téléchargement, requête 1"
    assert events(office).count("notified") == 1
