"""What the reference source says, and what is made of it."""

import hashlib
import json
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
import respx
from pydantic import SecretStr

from permits.domain.establishment import Establishment, NotFound, Protected, Source, Standing
from permits.sirene.api_entreprise import ApiEntreprise
from permits.sirene.errors import SourceMisconfigured, SourceUnavailable
from tests.sirene.answers import SIREN, SIRET, bent, error, establishment, extract, recorded
from tests.sirene.asking import Alone
from tests.sirene.clock import StoppedClock

OTHER_SIRET = "30613890001294"


class Registry:
    """API Entreprise as one test wants it: two routes."""

    def __init__(self, network: respx.MockRouter, source: Alone) -> None:
        self.sirene = network.get(path=f"/v4/insee/sirene/etablissements/{SIRET}")
        self.kbis = network.get(path__regex=r"/v3/infogreffe/rcs/unites_legales/\d{9}/extrait_kbis")
        self._source = source
        self.answers()

    def answers(self, sirene: dict[str, Any] | None = None, kbis: dict[str, Any] | None = None) -> None:
        self.sirene.respond(200, json=sirene or establishment())
        self.kbis.respond(200, json=kbis or extract())

    def lookup(self) -> Establishment:
        answer = self._source.lookup(SIRET)
        assert isinstance(answer, Establishment)
        return answer


@pytest.fixture
def registry(network: respx.MockRouter, api_entreprise: Alone) -> Registry:
    return Registry(network, api_entreprise)


def test_an_open_establishment_of_a_registered_company(registry: Registry) -> None:
    found = registry.lookup()
    assert found.name == "SOCIETE NATIONALE SNCF"
    assert found.address == ("2 PLACE AUX ETOILES", "93210 SAINT-DENIS")
    assert (found.commune_code, found.activity_code, found.legal_form) == ("93066", "4910Z", "5599")
    assert (found.is_open, found.unit_is_active) == (True, True)
    assert (found.standing, found.standing_since) == (Standing.REGISTERED, None)
    assert not found.partially_diffusible
    assert not found.was_merged


def test_both_answers_are_kept_as_evidence(registry: Registry, stopped: StoppedClock) -> None:
    body = json.dumps(establishment()).encode()
    registry.sirene.respond(200, content=body, headers={"X-Request-ID": "abc-1"})
    sirene, kbis = registry.lookup().evidence
    assert sirene.source == kbis.source == Source.API_ENTREPRISE
    assert sirene.sha256 == hashlib.sha256(body).hexdigest()
    assert sirene.request_id == "abc-1"
    assert sirene.fetched_at == stopped.now()
    assert sirene.source_updated_at == datetime(2022, 8, 29, tzinfo=ZoneInfo("Europe/Paris"))
    assert sirene.parser != kbis.parser


def test_a_closed_establishment_has_its_day_and_the_trade_register_is_not_asked(registry: Registry) -> None:
    closed = bent(establishment(), data__etat_administratif="F", data__date_fermeture=816390000)
    registry.answers(sirene=closed)
    found = registry.lookup()
    assert (found.is_open, found.closed_on, found.unit_is_active) == (False, date(1995, 11, 15), True)
    assert found.standing == Standing.UNKNOWN
    assert not registry.kbis.called


def test_a_closed_establishment_may_have_no_day(registry: Registry) -> None:
    registry.answers(sirene=bent(establishment(), data__etat_administratif="F"))
    assert (registry.lookup().is_open, registry.lookup().closed_on) == (False, None)


def test_an_open_establishment_that_carries_a_closing_day_is_open(registry: Registry) -> None:
    registry.answers(sirene=bent(establishment(), data__date_fermeture=816390000))
    assert (registry.lookup().is_open, registry.lookup().closed_on) == (True, None)


def test_a_ceased_unit_is_told_apart_from_a_closed_establishment(registry: Registry) -> None:
    registry.answers(sirene=bent(establishment(), data__unite_legale__etat_administratif="C"))
    found = registry.lookup()
    assert (found.is_open, found.unit_is_active) == (True, False)
    assert not registry.kbis.called


