"""What a partner is told of a SIRET: each source's word and its age, and never what is protected."""

from datetime import timedelta

from permits.domain.establishment import Audience, Evidence, NotFound, Protected, Source, Verdict
from tests.fakes import SIRET, open_establishment
from tests.web.conftest import Api

PATH = f"/v1/establishments/{SIRET}"


def said(api: Api, source: Source, word: str, minutes_ago: int = 0) -> Evidence:
    at = api.office.clock() - timedelta(minutes=minutes_ago)
    return Evidence(source=source, fetched_at=at, sha256="0" * 64, parser="p/1", said=word, request_id="r-1")


def test_each_source_is_told_with_its_word_and_its_instant(api: Api) -> None:
    evidence = (said(api, Source.INSEE, "open", 90), said(api, Source.RECHERCHE_ENTREPRISES, "registered", 30))
    api.office.registry.answers[SIRET] = open_establishment(evidence=evidence)

    told = api.get(PATH).json()

    assert (told["verdict"], told["is_fresh"], told["age_seconds"]) == ("open", True, 5400)
    assert [(each["source"], each["said"], each["request_id"]) for each in told["evidence"]] == [
        ("insee", "open", "r-1"),
        ("recherche-entreprises", "registered", "r-1"),
    ]
    assert told["evidence"][0]["said_in_french"] == "ouvert"


def test_only_what_may_be_shown_to_everybody_is_asked_for(api: Api) -> None:
    api.get(PATH)
    assert api.office.registry.audiences == [Audience.PUBLIC]


def test_a_disagreement_is_told(api: Api) -> None:
    api.office.registry.answers[SIRET] = open_establishment(disagreement="A : ouvert ; B : fermé")
    told = api.get(PATH).json()
    assert (told["verdict"], told["disagreement"]) == (Verdict.DISPUTED, "A : ouvert ; B : fermé")


def test_a_merged_establishment_tells_both_numbers(api: Api) -> None:
    api.office.registry.answers[SIRET] = open_establishment(siret="99999018700018", asked_siret=SIRET)
    told = api.get(PATH).json()
    assert (told["siret"], told["asked_siret"], told["verdict"]) == ("99999018700018", SIRET, "merged")


def test_protected_data_of_a_partially_diffusible_person_is_never_told(api: Api) -> None:
    api.office.registry.answers[SIRET] = open_establishment(name="CAMILLE SECRETE", partially_diffusible=True)
    answer = api.get(PATH)
    assert "SECRETE" not in answer.text
    assert (answer.json()["name"], answer.json()["address"]) == (None, [])


def test_during_an_outage_the_last_known_answer_is_told_with_its_age(api: Api) -> None:
    old = open_establishment(at=api.office.clock() - timedelta(days=3))
    api.office.registry.is_down = True
    api.office.registry.stale[SIRET] = old

    told = api.get(PATH).json()

    assert (told["is_fresh"], told["age_seconds"]) == (False, 3 * 24 * 3600)


def test_during_an_outage_what_was_never_known_is_a_problem_not_a_not_found(api: Api) -> None:
    api.office.registry.is_down = True
    answer = api.get(PATH)
    assert (answer.status_code, answer.json()["code"]) == (503, "registry_unavailable")
    assert int(answer.headers["Retry-After"]) > 0


def test_a_not_found_says_who_was_asked_and_when(api: Api) -> None:
    evidence = (said(api, Source.INSEE, "not_found"),)
    api.office.registry.answers[SIRET] = NotFound(siret=SIRET, definite=True, evidence=evidence)
    answer = api.get(PATH)
    assert answer.status_code == 404
    assert "API Sirene (INSEE) le " in answer.json()["detail"]


def test_a_protected_establishment_is_not_shown(api: Api) -> None:
    api.office.registry.answers[SIRET] = Protected(siret=SIRET, evidence=(said(api, Source.INSEE, "protected"),))
    assert api.get(PATH).status_code == 404
