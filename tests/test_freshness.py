"""A decision rests on what the registry said less than 23 hours before; a late seal looks again."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

import app
from permits import acts
from permits.document.errors import PrintError
from permits.domain.act import Act, ActState
from permits.domain.establishment import NotFound, Protected, RegistryAnswer, RegistryUnavailable, Source, Standing
from permits.domain.filing import Filed
from permits.domain.place import GeocodedAddress
from permits.issue import decide_waiting, finish_act, issue_permit
from permits.jobs.worker import Worker
from permits.sirene.directory import Directory
from permits.sirene.insee import Insee
from tests.acting import BY, again, rows, turn_source, wait, with_rulebook
from tests.fakes import OTHER_SIRET, SIRET, FakeGeocoder, FakeOffice, open_establishment

DAY_LESS_AN_HOUR = timedelta(hours=23)
SECOND = timedelta(seconds=1)


def file(office: FakeOffice, **changes: Any) -> Filed:
    return issue_permit(office.desk, office.filing(**changes))[0]


def slow_geocoder(office: FakeOffice, takes: timedelta) -> None:
    """From the registry's answer to the decision, so much time goes by."""

    class Slow(FakeGeocoder):
        def locate(self, address: str, near: tuple[float, float] | None) -> GeocodedAddress | None:
            office.clock.now += takes
            return super().locate(address, near)

    office.desk = replace(office.desk, geocoder=Slow())


@pytest.mark.parametrize(("takes", "outcome"), [(0 * SECOND, "granted"), (SECOND, "awaiting_registry")])
def test_a_decision_taken_23_hours_after_the_answer_waits_and_one_second_earlier_it_is_taken(
    office: FakeOffice, takes: timedelta, outcome: str
) -> None:
    office.registry.kept_since = office.clock() - DAY_LESS_AN_HOUR + SECOND
    slow_geocoder(office, takes)

    assert file(office).outcome == outcome
    assert office.registry.max_ages == [DAY_LESS_AN_HOUR]
    granted = outcome == "granted"
    assert len(rows(office, "SELECT 1 FROM act")) == granted
    assert len(rows(office, "SELECT 1 FROM registry_wait")) == (not granted)


def test_an_answer_of_exactly_23_hours_decides_nothing(office: FakeOffice) -> None:
    office.registry.kept_since = office.clock() - DAY_LESS_AN_HOUR

    assert file(office).outcome == "awaiting_registry"


def test_a_referral_rests_on_a_fresh_answer_too(office: FakeOffice) -> None:
    office.registry.answers[SIRET] = open_establishment(standing=Standing.INSOLVENCY)
    assert file(office).outcome == "referred"
    office.registry.kept_since = office.clock() - DAY_LESS_AN_HOUR
    assert file(office).outcome == "awaiting_registry"


def test_the_oldest_of_several_answers_counts(office: FakeOffice) -> None:
    fresh = open_establishment()
    older = fresh.evidence[0].model_copy(update={"fetched_at": office.clock() - DAY_LESS_AN_HOUR})
    mixed = fresh.model_copy(update={"evidence": (*fresh.evidence, older)})
    office.registry.lookup = lambda siret, **_: mixed  # type: ignore[method-assign]

    assert file(office).outcome == "awaiting_registry"


@pytest.mark.parametrize(("hours", "asks_within"), [(24, 23), (23, 23), (12, 12), (1, 1)])
def test_a_rulebook_may_ask_for_less_than_a_day_and_never_for_more(
    office: FakeOffice, hours: int, asks_within: int
) -> None:
    limits = office.desk.law.rulebook.limits
    ((day, entry),) = limits.evidence_max_age_hours.values.items()
    shorter = {"values": {day: entry.model_copy(update={"value": hours})}}
    dated = limits.evidence_max_age_hours.model_copy(update=shorter)
    with_rulebook(office, limits=limits.model_copy(update={"evidence_max_age_hours": dated}))
    office.registry.kept_since = office.clock() - timedelta(hours=asks_within) + SECOND
    assert file(office).outcome == "granted"

    slow_geocoder(office, SECOND)
    assert file(office).outcome == "awaiting_registry"
    assert set(office.registry.max_ages) == {timedelta(hours=asks_within)}