def test_a_company_struck_off_while_sirene_holds_it_active(registry: Registry) -> None:
    registry.answers(kbis=bent(extract(), data__date_radiation="2025-11-03"))
    found = registry.lookup()
    assert found.unit_is_active
    assert (found.standing, found.standing_since) == (Standing.STRUCK_OFF, date(2025, 11, 3))


def test_a_striking_off_whose_day_cannot_be_read_is_a_striking_off(registry: Registry) -> None:
    registry.answers(kbis=bent(extract(), data__date_radiation="03/11/2025"))
    found = registry.lookup()
    assert (found.standing, found.standing_since) == (Standing.STRUCK_OFF, None)


@pytest.mark.parametrize(
    "told",
    [
        "Jugement d'ouverture d'une procédure de sauvegarde",
        "MISE EN REDRESSEMENT JUDICIAIRE",
        "Jugement prononçant la liquidation judiciaire",
        "Nomination du liquidateur",
        "DATE DE CESSATION DES PAIEMENTS : 01/02/2026",
        "Ouverture d'une proce\u0301dure   collective",
    ],
)
def test_an_observation_tells_of_insolvency(registry: Registry, told: str) -> None:
    seen = [{"numero": "1", "libelle": told, "date": "2026-02-17"}, {"numero": "2", "libelle": None, "date": None}]
    registry.answers(kbis=bent(extract(), data__observations=seen))
    found = registry.lookup()
    assert (found.standing, found.standing_since) == (Standing.INSOLVENCY, date(2026, 2, 17))


def test_other_observations_tell_nothing(registry: Registry) -> None:
    assert "AUCUNE ACTIVITE" in extract()["data"]["observations"][0]["libelle"]
    assert registry.lookup().standing == Standing.REGISTERED


def test_a_unit_the_trade_register_does_not_hold_is_not_registered(registry: Registry) -> None:
    registry.kbis.respond(404, json=error("02003"))
    assert registry.lookup().standing == Standing.NOT_REGISTERED


def test_a_siren_whose_digits_the_trade_register_refuses_leaves_its_standing_unknown(registry: Registry) -> None:
    registry.kbis.respond(422, json=error("00301"))
    assert registry.lookup().standing == Standing.UNKNOWN


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(502, json=error("02001")),
        httpx.Response(404, text="<h1>Not Found</h1>"),
        httpx.Response(451, json=error("02005")),
        httpx.Response(200, json={}),
        httpx.Response(200, json={"data": {"siren": SIREN, "observations": []}}),
        httpx.Response(200, json=bent(extract(), data__siren="130025265")),
    ],
    ids=["outage", "foreign-404", "451", "empty", "no-date-key", "other-company"],
)
def test_without_the_trade_register_nothing_is_known(registry: Registry, answer: httpx.Response) -> None:
    registry.kbis.mock(return_value=answer)
    with pytest.raises(SourceUnavailable):
        registry.lookup()


def test_without_the_right_to_the_trade_register_the_operator_is_told(registry: Registry) -> None:
    registry.kbis.respond(403, json=error("00100"))
    with pytest.raises(SourceMisconfigured):
        registry.lookup()


def test_both_calls_share_one_budget(registry: Registry, stopped: StoppedClock) -> None:
    def slowly(_: httpx.Request) -> httpx.Response:
        stopped.elapsed_s += 7.9
        return httpx.Response(200, json=establishment())

    registry.sirene.mock(side_effect=slowly)
    registry.lookup()
    timeout = registry.kbis.calls.last.request.extensions["timeout"]
    assert timeout["read"] == pytest.approx(0.1)


def test_an_unknown_siret_is_definitely_not_found(registry: Registry, api_entreprise: Alone) -> None:
    registry.sirene.respond(404, json=error("01003"))
    answer = api_entreprise.lookup(SIRET)
    assert isinstance(answer, NotFound)
    assert answer.definite


