"""The draft of the arrêté de police: what it forbids, where and when, and what it leaves to a person."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from permits.domain.application import Kind, Occupancy
from permits.domain.canonical import canonical_json
from permits.domain.decision import Verification
from permits.domain.establishment import NotFound, Protected
from permits.domain.place import Place
from permits.domain.police_order import OrderArticle, PoliceOrderDraft, draft_police_order
from tests.domain.builders import (
    FOOTPRINT,
    SIRET,
    an_application,
    an_establishment,
    an_occupancy,
    demo_rulebook,
    some_facts,
)

APPLICATION_ID = "7c3f0f5e-3d0f-4a53-9d1f-0a4b7f1c2d3e"
NAME = "ECHAFAUDAGES DU MODELE"
HERE = "12 rue des Exemples 29999 Exemple-Ville"
MARKET = Place(address="place du Marché 29999 Exemple-Ville", footprint=FOOTPRINT)
TERMS = demo_rulebook().authority.police_order


def draft(*occupancies: Occupancy, facts: dict[str, Any] | None = None, **changes: Any) -> PoliceOrderDraft:
    """The draft for these occupancies, on the day of the decision; fails when there is none."""
    on = changes.pop("on", date(2026, 12, 21))
    application = an_application(occupancies=occupancies or (an_occupancy(parking_spaces_taken=2),), **changes)
    found = draft_police_order(
        application, some_facts(**(facts or {})), demo_rulebook(), application_id=APPLICATION_ID, on=on
    )
    assert found is not None
    return found


def article(found: PoliceOrderDraft, title: str) -> OrderArticle:
    return next(each for each in found.articles if each.title == title)


def topics(found: PoliceOrderDraft) -> set[str]:
    """What is left to a person, by the word that begins each line."""
    return {text.partition(" :")[0] for text in found.to_complete}


def test_one_space_is_forbidden_to_everybody_but_the_site_for_the_days_and_hours_asked() -> None:
    found = draft(an_occupancy(parking_spaces_taken=1))
    forbidden, place, but_for, breach = article(found, "Stationnement").sentences

    assert forbidden == (
        "Le stationnement de tout véhicule est interdit du 11 janvier 2027 au 15 janvier 2027 inclus, chaque jour de "
        "8 h à 18 h, au droit du chantier :"
    )
    assert place == (
        f"– {HERE} (échafaudage, longueur 12 m) : 1 place de stationnement [côté de la rue et repères à préciser]."
    )
    assert "le permis de stationnement autorise" in but_for
    assert TERMS is not None and breach == TERMS.parking_breach.text
    assert found.title == (
        f"Arrêté temporaire de police réglementant le stationnement ({HERE}) du 11 janvier 2027 au 15 janvier 2027 "
        "inclus"
    )
    assert found.considerations[0].endswith("nécessite 1 place de stationnement")
    assert "Circulation" not in {each.title for each in found.articles}


def test_several_spaces_are_counted_at_each_place_and_together() -> None:
    found = draft(
        an_occupancy(parking_spaces_taken=2),
        an_occupancy(parking_spaces_taken=0),
        an_occupancy(kind=Kind.SKIP, pieces=2, length_m=None, place=MARKET, parking_spaces_taken=3),
    )
    places = [each for each in article(found, "Stationnement").sentences if each.startswith("– ")]

    assert places == [
        f"– {HERE} (échafaudage, longueur 12 m) : 2 places de stationnement [côté de la rue et repères à préciser] ;",
        f"– {MARKET.address} (benne × 2) : 3 places de stationnement [côté de la rue et repères à préciser].",
    ]
    assert found.considerations[0].endswith("nécessite 5 places de stationnement")
    assert f"({HERE} ; {MARKET.address})" in found.title


def test_a_lane_is_closed_and_how_traffic_passes_is_left_to_a_person() -> None:
    found = draft(an_occupancy(lane_closed=True))
    closed, place, passing = article(found, "Circulation").sentences

    assert closed.startswith(
        "Une voie est fermée à la circulation du 11 janvier 2027 au 15 janvier 2027 inclus, chaque"
    )
    assert place == f"– {HERE} (échafaudage, longueur 12 m) : [voie et sens à préciser]."
    assert passing.startswith("[Mode de passage à préciser : alternat, sens unique ou déviation")
    assert found.title.startswith("Arrêté temporaire de police réglementant la circulation (")
    assert found.considerations[0].endswith("nécessite la fermeture d’une voie à la circulation")
    assert "Stationnement" not in {each.title for each in found.articles}


def test_spaces_and_a_lane_of_two_occupancies_make_one_order_of_both() -> None:
    found = draft(
        an_occupancy(lane_closed=True),
        an_occupancy(place=MARKET, parking_spaces_taken=1),
        an_occupancy(lane_closed=True),
    )
    parking, traffic = article(found, "Stationnement"), article(found, "Circulation")

    assert [each.title for each in found.articles] == [
        "Stationnement",
        "Circulation",
        "Signalisation",
        "Permis de stationnement",
        "Publicité et recours",
        "Exécution",
    ]
    assert [MARKET.address in each for each in parking.sentences].count(True) == 1
    assert [HERE in each for each in traffic.sentences].count(True) == 2
    assert found.considerations[0].endswith(
        "nécessite 1 place de stationnement et la fermeture d’une voie à la circulation en 2 endroits"
    )
    assert "réglementant le stationnement et la circulation" in found.title
    assert "réglementer le stationnement et la circulation pendant" in found.considerations[1]


def test_what_takes_neither_a_space_nor_a_lane_needs_no_order() -> None:
    application = an_application(occupancies=(an_occupancy(), an_occupancy(place=MARKET)))
    given: dict[str, Any] = {"application_id": APPLICATION_ID, "on": date(2026, 12, 21)}

    assert draft_police_order(application, some_facts(), demo_rulebook(), **given) is None


def test_no_order_is_drafted_where_the_rulebook_has_no_words_for_it() -> None:
    authority = demo_rulebook().authority.model_copy(update={"police_order": None})
    rulebook = demo_rulebook().model_copy(update={"authority": authority})
    application = an_application(occupancies=(an_occupancy(lane_closed=True),))
    given: dict[str, Any] = {"application_id": APPLICATION_ID, "on": date(2026, 12, 21)}

    assert draft_police_order(application, some_facts(), rulebook, **given) is None
    assert draft_police_order(application, some_facts(), demo_rulebook(), **given) is not None


@pytest.mark.parametrize(
    ("changes", "when"),
    [
        ({"ends_on": date(2027, 1, 11)}, "le 11 janvier 2027, de 8 h à 18 h"),
        ({"ends_on": date(2027, 1, 11), "daily_hours": None}, "le 11 janvier 2027, de jour comme de nuit"),
        ({"daily_hours": None}, "du 11 janvier 2027 au 15 janvier 2027 inclus, de jour comme de nuit"),
        (
            {
                "starts_on": date(2026, 12, 31),
                "ends_on": date(2027, 1, 1),
                "daily_hours": {"from": "07:30", "to": "12:05"},
            },
            "du 31 décembre 2026 au 1er janvier 2027 inclus, chaque jour de 7 h 30 à 12 h 05",
        ),
    ],
    ids=["one day", "one whole day", "whole days", "across New Year"],
)
def test_the_days_and_hours_are_those_of_the_request(changes: dict[str, Any], when: str) -> None:
    found = draft(an_occupancy(parking_spaces_taken=1, lane_closed=True), **changes)

    assert article(found, "Stationnement").sentences[0] == (
        f"Le stationnement de tout véhicule est interdit {when}, au droit du chantier :"
    )
    assert article(found, "Circulation").sentences[0] == (
        f"Une voie est fermée à la circulation {when}, au droit du chantier :"
    )


def test_the_company_and_its_worksite_are_named_with_the_request() -> None:
    found = draft(facts={"received_at": datetime(2026, 12, 20, 23, 30, tzinfo=UTC)})

    assert found.considerations[0].startswith(
        f"l’occupation de la voie publique que demande l’entreprise {NAME} (SIRET {SIRET}) pour le chantier "
        "« façade 12 rue des Exemples »"
    )
    assert found.request == f"la demande n° {APPLICATION_ID} reçue par téléservice le 21 décembre 2026"


@pytest.mark.parametrize(
    "registry",
    [
        an_establishment(name=None),
        an_establishment(partially_diffusible=True),
        Protected(siret=SIRET, evidence=()),
        NotFound(siret=SIRET, definite=False, evidence=()),
    ],
    ids=["masked", "partly diffusible", "protected", "not found"],
)
def test_a_name_that_may_not_be_published_is_not_in_the_order(registry: Any) -> None:
    found = draft(facts={"registry": registry})

    assert f"que demande l’entreprise de SIRET {SIRET} pour le chantier" in found.considerations[0]
    assert NAME not in canonical_json(found)
    assert NAME in canonical_json(draft())


def test_its_texts_are_those_of_the_rulebook_with_how_far_each_was_checked() -> None:
    found, terms = draft(), TERMS
    assert terms is not None

    assert found.visas == terms.visas
    assert {visa.verification for visa in found.visas} == {Verification.SECONDARY, Verification.UNVERIFIED}
    assert article(found, "Stationnement").cites == (terms.parking_breach.cites,)
    assert article(found, "Signalisation") == OrderArticle(
        title="Signalisation", sentences=(terms.signs.text,), cites=(terms.signs.cites,)
    )
    published = article(found, "Publicité et recours")
    assert published.sentences[0] == terms.publicity.text
    assert demo_rulebook().authority.appeal.court in published.sentences[1]
    assert published.cites[0] == terms.publicity.cites
    assert published.cites[1].verification is Verification.SECONDARY
    assert article(found, "Exécution").sentences == (terms.execution,)


def test_it_says_that_it_is_a_draft_and_holds_no_number() -> None:
    found = draft()

    assert "sans numéro, sans signature, sans effet juridique" in found.notice
    assert "signé par une personne compétente et publié" in found.notice
    assert "L. 311-2, texte non vérifié" in found.notice
    assert "number" not in type(found).model_fields


def test_what_a_person_decides_depends_on_what_is_taken() -> None:
    always = {"Signature", "Compétence", "Nécessité", "Permis de stationnement", "Signalisation", "Texte public"}
    of_parking = {"Places", "Places réservées", "Heures"}
    of_traffic = {
        "Voie",
        "Mode de passage",
        "Déviation",
        "Vitesse et dépassement",
        "Piétons, cyclistes, transports en commun, collecte des déchets, riverains et secours",
    }

    assert topics(draft(an_occupancy(parking_spaces_taken=1))) == always | of_parking
    assert topics(draft(an_occupancy(lane_closed=True))) == always | of_traffic
    assert topics(draft(an_occupancy(parking_spaces_taken=1, lane_closed=True))) == always | of_parking | of_traffic


def test_without_a_delegation_on_the_day_a_person_says_who_signs() -> None:
    starts_on, ends_on = date(2032, 5, 3), date(2032, 5, 4)
    last_day = draft(on=date(2032, 3, 31), starts_on=starts_on, ends_on=ends_on)
    day_after = draft(on=date(2032, 4, 1), starts_on=starts_on, ends_on=ends_on)

    assert last_day.signatory is not None and last_day.signatory.name == "Fictive"
    assert last_day.to_complete[0].startswith(
        "Signature : vérifier que la délégation de Maëlle Fictive couvre la police"
    )
    assert day_after.signatory is None
    assert day_after.to_complete[0].startswith("Signature : aucune délégation n’est valable le 1er avril 2032 ;")


@pytest.mark.parametrize(("on", "told"), [(date(2027, 1, 10), False), (date(2027, 1, 11), True)])
def test_an_order_for_days_that_have_begun_is_told_as_too_late_for_them(on: date, told: bool) -> None:
    assert ("Dates" in topics(draft(on=on))) == told
