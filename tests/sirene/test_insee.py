"""What INSEE says, and what is made of it."""

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
import respx
from pydantic import SecretStr

from permits.domain.establishment import Audience, Establishment, NotFound, Protected, RegistryAnswer, Source, Standing
from permits.sirene.budget import Budget
from permits.sirene.errors import SourceMisconfigured, SourceUnavailable
from permits.sirene.insee import QUOTA, Insee
from tests.sirene.clock import StoppedClock
from tests.sirene.sirene_311 import SIRET, address, period, person, refusal, sirene, unit, without_nulls
from tests.sirene.words import found, told

KEY = "a-key-nobody-may-see"
BASE = "https://insee.test/api-sirene/3.11"
OTHER = "99999018700018"

Ask = Callable[[], RegistryAnswer]


@pytest.fixture
def insee(stopped: StoppedClock) -> Iterator[Insee]:
    source = Insee(BASE, SecretStr(KEY), contact="mailto:test@exemple.example", clock=stopped.clock)
    yield source
    source.close()


@pytest.fixture
def ask(insee: Insee, stopped: StoppedClock) -> Ask:
    return lambda: insee.lookup(SIRET, Audience.AUTHORITY, Budget(stopped.clock))


@pytest.fixture
def route(network: respx.MockRouter) -> respx.Route:
    return network.get(f"{BASE}/siret/{SIRET}")


def test_an_open_establishment_of_an_active_company(route: respx.Route, ask: Ask) -> None:
    route.respond(200, json=sirene())
    said = found(ask())
    assert said.name == "ECHAFAUDAGES DU MODELE"
    assert said.address == ("12 RUE DES EXEMPLES", "29999 EXEMPLE-VILLE")
    assert (said.commune_code, said.activity_code, said.legal_form) == ("29999", "4399D", "5710")
    assert (said.is_open, said.closed_on, said.unit_is_active, said.unit_ceased_on) == (True, None, True, None)
    assert not said.partially_diffusible
    assert not said.was_merged


def test_it_knows_nothing_of_the_trade_register(route: respx.Route, ask: Ask) -> None:
    route.respond(200, json=sirene())
    assert found(ask()).standing == Standing.UNKNOWN


def test_it_is_asked_with_its_key_and_with_nothing_else(route: respx.Route, ask: Ask) -> None:
    route.respond(200, json=sirene())
    ask()
    request = route.calls.last.request
    assert request.headers["X-INSEE-Api-Key-Integration"] == KEY
    assert "Authorization" not in request.headers
    assert KEY not in str(request.url)


def test_its_quota_is_thirty_a_minute(route: respx.Route, insee: Insee, stopped: StoppedClock) -> None:
    route.respond(200, json=sirene())
    for _ in range(QUOTA.calls):
        insee.lookup(SIRET, Audience.AUTHORITY, Budget(stopped.clock))
    said = told(lambda: insee.lookup(SIRET, Audience.AUTHORITY, Budget(stopped.clock)))
    assert (said, route.call_count) == ("erreur : its quota of calls is used up", 30)


def test_the_answer_is_kept_as_evidence_with_the_day_of_its_data(
    route: respx.Route, ask: Ask, stopped: StoppedClock
) -> None:
    body = json.dumps(sirene()).encode()
    route.respond(200, content=body, headers={"X-Request-ID": "abc-1"})
    [evidence] = found(ask()).evidence
    assert evidence.source == Source.INSEE
    assert evidence.sha256 == hashlib.sha256(body).hexdigest()
    assert (evidence.request_id, evidence.said, evidence.fetched_at) == ("abc-1", "open", stopped.now())
    # The later of the establishment's and of its unit's, on the clock of Paris.
    assert evidence.source_updated_at == datetime(2026, 5, 17, 9, 12, 35, tzinfo=ZoneInfo("Europe/Paris"))


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_current_period_is_the_one_without_an_end_wherever_it_is(route: respx.Route, ask: Ask, place: int) -> None:
    periods = [period("A", "2008-01-01", "2019-12-31"), period("A", "2000-01-01", "2007-12-31")]
    periods.insert(place, period("F", "2020-01-01"))
    route.respond(200, json=sirene(periodesEtablissement=periods))
    assert (found(ask()).is_open, found(ask()).closed_on) == (False, date(2020, 1, 1))