def test_what_waited_goes_on_waiting_until_the_registry_is_asked_anew(office: FakeOffice) -> None:
    office.registry.is_down = True
    application = file(office).filing.application_id
    office.registry.is_down = False
    office.registry.kept_since = office.clock() - DAY_LESS_AN_HOUR
    with pytest.raises(RegistryUnavailable, match="too old"):
        decide_waiting(office.desk, application)
    assert len(rows(office, "SELECT 1 FROM registry_wait")) == 1

    office.clock.move(seconds=5)
    assert decide_waiting(office.desk, application)
    filed = office.register.application(application)
    assert filed is not None and filed.outcome == "granted"


# --- the second look before a late seal --------------------------------------------------------


def left_reserved(office: FakeOffice) -> Act:
    """Return a permit whose seal failed a day ago."""
    office.press.broken = PrintError("encre")
    act = file(office).act
    assert act is not None and act.state is ActState.RESERVED
    office.press.broken = None
    office.clock.move(hours=23)
    office.registry.asked.clear()
    office.registry.max_ages.clear()
    return act


ENDED: dict[str, RegistryAnswer] = {
    "closed": open_establishment(is_open=False, closed_on=date(2026, 12, 1)),
    "unit ceased": open_establishment(unit_is_active=False),
    "struck off": open_establishment(standing=Standing.STRUCK_OFF),
    "insolvent": open_establishment(standing=Standing.INSOLVENCY),
    "merged": open_establishment(OTHER_SIRET, asked_siret=SIRET),
    "not found": NotFound(siret=SIRET, definite=True, evidence=()),
    "protected": Protected(siret=SIRET, evidence=()),
    "disagreement": open_establishment(disagreement="une source le dit ouvert, l’autre fermé"),
}