def test_a_number_whose_digits_the_gate_refuses_is_not_found_without_certainty(
    registry: Registry, api_entreprise: Alone
) -> None:
    registry.sirene.respond(422, json=error("00302"))
    answer = api_entreprise.lookup(SIRET)
    assert isinstance(answer, NotFound)
    assert not answer.definite


def test_a_protected_establishment_is_held_but_not_told(registry: Registry, api_entreprise: Alone) -> None:
    registry.sirene.respond(451, json=error("01005"))
    assert isinstance(api_entreprise.lookup(SIRET), Protected)


def test_an_answer_about_another_siret_is_unusable(registry: Registry) -> None:
    registry.answers(sirene=bent(establishment(), data__siret=OTHER_SIRET))
    with pytest.raises(SourceUnavailable, match="another SIRET"):
        registry.lookup()


def test_a_redirect_from_yet_another_siret_is_unusable(registry: Registry) -> None:
    stray = bent(establishment(), data__siret=OTHER_SIRET, meta__redirect_from_siret="13002526500013")
    registry.answers(sirene=stray)
    with pytest.raises(SourceUnavailable, match="another SIRET"):
        registry.lookup()


def test_a_merged_siret_keeps_both_numbers_and_asks_about_the_new_company(
    registry: Registry, network: respx.MockRouter
) -> None:
    merged = bent(establishment(), data__siret=OTHER_SIRET, meta__redirect_from_siret=SIRET)
    registry.answers(sirene=merged, kbis=bent(extract(), data__siren=OTHER_SIRET[:9]))
    found = registry.lookup()
    assert (found.siret, found.asked_siret, found.was_merged) == (OTHER_SIRET, SIRET, True)
    assert OTHER_SIRET[:9] in registry.kbis.calls.last.request.url.path


@pytest.mark.parametrize("state", [None, "X", "C", 1])
def test_a_state_that_is_not_known_is_unusable(registry: Registry, state: object) -> None:
    registry.answers(sirene=bent(establishment(), data__etat_administratif=state))
    with pytest.raises(SourceUnavailable):
        registry.lookup()


def test_a_natural_person_is_named_by_first_and_last_name(registry: Registry) -> None:
    person = {"prenom_usuel": "MAXIME", "prenom_1": "LAURENT", "nom_usage": "MARTIN", "nom_naissance": "DUPONT"}
    registry.answers(
        sirene=bent(
            establishment(),
            data__unite_legale__type="personne_physique",
            data__unite_legale__personne_physique_attributs=person,
        )
    )
    assert registry.lookup().name == "MAXIME MARTIN"


@pytest.mark.parametrize("mask", ["[ND]", "[NON-DIFFUSIBLE]"])
def test_a_mask_is_never_a_name_nor_an_address(registry: Registry, mask: str) -> None:
    masked = bent(
        establishment(),
        data__unite_legale__personne_morale_attributs__raison_sociale=mask,
        data__adresse__acheminement_postal__l4=mask,
    )
    registry.answers(sirene=masked)
    found = registry.lookup()
    assert (found.name, found.address) == (None, ())
    assert found.commune_code == "93066"


@pytest.mark.parametrize("hidden", ["prenom_usuel", "nom_naissance"])
def test_half_a_masked_person_has_no_name(registry: Registry, hidden: str) -> None:
    person = {"prenom_usuel": "AURELIE", "nom_naissance": "MOREAU", hidden: "[ND]"}
    registry.answers(
        sirene=bent(
            establishment(),
            data__unite_legale__type="personne_physique",
            data__unite_legale__personne_physique_attributs=person,
        )
    )
    assert registry.lookup().name is None