@pytest.mark.parametrize(
    ("periods", "closed_on"),
    [
        ([period("F", "2010-12-25", changed=False), period("F", "2005-12-31", "2010-12-24")], date(2005, 12, 31)),
        ([period("F", None, changed=False)], None),
        ([period("F", "2020-01-01", changed=False), period("A", "2010-01-01", "2019-12-31")], None),
        (
            [
                period("F", "2020-01-01"),
                period("A", "2010-01-01", "2019-12-31"),
                period("F", "2005-01-01", "2009-12-31"),
            ],
            date(2020, 1, 1),
        ),
        ([period("F", "2020-01-01"), period("F", "2012-01-01", "2019-12-31")], date(2020, 1, 1)),
        ([period("F", "1900-01-01")], None),
        ([period("F", "0002-01-01")], None),
        ([period("F", "2020-13-45")], None),
    ],
    ids=[
        "another-activity-since",
        "never-told",
        "told-of-the-opening-only",
        "closed-twice",
        "closings-in-a-row",
        "day-unknown",
        "absurd-year",
        "no-day",
    ],
)
def test_the_closing_day_is_that_of_the_last_change_of_state(
    route: respx.Route, ask: Ask, periods: list[dict[str, Any]], closed_on: date | None
) -> None:
    route.respond(200, json=sirene(periodesEtablissement=periods))
    assert (found(ask()).is_open, found(ask()).closed_on) == (False, closed_on)


def test_an_establishment_closed_and_open_again_is_open(route: respx.Route, ask: Ask) -> None:
    periods = [period("A", "2020-01-01"), period("F", "2015-01-01", "2019-12-31"), period("A", "2000-01-01")]
    periods[2]["dateFin"] = "2014-12-31"
    route.respond(200, json=sirene(periodesEtablissement=periods))
    assert told(ask) == "ouvert"


@pytest.mark.parametrize(
    "periods",
    [
        [],
        None,
        [period("A", "2010-01-01", "2019-12-31")],
        [period(None, "2010-01-01")],
        [period("X", "2010-01-01")],
        [period("A", "2010-01-01"), period("F", "2012-01-01")],
    ],
    ids=["none", "null", "no-current-one", "no-state", "another-state", "two-that-disagree"],
)
def test_periods_that_do_not_tell_the_state_are_unusable(
    route: respx.Route, ask: Ask, periods: list[dict[str, Any]] | None
) -> None:
    route.respond(200, json=sirene(periodesEtablissement=periods))
    assert told(ask) == "erreur : unusable answer: establishment of another shape"


def test_a_ceased_unit_is_told_apart_from_a_closed_establishment(route: respx.Route, ask: Ask) -> None:
    route.respond(200, json=sirene(uniteLegale=unit(etatAdministratif="C")))
    assert told(ask) == "ouvert, entreprise cessée"


def test_an_establishment_in_a_list_is_the_one_of_that_siret(route: respx.Route, ask: Ask) -> None:
    one = sirene()["etablissement"]
    route.respond(200, json={"header": {"statut": 200}, "etablissements": [one | {"siret": OTHER}, one]})
    assert told(ask) == "ouvert"
    unusable: list[object] = [[], [one | {"siret": OTHER}], [one, one], ["x"], {}]
    for several in unusable:
        route.respond(200, json={"header": {"statut": 200}, "etablissements": several})
        assert told(ask) == "erreur : unusable answer: establishment of another shape"


def test_keys_left_out_are_read_as_nulls(route: respx.Route, ask: Ask) -> None:
    route.respond(200, json=sirene())
    whole = found(ask())
    route.respond(200, json=without_nulls(sirene()))
    assert found(ask()).model_copy(update={"evidence": whole.evidence}) == whole


@pytest.mark.parametrize(
    ("names", "name"),
    [
        ({}, "CAMILLE EXEMPLE"),
        ({"prenomUsuel": None}, "CAMILLE EXEMPLE"),
        ({"prenomUsuel": "SACHA", "nomUsage": "DE L'ESSAI"}, "SACHA DE L'ESSAI"),
        ({"prenom1": None, "prenomUsuel": None}, "EXEMPLE"),
        ({"nom": "[ND]"}, None),
        ({"nomUsage": "[ND]"}, None),
        ({"prenom1": "[ND]", "prenomUsuel": "[ND]", "nom": "[ND]", "nomUsage": "[ND]", "denomination": "[ND]"}, None),
        ({"nom": None, "prenom1": None, "prenomUsuel": None}, None),
    ],
)
def test_a_natural_person_is_named_in_full_or_not_at_all(
    route: respx.Route, ask: Ask, names: dict[str, object], name: str | None
) -> None:
    route.respond(200, json=sirene(uniteLegale=person(**names)))
    said = found(ask())
    assert (said.name, said.is_about_a_person) == (name, True)