@pytest.mark.parametrize("answer", ENDED.values(), ids=ENDED)
def test_what_no_longer_rests_on_an_open_establishment_stays_reserved_until_a_person_annuls_it(
    office: FakeOffice, answer: RegistryAnswer, caplog: pytest.LogCaptureFixture
) -> None:
    act = left_reserved(office)
    office.registry.answers[SIRET] = answer
    caplog.clear()
    with caplog.at_level(logging.ERROR):
        still = finish_act(office.desk, act.id)

    assert still is not None and still.state is ActState.RESERVED
    assert office.registry.max_ages == [timedelta(0)], "it is a second look, not what was kept of the first"
    (alarm,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert alarm.getMessage() == "a reserved permit no longer rests on an open establishment: annul it"
    assert alarm.__dict__["act"] == act.number
    told = app._acts(office.register, office.clock())
    assert (told.ok, told.failing) == (False, False)
    assert told.detail.startswith(f"1 numéro attend son cachet depuis plus d’une heure : {act.number} ; ")
    assert "permits annul" in told.detail

    acts.annul(office.desk, act.number, "l’établissement n’est plus ouvert", BY)
    assert again(office, act).state is ActState.ANNULLED
    assert app._acts(office.register, office.clock()).ok


def test_what_still_rests_on_an_open_establishment_is_sealed(office: FakeOffice) -> None:
    """Negative control of the one above."""
    act = left_reserved(office)
    finished = finish_act(office.desk, act.id)

    assert finished is not None and finished.state is ActState.ISSUED
    assert office.registry.asked == [SIRET]


def test_repeating_the_request_does_not_ask_the_registry_again(office: FakeOffice) -> None:
    office.press.broken = PrintError("encre")
    file(office, key="patient")
    office.press.broken = None
    office.clock.move(hours=23)
    office.registry.answers[SIRET] = ENDED["closed"]
    office.registry.asked.clear()
    for _ in range(3):
        filed = file(office, key="patient")
        assert filed.act is not None and filed.act.state is ActState.RESERVED

    assert office.registry.asked == []


def run_until(office: FakeOffice, condition: Callable[[], bool]) -> None:
    """Run the jobs until something is so. Their instants are the database's: all are due."""
    with office.register.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE jobs.procrastinate_jobs SET scheduled_at = now()")
    worker = Worker(office.desk, office.register.engine, office.register.authority, first_wait_s=1)
    worker.start()
    try:
        assert wait(condition)
    finally:
        worker.stop()


def finish_jobs(office: FakeOffice) -> list[Any]:
    return rows(office, "SELECT attempts FROM jobs.procrastinate_jobs WHERE task_name = 'finish_permit'")


def test_the_job_looks_once_and_leaves_the_rest_to_a_person(office: FakeOffice) -> None:
    act = left_reserved(office)
    office.registry.answers[SIRET] = ENDED["closed"]
    run_until(office, lambda: finish_jobs(office) == [])

    assert office.registry.asked == [SIRET]
    assert again(office, act).state is ActState.RESERVED


def test_the_job_goes_on_until_the_registry_answers(office: FakeOffice) -> None:
    act = left_reserved(office)
    office.registry.is_down = True
    run_until(office, lambda: len(office.registry.asked) >= 2)
    assert len(finish_jobs(office)) == 1
    assert again(office, act).state is ActState.RESERVED

    office.registry.is_down = False
    run_until(office, lambda: finish_jobs(office) == [])
    assert again(office, act).state is ActState.ISSUED


def test_not_found_where_that_proves_nothing_is_an_outage_and_no_reason_to_annul(office: FakeOffice) -> None:
    act = left_reserved(office)
    office.registry.forgets(SIRET, definite=False)
    run_until(office, lambda: len(office.registry.asked) >= 2)
    assert len(finish_jobs(office)) == 1

    office.registry.answers.clear()
    run_until(office, lambda: finish_jobs(office) == [])
    assert again(office, act).state is ActState.ISSUED


# --- what /readyz tells ------------------------------------------------------------------------


def test_readiness_names_five_numbers_and_counts_the_others(office: FakeOffice) -> None:
    office.press.broken = PrintError("encre")
    for _ in range(7):
        file(office)
    assert app._acts(office.register, office.clock() + timedelta(hours=1)).ok
    told = app._acts(office.register, office.clock() + timedelta(hours=1, seconds=1))

    named = ", ".join(f"EX-2026-{n:06}" for n in range(1, 6))
    assert told.detail.startswith(f"7 numéros attendent leur cachet depuis plus d’une heure : {named}, … ; ")
    assert not told.ok and not told.failing


def test_readiness_tells_which_source_is_left_alone(office: FakeOffice) -> None:
    directory = Directory([Insee("http://127.0.0.1:9", SecretStr("clef"), contact="a@b.example")])
    (well,) = app._registries(office.register, directory, asks_database=True)
    turn_source(office, source=Source.INSEE, off=True)
    (off,) = app._registries(office.register, directory, asks_database=True)
    (untold,) = app._registries(office.register, directory, asks_database=False)

    assert (well.name, well.ok, well.detail) == ("registry:insee", True, "sans incident")
    assert (off.ok, off.failing, off.detail) == (False, False, "laissée de côté depuis le 2026-12-01 10:00")
    assert untold.ok


def test_readiness_tells_how_many_wait_and_since_when(office: FakeOffice) -> None:
    assert app._waiting(office.register).ok
    office.registry.is_down = True
    file(office)
    assert app._waiting(office.register).detail.startswith("1 demande attend le registre, la plus ancienne depuis ")
    office.clock.move(hours=1)
    file(office)
    told = app._waiting(office.register)

    assert told.detail.startswith("2 demandes attendent le registre, la plus ancienne depuis le 2026-12-01 10:00")
    assert not told.ok and not told.failing