@pytest.mark.parametrize("hostile", ["ACME\u202e SAS", "A\u200bCME", "\ud800", "A" * 5000, "   "])
def test_a_name_made_to_deceive_counts_as_masked(registry: Registry, hostile: str) -> None:
    path = "data__unite_legale__personne_morale_attributs__raison_sociale"
    registry.sirene.respond(200, content=json.dumps(bent(establishment(), **{path: hostile})))
    assert registry.lookup().name is None


def test_a_name_is_trimmed_and_composed(registry: Registry) -> None:
    path = "data__unite_legale__personne_morale_attributs__raison_sociale"
    registry.answers(sirene=bent(establishment(), **{path: "  E\u0301CHAFAUDAGES \n DU  PORT "}))
    assert registry.lookup().name == "ÉCHAFAUDAGES DU PORT"


@pytest.mark.parametrize(
    "path", ["data__status_diffusion", "data__unite_legale__status_diffusion", "data__adresse__status_diffusion"]
)
@pytest.mark.parametrize("status", ["partiellement_diffusible", "non_diffusible", None])
def test_partial_diffusion_anywhere_protects_the_whole(registry: Registry, path: str, status: str | None) -> None:
    registry.answers(sirene=bent(establishment(), **{path: status}))
    assert registry.lookup().partially_diffusible


def test_an_address_abroad_keeps_its_country(registry: Registry) -> None:
    registry.answers(sirene=bent(establishment(), data__adresse__acheminement_postal__l7="ROYAUME-UNI"))
    assert registry.lookup().address[-1] == "ROYAUME-UNI"


def test_an_object_longer_than_the_source_takes_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="50"):
        ApiEntreprise("https://x.test", SecretStr("t"), "13002526500013", contact="a@b", object_="x" * 51)


@pytest.mark.parametrize(
    ("sample", "name"),
    [
        ("200.yaml", "DIRECTION INTERMINISTERIELLE DU NUMERIQUE"),
        ("association.yaml", "CROIX ROUGE FRANCAISE"),
        ("personne_morale.yaml", "SOCIETE NATIONALE SNCF"),
        ("personne_morale_etat_cesse.yaml", "SCI SERGENT"),
        ("personne_physique_diffusible.yaml", "MAXIME DUPONT"),
        ("personne_physique_non-diffusible.yaml", "AURELIE MOREAU"),
    ],
)
def test_every_recorded_establishment_is_read(
    network: respx.MockRouter, api_entreprise: Alone, sample: str, name: str
) -> None:
    body = recorded(f"api-entreprise/etablissements/{sample}")
    siret = body["data"]["siret"]
    network.get(path=f"/v4/insee/sirene/etablissements/{siret}").respond(200, json=body)
    network.get(path__regex=r".*/extrait_kbis").respond(404, json=recorded("api-entreprise/extraits_rcs/404.yaml"))
    found = api_entreprise.lookup(siret)
    assert isinstance(found, Establishment)
    assert (found.siret, found.name) == (siret, name)
    assert found.is_open == (sample != "personne_morale_etat_cesse.yaml")
    assert found.partially_diffusible == ("non-diffusible" in sample)
    assert found.address
    assert not any(name in line for line in found.address)


def test_the_recorded_404_is_a_certain_not_found(network: respx.MockRouter, api_entreprise: Alone) -> None:
    network.get(path__regex=".*").respond(404, json=recorded("api-entreprise/etablissements/404.yaml"))
    answer = api_entreprise.lookup(SIRET)
    assert isinstance(answer, NotFound)
    assert (answer.siret, answer.definite) == (SIRET, True)


def test_an_absurd_update_day_is_left_out(network: respx.MockRouter, api_entreprise: Alone) -> None:
    body = recorded("api-entreprise/etablissements/personne_physique_non-diffusible.yaml")
    assert body["meta"]["date_derniere_mise_a_jour"] == 267038293600
    network.get(path__regex=".*/etablissements/.*").respond(200, json=body)
    network.get(path__regex=".*/extrait_kbis").respond(404, json=error("02003"))
    assert api_entreprise.lookup(body["data"]["siret"]).evidence[0].source_updated_at is None
