"""The walk, on a real register: what is recorded, what is sealed, and what a failure leaves behind."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from permits.desk import Law
from permits.document.errors import PrintError
from permits.domain.act import ActState
from permits.domain.admissibility import Inadmissible
from permits.domain.decision import Granted, Referred
from permits.domain.establishment import RegistryAnswer, RegistryUnavailable
from permits.domain.filing import ActNotPossible
from permits.domain.permit import PressBusy, SealingStopped
from permits.domain.place import GeocoderUnavailable
from permits.domain.rulebook import Rulebook
from permits.issue import (
    KeyReused,
    RequestInProgress,
    decide_waiting,
    finish_act,
    issue_permit,
    preview,
)
from tests.acting import with_authority
from tests.fakes import OTHER_SIRET, ROOT, SIRET, FakeOffice, FakeRegistry, open_establishment, request_body


def count(office: FakeOffice, table: str) -> int:
    with office.register.engine.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_a_good_application_becomes_an_issued_permit_with_its_document(office: FakeOffice) -> None:
    filed, replayed = issue_permit(office.desk, office.filing())

    assert not replayed
    assert filed.outcome == "granted"
    assert filed.act is not None
    assert filed.act.number == "EX-2026-000001"
    assert filed.act.state is ActState.ISSUED
    assert str(filed.act.permit.fee.total) == "92.40"
    assert filed.act.document_sha256 is not None
    document = office.register.document(filed.act.document_sha256)
    assert hashlib.sha256(document).hexdigest() == filed.act.document_sha256
    assert office.press.made == ["EX-2026-000001"]


def test_the_code_of_a_permit_is_signed_with_its_number_once_that_is_known(office: FakeOffice) -> None:
    office.press.broken = RuntimeError("no seal today")
    filed, _ = issue_permit(office.desk, office.filing())
    assert filed.act is not None and office.press.codes == []
    office.press.broken = None
    finish_act(office.desk, filed.act.id)
    assert office.press.codes == ["EX-2026-000001"]


def test_the_payload_and_the_chain_hold_no_contact(office: FakeOffice) -> None:
    issue_permit(office.desk, office.filing())

    with office.register.engine.connect() as connection:
        kept = connection.execute(text("SELECT email, phone FROM application_contact")).one()
        everything = connection.execute(
            text(
                "SELECT (SELECT json_agg(act)::text FROM act) || (SELECT json_agg(audit_entry)::text FROM audit_entry)"
                " || (SELECT json_agg(application)::text FROM application)"
            )
        ).scalar_one()
    assert kept.email == "chantier@modele.example"
    assert kept.email not in everything
    assert kept.phone not in everything
    assert SIRET in everything


def test_the_same_key_and_body_give_the_same_permit_and_bytes(office: FakeOffice) -> None:
    filing = office.filing(key="once")
    first, _ = issue_permit(office.desk, filing)
    office.clock.move(days=365)
    again, replayed = issue_permit(office.desk, office.filing(key="once"))

    assert replayed
    assert first.act is not None and again.act is not None
    assert again.act.number == first.act.number
    assert again.act.document_sha256 == first.act.document_sha256
    assert count(office, "act") == 1


def test_another_body_under_a_used_key_is_refused(office: FakeOffice) -> None:
    issue_permit(office.desk, office.filing(key="once"))

    with pytest.raises(KeyReused):
        issue_permit(office.desk, office.filing(key="once", worksite="un autre chantier"))
    assert count(office, "application") == 1


def test_two_clients_may_use_the_same_key(office: FakeOffice) -> None:
    other = FakeOffice(**{**vars(office)})
    with office.register.engine.begin() as connection:
        other.client_id = connection.execute(
            text(
                "INSERT INTO client SELECT gen_random_uuid(), authority, 'autre', 'feedbeef', key_sha256, sirens,"
                " created_at FROM client RETURNING id"
            )
        ).scalar_one()
    issue_permit(office.desk, office.filing(key="once"))
    _, replayed = issue_permit(office.desk, other.filing(key="once"))

    assert not replayed
    assert count(office, "act") == 2


def test_the_same_request_sent_many_times_at_once_makes_one_permit(office: FakeOffice) -> None:
    def send(_: int) -> str | None:
        try:
            filed, _replayed = issue_permit(office.desk, office.filing(key="once"))
        except RequestInProgress:
            return None
        return filed.act.number if filed.act else "?"

    with ThreadPoolExecutor(8) as pool:
        numbers = {number for number in pool.map(send, range(16)) if number}

    assert numbers == {"EX-2026-000001"}
    assert count(office, "act") == 1
    assert count(office, "application") == 1


def test_sixteen_writers_leave_no_gap_and_no_repeat(office: FakeOffice) -> None:
    body = request_body()

    def send(n: int) -> None:
        # The same worksite may overlap itself, so all sixteen are granted.
        issue_permit(office.desk, office.filing(body, key=f"k{n}"))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(send, range(64)))

    with office.register.engine.connect() as connection:
        numbers = connection.execute(text("SELECT number FROM act ORDER BY number")).scalars().all()
    assert numbers == list(range(1, 65))


def test_an_outage_receives_the_application_and_decides_it_later(office: FakeOffice) -> None:
    office.registry.is_down = True
    filed, _ = issue_permit(office.desk, office.filing(key="patient"))

    assert filed.outcome == "awaiting_registry"
    assert filed.act is None
    with pytest.raises(RegistryUnavailable):
        decide_waiting(office.desk, filed.filing.application_id)

    office.registry.is_down = False
    office.clock.move(hours=5)
    decide_waiting(office.desk, filed.filing.application_id)
    again, replayed = issue_permit(office.desk, office.filing(key="patient"))

    assert replayed
    assert again.outcome == "granted"
    assert again.act is not None and again.act.state is ActState.ISSUED
    assert again.filing.received_at == filed.filing.received_at


def test_deciding_twice_what_waited_makes_one_permit(office: FakeOffice) -> None:
    office.registry.is_down = True
    filed, _ = issue_permit(office.desk, office.filing())
    office.registry.is_down = False
    decide_waiting(office.desk, filed.filing.application_id)
    decide_waiting(office.desk, filed.filing.application_id)

    assert count(office, "act") == 1


def test_what_waited_and_turns_out_closed_is_referred_not_refused(office: FakeOffice) -> None:
    office.registry.is_down = True
    filed, _ = issue_permit(office.desk, office.filing())
    office.registry.is_down = False
    office.registry.answers[SIRET] = open_establishment(is_open=False, closed_on=date(2024, 6, 30))
    decide_waiting(office.desk, filed.filing.application_id)

    later = office.register.application(filed.filing.application_id)
    assert later is not None and later.outcome == "referred"
    assert count(office, "act") == 0


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (open_establishment(is_open=False, closed_on=date(2024, 6, 30)), "establishment_closed"),
        (open_establishment(unit_is_active=False, unit_ceased_on=date(2023, 12, 31)), "company_ceased"),
    ],
)
def test_a_closed_company_is_told_at_once_and_nothing_is_filed(office: FakeOffice, answer: object, code: str) -> None:
    office.registry.answers[SIRET] = answer  # type: ignore[assignment]

    with pytest.raises(Inadmissible) as refused:
        issue_permit(office.desk, office.filing())

    assert refused.value.code == code
    assert "depuis le" in refused.value.message
    assert count(office, "application") == 0


def test_an_unknown_siret_is_told_at_once_only_when_the_answer_is_definite(office: FakeOffice) -> None:
    office.registry.forgets(SIRET, definite=True)
    with pytest.raises(Inadmissible) as refused:
        issue_permit(office.desk, office.filing())
    assert refused.value.code == "siret_unknown"

    office.registry.forgets(SIRET, definite=False)
    filed, _ = issue_permit(office.desk, office.filing())
    assert filed.outcome == "referred"


def test_a_printing_failure_leaves_the_number_reserved_and_the_job_finishes_it(office: FakeOffice) -> None:
    office.press.broken = PrintError("encre")
    filed, _ = issue_permit(office.desk, office.filing(key="stuck"))

    assert filed.outcome == "granted"
    assert filed.act is not None and filed.act.state is ActState.RESERVED
    assert filed.act.document_sha256 is None
    with pytest.raises(RequestInProgress):
        issue_permit(office.desk, office.filing(key="stuck"))

    office.press.broken = None
    finished = finish_act(office.desk, filed.act.id)
    assert finished is not None and finished.state is ActState.ISSUED
    assert finished.number == filed.act.number


def test_a_replay_after_a_crash_finishes_the_permit(office: FakeOffice) -> None:
    office.press.broken = PrintError("encre")
    filed, _ = issue_permit(office.desk, office.filing(key="crash"))
    office.press.broken = None
    office.clock.move(minutes=1)
    again, replayed = issue_permit(office.desk, office.filing(key="crash"))

    assert replayed
    assert filed.act is not None and again.act is not None
    assert again.act.number == filed.act.number
    assert again.act.state is ActState.ISSUED


def test_the_first_recorded_document_wins(office: FakeOffice) -> None:
    office.press.broken = PrintError("encre")
    filed, _ = issue_permit(office.desk, office.filing())
    office.press.broken = None
    assert filed.act is not None
    with ThreadPoolExecutor(4) as pool:
        acts = list(pool.map(lambda _: finish_act(office.desk, filed.act.id), range(8)))  # type: ignore[union-attr]

    assert len({act.document_sha256 for act in acts if act}) == 1
    assert count(office, "document") == 1


def test_no_room_at_the_press_records_nothing(office: FakeOffice) -> None:
    office.press.is_busy = True

    with pytest.raises(PressBusy):
        issue_permit(office.desk, office.filing())
    assert count(office, "application") == 0
    assert count(office, "counter") == 0


def test_without_a_seal_no_number_is_given_and_nothing_is_recorded(office: FakeOffice) -> None:
    office.press.stopped = "Le certificat du cachet a expiré."
    for _ in range(2):
        with pytest.raises(SealingStopped):
            issue_permit(office.desk, office.filing(key="once"))
    assert count(office, "application") == count(office, "act") == count(office, "counter") == 0

    office.press.stopped = None
    filed, _ = issue_permit(office.desk, office.filing(key="once"))
    assert filed.act is not None and filed.act.number.endswith("-000001")


def test_without_a_seal_what_asks_for_a_person_is_still_referred(office: FakeOffice) -> None:
    office.press.stopped = "Le certificat du cachet a expiré."
    filed, _ = issue_permit(office.desk, office.filing(request_body("03-narrow-footway-referred")))
    assert isinstance(filed.decision, Referred)


def test_without_a_seal_a_repeated_request_is_told_what_was_recorded(office: FakeOffice) -> None:
    office.press.broken, filing = PrintError("encre"), office.filing(key="once")
    issue_permit(office.desk, filing)
    office.press.stopped = "Le certificat du cachet a expiré."
    office.clock.move(minutes=1)
    again, is_replay = issue_permit(office.desk, filing)

    assert is_replay and again.act is not None
    assert again.act.state is ActState.RESERVED


def test_two_companies_racing_for_one_spot_make_one_permit_and_one_referral(office: FakeOffice) -> None:
    def send(siret: str) -> object:
        filed, _ = issue_permit(office.desk, office.filing(siret=siret))
        return filed

    for _ in range(5):
        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(send, [SIRET, OTHER_SIRET]))
        outcomes = sorted(result.outcome for result in results)  # type: ignore[attr-defined]
        with office.register.engine.begin() as connection:
            live = connection.execute(text("SELECT count(DISTINCT worksite_key) FROM act_footprint")).scalar_one()
        assert live == 1
        assert "referred" in outcomes

    loser = next(r for r in results if r.outcome == "referred")  # type: ignore[attr-defined]
    assert isinstance(loser.decision, Referred)  # type: ignore[attr-defined]
    grounds = [g for g in loser.decision.grounds if g.rule == "OVERLAP"]  # type: ignore[attr-defined]
    assert grounds and "EX-2026-" in grounds[0].message


def test_evidence_grown_old_is_checked_again_before_sealing(office: FakeOffice) -> None:
    office.press.broken = PrintError("encre")
    filed, _ = issue_permit(office.desk, office.filing())
    office.press.broken = None
    assert filed.act is not None
    asked = len(office.registry.asked)

    office.clock.move(hours=22, minutes=59)
    assert office.desk.register.act(filed.act.id) is not None
    office.clock.move(minutes=2)
    office.registry.answers[SIRET] = open_establishment(is_open=False)
    still = finish_act(office.desk, filed.act.id)
    assert still is not None and still.state is ActState.RESERVED
    assert len(office.registry.asked) == asked + 1

    office.registry.answers[SIRET] = open_establishment()
    done = finish_act(office.desk, filed.act.id)
    assert done is not None and done.state is ActState.ISSUED


def test_fresh_evidence_is_not_asked_for_again(office: FakeOffice) -> None:
    office.press.broken = PrintError("encre")
    filed, _ = issue_permit(office.desk, office.filing())
    office.press.broken = None
    assert filed.act is not None
    asked = len(office.registry.asked)
    office.clock.move(hours=22, minutes=59)
    finish_act(office.desk, filed.act.id)

    assert len(office.registry.asked) == asked


def test_the_preview_gives_the_same_decision_and_stores_nothing(office: FakeOffice) -> None:
    filing = office.filing()
    foreseen = preview(office.desk, filing).decision
    assert count(office, "application") == 0
    filed, _ = issue_permit(office.desk, filing)

    assert isinstance(foreseen, Granted)
    assert foreseen == filed.decision


EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("*-granted.json")) + sorted(
    path.stem for path in (ROOT / "examples").glob("*-referred.json")
)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_preview_decides_and_charges_as_filing_would_in_every_case(office: FakeOffice, name: str) -> None:
    filing = office.filing(request_body(name))
    foreseen = preview(office.desk, filing).decision
    filed, _ = issue_permit(office.desk, filing)

    assert foreseen == filed.decision


def test_a_preview_is_refused_where_filing_would_be_for_want_of_numbers(office: FakeOffice) -> None:
    series = office.desk.law.rulebook.authority.series
    with_authority(office, series=series.model_copy(update={"sandbox": None}))
    for asked in (preview, issue_permit):
        with pytest.raises(ActNotPossible, match="bac à sable"):
            asked(office.desk, replace(office.filing(), sandbox=True))


class LawOfTheDay:
    """Another law on one day; the usual one on the others."""

    def __init__(self, usual: Law, day: date, other: Law) -> None:
        self._usual, self._day, self._other = usual, day, other

    def on(self, day: date) -> Law:
        return self._other if day == self._day else self._usual

    def rulebook(self, digest: str) -> Rulebook:
        raise LookupError(digest)


def test_what_was_received_is_decided_although_today_it_would_not_be_admitted(office: FakeOffice) -> None:
    usual = office.desk.law
    width = usual.rulebook.limits.footprint_min_width_m
    ((day, entry),) = width.values.items()
    wider = width.model_copy(update={"values": {day: entry.model_copy(update={"value": Decimal(9)})}})
    limits = usual.rulebook.limits.model_copy(update={"footprint_min_width_m": wider})
    other = replace(usual, rulebook=usual.rulebook.model_copy(update={"limits": limits}))
    desk = replace(office.desk, laws=LawOfTheDay(usual, date(2026, 12, 2), other))
    office.registry.is_down = True
    filed, _ = issue_permit(desk, office.filing())
    office.registry.is_down = False
    office.clock.move(days=1)
    with pytest.raises(Inadmissible):
        issue_permit(desk, office.filing())
    decide_waiting(desk, filed.filing.application_id)

    decided = office.register.application(filed.filing.application_id)
    assert decided is not None and decided.outcome == "granted"


class SlowRegistry(FakeRegistry):
    """Two seconds go by before it answers."""

    def lookup(self, siret: str, **asked: Any) -> RegistryAnswer:
        self.clock.move(seconds=2)
        return super().lookup(siret, **asked)


def test_a_preview_around_midnight_is_decided_by_the_law_of_the_day_that_begins(office: FakeOffice) -> None:
    usual = office.desk.law
    other = replace(usual, rulebook=usual.rulebook.model_copy(update={"digest": "0" * 64}))
    laws = LawOfTheDay(usual, date(2026, 12, 2), other)
    desk = replace(office.desk, laws=laws, registry=SlowRegistry(office.clock))
    for one_second_to_midnight, told in ((True, other), (False, usual)):
        office.clock.now = datetime(2026, 12, 1, 22, 59, 59 if one_second_to_midnight else 0, tzinfo=UTC)
        assert preview(desk, office.filing()).rulebook.digest == told.rulebook.digest


def test_an_unavailable_geocoder_refers_and_never_grants(office: FakeOffice) -> None:
    office.geocoder.is_down = True
    filed, _ = issue_permit(office.desk, office.filing())

    assert filed.outcome == "referred"


def test_a_silent_geocoder_is_asked_once_for_the_whole_application(office: FakeOffice) -> None:
    asked: list[str] = []

    def silent(address: str, near: object) -> None:
        asked.append(address)
        raise GeocoderUnavailable

    office.geocoder.locate = silent  # type: ignore[method-assign, assignment]
    body = request_body("02-skip-and-materials-granted")
    filed, _ = issue_permit(office.desk, office.filing(body))

    assert len(body["occupancies"]) == 2
    assert len(asked) == 1
    assert isinstance(filed.decision, Referred)
    assert [ground.rule for ground in filed.decision.grounds] == ["PLACE-ADDRESS", "PLACE-ADDRESS"]


@pytest.mark.parametrize(("east_m", "outcome"), [(45, "granted"), (70, "referred")])
def test_an_address_beyond_fifty_metres_of_the_drawing_is_referred(
    office: FakeOffice, east_m: float, outcome: str
) -> None:
    office.geocoder.moved_by = (east_m / 74_050, 0.0)
    filed, _ = issue_permit(office.desk, office.filing())

    assert filed.outcome == outcome


def test_the_first_number_of_a_year_is_one_in_paris_time(office: FakeOffice) -> None:
    body = request_body() | {"starts_on": "2027-02-08", "ends_on": "2027-02-12"}
    office.clock.now = office.clock.now.replace(month=12, day=31, hour=22, minute=59)
    before, _ = issue_permit(office.desk, office.filing(body))
    office.clock.move(minutes=1)
    after, _ = issue_permit(office.desk, office.filing(body))

    assert before.act is not None and before.act.number == "EX-2026-000001"
    assert after.act is not None and after.act.number == "EX-2027-000001"