@pytest.mark.parametrize("status", ["P", "N", None, "X", 7])
@pytest.mark.parametrize("where", ["unit", "establishment"])
def test_what_is_not_diffusible_to_all_is_protected_whole(
    route: respx.Route, ask: Ask, status: object, where: str
) -> None:
    body = sirene(uniteLegale=unit(statutDiffusion=status)) if where == "unit" else sirene()
    if where == "establishment":
        body["etablissement"]["statutDiffusionEtablissement"] = status
    route.respond(200, json=body)
    assert found(ask()).partially_diffusible


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({"indiceRepetition": "B"}, ("12 B RUE DES EXEMPLES", "29999 EXEMPLE-VILLE")),
        (
            {"complementAdresse": "ETAGE 1", "distributionSpeciale": "BP 12"},
            ("ETAGE 1", "12 RUE DES EXEMPLES", "BP 12", "29999 EXEMPLE-VILLE"),
        ),
        (
            {"codeCedex": "29998", "libelleCedex": "EXEMPLE CEDEX 1"},
            ("12 RUE DES EXEMPLES", "29998 EXEMPLE CEDEX 1"),
        ),
        ({"numeroVoie": None, "typeVoie": None, "libelleVoie": "LE BOURG"}, ("LE BOURG", "29999 EXEMPLE-VILLE")),
        (
            {
                "codePostal": None,
                "libelleCommune": None,
                "codeCommune": None,
                "libelleCommuneEtranger": "EXAMPLETOWN",
                "libellePaysEtranger": "ROYAUME-UNI",
            },
            ("12 RUE DES EXEMPLES", "EXAMPLETOWN", "ROYAUME-UNI"),
        ),
        ({"libelleVoie": "[ND]"}, ()),
        ({"numeroVoie": ["12"]}, ()),
        ({"libelleCommune": {"nom": "EXEMPLE-VILLE"}}, ()),
        ({"numeroVoie": "[ND]", "typeVoie": "[ND]", "libelleVoie": "[ND]", "codePostal": "[ND]"}, ()),
    ],
)
def test_an_address_is_in_postal_lines_or_hidden_whole(
    route: respx.Route, ask: Ask, changes: dict[str, object], lines: tuple[str, ...]
) -> None:
    route.respond(200, json=sirene(adresseEtablissement=address(**changes)))
    assert found(ask()).address == lines


def test_the_activity_is_given_in_the_nomenclature_of_the_other_sources(route: respx.Route, ask: Ask) -> None:
    for nomenclature, code in (("NAFRev2", "4399D"), ("NAF2025", None), ("NAF1993", None), (None, None)):
        now = period("A", "2015-06-01") | {"nomenclatureActivitePrincipaleEtablissement": nomenclature}
        route.respond(200, json=sirene(periodesEtablissement=[now]))
        assert found(ask()).activity_code == code


def test_an_unknown_siret_is_definitely_not_found(route: respx.Route, ask: Ask) -> None:
    route.respond(404, json=refusal(404))
    answer = ask()
    assert isinstance(answer, NotFound)
    assert (answer.siret, answer.definite, answer.evidence[0].said) == (SIRET, True, "not_found")


def test_a_protected_establishment_is_held_but_not_told(route: respx.Route, ask: Ask) -> None:
    route.respond(403, json=refusal(403))
    assert isinstance(ask(), Protected)


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (404, {"message": "No context-path matches the request URI.", "http_status_code": 404}, "does not come from"),
        (404, refusal(200), "does not come from"),
        (404, {}, "does not come from"),
        (200, refusal(404), "says another status"),
        (200, sirene() | {"header": {"statut": 500}}, "says another status"),
        (200, refusal(200), "another shape"),
        (200, sirene(siret=OTHER), "another SIRET"),
        (200, sirene(siret=13), "another shape"),
        (200, sirene(siret=99999001300024.0), "another shape"),
        (200, sirene(uniteLegale=None), "another shape"),
        (200, sirene(uniteLegale=unit(etatAdministratif=None)), "another shape"),
        (200, sirene(uniteLegale=unit(etatAdministratif="F")), "another shape"),
        (500, refusal(500), "HTTP 500"),
        (503, refusal(503), "HTTP 503"),
        (429, {}, "HTTP 429"),
        (302, {}, "HTTP 302"),
    ],
)
def test_what_is_not_an_answer_about_that_siret_is_an_outage(
    route: respx.Route, ask: Ask, status: int, body: dict[str, Any], reason: str
) -> None:
    route.respond(status, json=body)
    with pytest.raises(SourceUnavailable, match=reason):
        ask()


@pytest.mark.parametrize(
    ("status", "body"), [(400, refusal(400)), (401, {}), (403, {}), (403, refusal(404)), (406, refusal(406))]
)
def test_a_refusal_of_our_key_or_of_our_request_is_told_to_the_operator(
    route: respx.Route, ask: Ask, status: int, body: dict[str, Any]
) -> None:
    route.respond(status, json=body)
    with pytest.raises(SourceMisconfigured):
        ask()
    assert route.call_count == 1


