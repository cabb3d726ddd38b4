"""What cannot be filed at all, and what is left to the rules."""

from datetime import date

import pytest

from permits.domain.admissibility import Inadmissible, check_dates, check_registry_answer
from permits.domain.establishment import Evidence, NotFound, Protected, RegistryAnswer, Source, Standing
from tests.domain.builders import SIRET, an_application, an_establishment, some_evidence

TODAY = date(2026, 12, 21)
EVIDENCE = (some_evidence(),)


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "code", "pointer"),
    [
        ("2027-01-11", "2027-01-10", "ends_before_start", "/ends_on"),
        ("2026-12-21", "2026-12-21", "starts_too_soon", "/starts_on"),  # the day of filing
        ("2026-12-20", "2026-12-31", "starts_too_soon", "/starts_on"),
        ("2027-01-11", "2037-01-18", "period_too_long", "/ends_on"),  # 3661 days
        ("2026-12-20", "2026-12-19", "ends_before_start", "/ends_on"),
    ],
)
def test_a_period_that_makes_no_sense_is_told_at_once(starts_on: str, ends_on: str, code: str, pointer: str) -> None:
    with pytest.raises(Inadmissible) as error:
        check_dates(an_application(starts_on=starts_on, ends_on=ends_on), TODAY)
    assert (error.value.code, error.value.pointer) == (code, pointer)
    assert error.value.message.endswith(".")


@pytest.mark.parametrize(
    ("starts_on", "ends_on"),
    [("2026-12-22", "2026-12-22"), ("2027-01-11", "2027-01-11"), ("2027-01-11", "2037-01-17")],
)
def test_a_period_that_starts_tomorrow_or_lasts_ten_years_may_be_filed(starts_on: str, ends_on: str) -> None:
    check_dates(an_application(starts_on=starts_on, ends_on=ends_on), TODAY)


@pytest.mark.parametrize(
    ("answer", "code", "told"),
    [
        (NotFound(siret=SIRET, definite=True, evidence=EVIDENCE), "siret_unknown", "inconnu du registre national"),
        (an_establishment(is_open=False), "establishment_closed", "est fermé : donnez"),
        (
            an_establishment(is_open=False, closed_on=date(2026, 3, 31)),
            "establishment_closed",
            "fermé depuis le 31 mars 2026",
        ),
        (an_establishment(unit_is_active=False), "company_ceased", "a cessé son activité : donnez"),
        (
            an_establishment(unit_is_active=False, unit_ceased_on=date(2026, 6, 1)),
            "company_ceased",
            "a cessé son activité depuis le 1er juin 2026",
        ),
        (
            an_establishment(
                is_open=False, closed_on=date(2026, 1, 2), unit_is_active=False, unit_ceased_on=date(2026, 6, 1)
            ),
            "establishment_closed",
            "depuis le 2 janvier 2026",
        ),
    ],
)
def test_a_definite_answer_about_the_siret_asked_is_told_at_once(answer: RegistryAnswer, code: str, told: str) -> None:
    with pytest.raises(Inadmissible) as error:
        check_registry_answer(answer)
    assert (error.value.code, error.value.pointer) == (code, "/siret")
    assert told in error.value.message


WRONG_KEY = "99999001300023"
OPEN_API, API_ENTREPRISE = (
    some_evidence(source=Source.RECHERCHE_ENTREPRISES),
    some_evidence(source=Source.API_ENTREPRISE),
)


def test_a_number_with_a_wrong_key_that_two_sources_do_not_know_does_not_exist() -> None:
    for evidence in ((OPEN_API, API_ENTREPRISE), (API_ENTREPRISE, OPEN_API)):
        with pytest.raises(Inadmissible) as error:
            check_registry_answer(NotFound(siret=WRONG_KEY, definite=False, evidence=evidence))
        assert error.value.code == "siret_unknown"


@pytest.mark.parametrize(
    ("siret", "evidence"),
    [
        (WRONG_KEY, (OPEN_API,)),  # the other source did not answer
        (WRONG_KEY, (OPEN_API, OPEN_API)),
        (WRONG_KEY, (API_ENTREPRISE,)),  # it does not look for such a number
        (WRONG_KEY, ()),
        (SIRET, (OPEN_API, API_ENTREPRISE)),
    ],
)
def test_a_number_that_only_one_source_does_not_know_may_exist(siret: str, evidence: tuple[Evidence, ...]) -> None:
    check_registry_answer(NotFound(siret=siret, definite=False, evidence=evidence))


@pytest.mark.parametrize(
    "answer",
    [
        an_establishment(),
        NotFound(siret=SIRET, definite=False, evidence=EVIDENCE),
        Protected(siret=SIRET, evidence=EVIDENCE),
        an_establishment(name=None, partially_diffusible=True),
        an_establishment(standing=Standing.STRUCK_OFF),
        an_establishment(standing=Standing.INSOLVENCY),
        an_establishment(standing=Standing.UNKNOWN),
        an_establishment(siret="99999001300016", asked_siret=SIRET),
        # The answer is about another SIRET: it is not proof that the one asked is closed.
        an_establishment(siret="99999001300016", asked_siret=SIRET, is_open=False),
        an_establishment(siret="99999001300016", asked_siret=SIRET, unit_is_active=False),
    ],
    ids=lambda answer: type(answer).__name__,
)
def test_a_doubt_is_left_to_the_rules(answer: RegistryAnswer) -> None:
    check_registry_answer(answer)