class Merged:
    """A SIRET merged into another, as one test wants it."""

    def __init__(self, network: respx.MockRouter, route: respx.Route) -> None:
        self.asked = route
        self.target = network.get(f"{BASE}/siret/{OTHER}")
        self.leads_to(f"https://api.insee.fr/entreprises/sirene/ws/siret/{OTHER}")
        self.target.respond(200, json=sirene(siret=OTHER))

    def leads_to(self, location: str, body: dict[str, Any] | None = None) -> None:
        self.asked.respond(301, json=refusal(301) if body is None else body, headers={"Location": location})


@pytest.fixture
def merged(network: respx.MockRouter, route: respx.Route) -> Merged:
    return Merged(network, route)


def test_a_merged_siret_keeps_both_numbers_and_both_proofs(merged: Merged, ask: Ask) -> None:
    said = found(ask())
    assert (said.siret, said.asked_siret, said.was_merged) == (OTHER, SIRET, True)
    assert [evidence.said for evidence in said.evidence] == ["merged", "merged"]
    assert len({evidence.sha256 for evidence in said.evidence}) == 2


@pytest.mark.parametrize(
    "location",
    [
        f"/siret/{OTHER}",
        f"https://elsewhere.test/any/path/{OTHER}",
        f"//elsewhere.test/{OTHER}/",
        f"https://elsewhere.test/siret/{OTHER}?key=x",
    ],
)
def test_the_key_never_travels_elsewhere(merged: Merged, network: respx.MockRouter, ask: Ask, location: str) -> None:
    elsewhere = network.route(host="elsewhere.test").respond(200, json=sirene(siret=OTHER))
    merged.leads_to(location, body={})
    assert found(ask()).siret == OTHER
    assert not elsewhere.called
    assert {call.request.url.host for call in network.calls} == {"insee.test"}


@pytest.mark.parametrize(
    "location",
    [
        "",
        "/",
        "/siret/",
        "/siren/999990187",
        f"/siret/{OTHER}/adresse",
        f"/siret/{SIRET}",
        f"/siret/{OTHER}0",
        f"/?siret=/{OTHER}",
        "http://[bad",
        "é" * 3,
    ],
)
def test_a_redirection_to_no_other_siret_is_an_outage(merged: Merged, ask: Ask, location: str) -> None:
    merged.asked.respond(301, json=refusal(301), headers={b"Location": location.encode()})
    with pytest.raises(SourceUnavailable, match="redirection to no other SIRET"):
        ask()
    assert not merged.target.called


def test_a_redirection_without_a_location_is_an_outage(merged: Merged, ask: Ask) -> None:
    merged.asked.respond(301, json=refusal(301))
    with pytest.raises(SourceUnavailable, match="redirection to no other SIRET"):
        ask()


def test_a_second_redirection_is_not_followed(merged: Merged, ask: Ask) -> None:
    merged.target.respond(301, json=refusal(301), headers={"Location": f"/siret/{SIRET}"})
    with pytest.raises(SourceUnavailable, match="redirection after a redirection"):
        ask()
    assert (merged.asked.call_count, merged.target.call_count) == (1, 1)


def test_a_siret_merged_into_nobody_is_an_outage_and_never_unknown(merged: Merged, ask: Ask) -> None:
    merged.target.respond(404, json=refusal(404))
    with pytest.raises(SourceUnavailable, match="merged into a SIRET that it does not hold"):
        ask()


def test_a_siret_merged_into_a_protected_one_is_protected(merged: Merged, ask: Ask) -> None:
    merged.target.respond(403, json=refusal(403))
    answer = ask()
    assert isinstance(answer, Protected)
    assert (answer.siret, len(answer.evidence)) == (SIRET, 2)


def test_an_outage_after_the_redirection_is_an_outage(merged: Merged, ask: Ask) -> None:
    merged.target.respond(502)
    with pytest.raises(SourceUnavailable, match="HTTP 502"):
        ask()


def test_both_calls_share_one_budget(merged: Merged, ask: Ask, stopped: StoppedClock) -> None:
    def slowly(_: httpx.Request) -> httpx.Response:
        stopped.elapsed_s += 7.9
        return httpx.Response(301, headers={"Location": f"/siret/{OTHER}"})

    merged.asked.mock(side_effect=slowly)
    assert isinstance(ask(), Establishment)
    assert merged.target.calls.last.request.extensions["timeout"]["read"] == pytest.approx(0.1)


def test_neither_the_key_nor_the_siret_is_logged(
    route: respx.Route, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="permits")
    route.respond(401)
    with pytest.raises(SourceMisconfigured) as caught:
        ask()
    assert "insee" in caplog.text
    assert KEY not in caplog.text + str(caught.value)
    assert SIRET not in caplog.text + str(caught.value)
