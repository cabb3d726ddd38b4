"""What each rule tells, word for word: the main case where all is well, and one where nothing is."""

from datetime import date
from typing import Any

import pytest

from permits.domain.application import Kind
from permits.domain.dated import Dated
from permits.domain.decide import decide
from permits.domain.decision import Finding, Verification
from permits.domain.establishment import Standing
from permits.domain.limits import Assurance
from permits.domain.place import AddressCheck, StandingPermit
from permits.domain.rulebook import Rulebook
from permits.domain.rules import Case
from permits.domain.rules.act import road_is_ours
from tests.domain.builders import (
    a_place,
    an_application,
    an_establishment,
    an_extended_permit,
    an_occupancy,
    demo_rulebook,
    some_facts,
)

Told = tuple[str, str, str, str | None, str | None, int | None]

ALL_IS_WELL: list[Told] = [
    ("SIRET-EXISTS", "ok", "L’établissement 99999001300024 est ouvert au registre Sirene.", None, None, None),
    ("SIRET-CERTAIN", "ok", "L’identité de l’établissement est certaine.", None, None, None),
    ("SIRET-STANDING", "ok", "L’entreprise est inscrite, sans procédure collective signalée.", None, None, None),
    (
        "APPLICANT",
        "ok",
        "Lien entre le demandeur et l’entreprise : la clé d’accès a été remise à cette entreprise.",
        "key_bound_to_siren",
        "confirmed_email",
        None,
    ),
    (
        "PAYER",
        "ok",
        "Lien entre le demandeur et le payeur désigné : une adresse électronique a été confirmée.",
        "confirmed_email",
        "confirmed_email",
        None,
    ),
    ("AUTH-MATCH", "ok", "L’emplacement est dans le ressort de l’autorité.", None, None, 0),
    ("ROAD-CLASS", "ok", "L’autorité est compétente (voie communale en agglomération).", None, None, 0),
    (
        "SIGNATORY",
        "ok",
        "L’acte est pris par Maëlle Fictive, adjointe au maire déléguée à l’espace public.",
        None,
        None,
        None,
    ),
    ("EMPRISE-NONE", "ok", "Rien n’entre dans le sol : un permis de stationnement suffit.", None, None, 0),
    ("KIND-AUTOMATIC", "ok", "Ce type d’occupation (échafaudage) peut être accordé automatiquement.", None, None, 0),
    ("NOTICE", "ok", "Le délai de 5 jours ouvrés est respecté.", "2027-01-11", "2026-12-29", None),
    ("DATES-FUTURE", "ok", "L’occupation commence après le jour de la décision.", "2027-01-11", "2026-12-21", None),
    (
        "START-FURTHEST",
        "ok",
        "Le début est dans 21 jours ; la machine accorde jusqu’à 365 jours à l’avance.",
        "21",
        "365",
        None,
    ),
    ("DURATION-MAX", "ok", "L’occupation dure 5 jours ; la machine accorde jusqu’à 30 jours.", "5", "30", None),
    ("FOOTWAY-MIN", "ok", "Les piétons gardent 1,60 m de passage libre.", "1.60", "1.40", 0),
    ("SCAFF-PROJ", "ok", "L’échafaudage avance de 1,2 m ; la limite est de 2,00 m.", "1.2", "2.00", 0),
    ("PARKING-USED", "ok", "Aucune place de stationnement n’est prise.", "0", "0", 0),
    ("LANE-CLOSED", "ok", "Aucune voie de circulation n’est fermée.", None, None, 0),
    ("EVENT-BAN", "ok", "Aucune période interdite à cet endroit.", None, None, 0),
    ("PLACE-ADDRESS", "ok", "L’adresse et l’emprise dessinée concordent (3,2 m).", "3.2", "50", 0),
    (
        "DIMENSIONS",
        "ok",
        "Les dimensions déclarées concordent avec l’emprise dessinée (14,40 m²).",
        "14.4",
        "14.40",
        0,
    ),
    ("OVERLAP", "ok", "L’emplacement est libre sur toute la période.", None, None, 0),
    (
        "PRICE",
        "ok",
        "La redevance est calculée selon Droits de voirie 2026-2027 (délibération n° 2025-118, fictive) : 92,40 €.",
        "92.40",
        None,
        None,
    ),
]

NOTHING_IS_WELL: list[Told] = [
    (
        "ISSUING-OPEN",
        "refer",
        "La délivrance automatique est suspendue : un agent décide.",
        None,
        None,
        None,
    ),
    ("SIRET-EXISTS", "refer", "L’établissement 99999001300016 est fermé au registre Sirene.", None, None, None),
    (
        "SIRET-CERTAIN",
        "refer",
        "Un agent confirme l’identité : la clé de contrôle du SIRET est inhabituelle ; le registre a fusionné ce SIRET"
        " avec 99999001300016 ; le nom de l’entreprise est masqué par le registre.",
        None,
        None,
        None,
    ),
    (
        "SIRET-STANDING",
        "refer",
        "L’entreprise est radiée : un agent vérifie qui peut la représenter.",
        None,
        None,
        None,
    ),
    (
        "APPLICANT",
        "refer",
        "Lien entre le demandeur et l’entreprise : rien ne relie le demandeur à l’entreprise.",
        "none",
        "confirmed_email",
        None,
    ),
    (
        "PAYER",
        "refer",
        "Lien entre le demandeur et le payeur désigné : rien ne relie le demandeur à l’entreprise.",
        "none",
        "confirmed_email",
        None,
    ),
    (
        "AUTH-MATCH",
        "refer",
        "L’emplacement n’est pas entièrement dans le ressort de l’autorité : un agent transmet ou partage.",
        None,
        None,
        0,
    ),
    (
        "ROAD-CLASS",
        "refer",
        "Il faut d’abord l’avis du gestionnaire (route départementale en agglomération) : un agent le demande.",
        None,
        None,
        0,
    ),
    ("SIGNATORY", "refer", "Aucune délégation de signature n’est valable ce jour.", None, None, None),
    (
        "EMPRISE-NONE",
        "refer",
        "L’emprise entre dans le sol : il faut une permission de voirie, instruite par un agent.",
        None,
        None,
        0,
    ),
    ("KIND-AUTOMATIC", "refer", "Ce type d’occupation (grue) est toujours examiné par un agent.", None, None, 0),
    (
        "NOTICE",
        "refer",
        "Il faut 5 jours ouvrés : premier jour possible le 8 avril 2032.",
        "2032-04-01",
        "2032-04-08",
        None,
    ),
    (
        "DATES-FUTURE",
        "refer",
        "L’occupation devait commencer le 1er avril 2032, la décision est du 1er avril 2032.",
        "2032-04-01",
        "2032-04-01",
        None,
    ),
    (
        "START-FURTHEST",
        "ok",
        "Le début est dans 0 jour ; la machine accorde jusqu’à 365 jours à l’avance.",
        "0",
        "365",
        None,
    ),
    ("DURATION-MAX", "refer", "L’occupation dure 43 jours ; la machine accorde jusqu’à 30 jours.", "43", "30", None),
    (
        "EXTENSION",
        "refer",
        "Le permis EX-2032-000003 a pris fin, est prolongé ou en cours de modification : un agent examine.",
        "2032-04-01",
        "2032-03-31",
        None,
    ),
    ("FOOTWAY-MIN", "refer", "La largeur libre laissée aux piétons n’est pas déclarée.", None, "1.40", 0),
    ("PARKING-USED", "refer", "1 place de stationnement prise : il faut aussi un arrêté de police.", "1", "0", 0),
    (
        "LANE-CLOSED",
        "refer",
        "Une voie de circulation est fermée : il faut aussi un arrêté de police, pris par une personne.",
        None,
        None,
        0,
    ),
    ("EVENT-BAN", "ok", "Aucune période interdite à cet endroit.", None, None, 0),
    ("PLACE-ADDRESS", "refer", "L’adresse n’a pas été trouvée : un agent la vérifie.", None, "50", 0),
    (
        "DIMENSIONS",
        "ok",
        "Les dimensions ne concordent pas : au mètre carré, l’emprise dessinée compte (14,40 m²).",
        None,
        "14.40",
        0,
    ),
    (
        "OVERLAP",
        "refer",
        "Le permis EX-2032-000007 occupe déjà cet endroit du 1er avril 2032 au 30 avril 2032.",
        "2032-04-01/2032-04-30",
        None,
        0,
    ),
    (
        "PRICE",
        "refer",
        "La redevance n’est pas calculée, un agent la fixe : « Droits de voirie 2026-2027 (délibération n° 2025-118, "
        "fictive) » n’a pas de prix pour ce type d’occupation (grue) dans ce cas.",
        None,
        None,
        None,
    ),
]


def told(finding: Finding) -> Told:
    return (
        finding.rule,
        str(finding.outcome),
        finding.message,
        finding.measured,
        finding.limit,
        finding.occupancy,
    )


def findings(asked: dict[str, Any], found: dict[str, Any]) -> list[Finding]:
    return list(decide(an_application(**asked), some_facts(**found), demo_rulebook()).findings)


def finding(rule: str, asked: dict[str, Any], found: dict[str, Any]) -> Finding:
    (one,) = (each for each in findings(asked, found) if each.rule == rule)
    return one


def test_good_news_is_told_in_the_order_of_the_law() -> None:
    all_well = findings({"payer_siret": "99999002100019"}, {"payer_assurance": Assurance.CONFIRMED_EMAIL})
    assert [told(each) for each in all_well] == ALL_IS_WELL


def test_every_ground_is_told_in_the_order_of_the_law() -> None:
    day = date(2032, 4, 1)
    crane = an_occupancy(
        kind=Kind.CRANE,
        length_m=None,
        footway_clear_width_m=None,
        anchored_in_ground=True,
        parking_spaces_taken=1,
        lane_closed=True,
    )
    place = a_place(
        in_territory=False,
        zones=("rd-7",),
        address_check=AddressCheck.UNKNOWN_ADDRESS,
        address_distance_m=None,
        standing=(StandingPermit(number="EX-2032-000007", starts_on=day, ends_on=date(2032, 4, 30)),),
    )
    nothing_well = findings(
        {
            "payer_siret": "99999002100019",
            "starts_on": day,
            "ends_on": date(2032, 5, 1),
            "occupancies": (crane,),
        },
        {
            "received_on": day,
            "registry": an_establishment(
                siret="99999001300016",
                asked_siret="99999001300024",
                name=None,
                is_open=False,
                standing=Standing.STRUCK_OFF,
            ),
            "siret_key_is_valid": False,
            "assurance": Assurance.NONE,
            "places": (place,),
            "extends": an_extended_permit(
                number="EX-2032-000003", starts_on=date(2032, 3, 20), ends_on=date(2032, 3, 31), stands=False
            ),
            "issuing_is_halted": True,
        },
    )
    assert [told(each) for each in nothing_well] == NOTHING_IS_WELL


def test_each_finding_cites_the_text_of_its_figure_or_of_its_rule() -> None:
    limits = demo_rulebook().limits
    figures: dict[str, Dated[Any]] = {
        "APPLICANT": limits.applicant_assurance_threshold,
        "KIND-AUTOMATIC": limits.automatic_kinds,
        "NOTICE": limits.notice_working_days,
        "START-FURTHEST": limits.furthest_start_days,
        "DURATION-MAX": limits.longest_duration_days,
        "FOOTWAY-MIN": limits.footway_min_clear_width_m,
        "SCAFF-PROJ": limits.scaffold_max_projection_m,
        "PLACE-ADDRESS": limits.address_max_distance_m,
        "DIMENSIONS": limits.dimensions_tolerance_percent,
    }
    for each in findings({}, {}):
        if each.rule == "ROAD-CLASS":
            assert each.citation == demo_rulebook().authority.competences[0].cites
        elif each.rule in figures:
            assert each.citation == figures[each.rule].on(date(2026, 12, 21)).citation
        else:
            assert each.citation == demo_rulebook().rules[each.rule]


def test_a_forbidden_period_cites_its_own_text_and_tells_both_periods() -> None:
    asked = {"starts_on": date(2027, 7, 20), "ends_on": date(2027, 7, 24)}
    period = demo_rulebook().forbidden_periods[1]
    banned = finding("EVENT-BAN", asked, {"places": (a_place(zones=("quais",)),)})
    assert (banned.measured, banned.limit) == ("2027-07-20/2027-07-24", "2027-07-10/2027-08-31")
    assert banned.citation == period.cites


def test_a_forbidden_period_of_the_whole_territory_needs_no_zone() -> None:
    rulebook = demo_rulebook()
    closed = rulebook.forbidden_periods[1].model_copy(update={"zone": rulebook.TERRITORY})
    strict = rulebook.model_copy(update={"forbidden_periods": (closed,)})
    asked = an_application(starts_on=date(2027, 7, 20), ends_on=date(2027, 7, 24))
    told = [each for each in decide(asked, some_facts(), strict).findings if each.rule == "EVENT-BAN"]

    assert [each.outcome for each in told] == ["refer"]


@pytest.mark.parametrize(
    ("standing", "message"),
    [
        (Standing.NOT_REGISTERED, "L’entreprise n’est pas de celles qui s’inscrivent au registre du commerce."),
        (Standing.INSOLVENCY, "Une procédure collective est signalée : un agent vérifie qui peut s’engager."),
        (Standing.UNKNOWN, "La source consultée ne dit rien d’une radiation ou d’une procédure collective."),
    ],
)
def test_each_standing_has_its_sentence(standing: Standing, message: str) -> None:
    assert finding("SIRET-STANDING", {}, {"registry": an_establishment(standing=standing)}).message == message


@pytest.mark.parametrize(
    ("assurance", "message"),
    [
        (Assurance.CONFIRMED_EMAIL, "une adresse électronique a été confirmée."),
        (Assurance.PROCONNECT_SIRET, "le demandeur s’est identifié par ProConnect pour ce SIRET."),
    ],
)
def test_each_way_to_know_the_applicant_has_its_words(assurance: Assurance, message: str) -> None:
    one = finding("APPLICANT", {}, {"assurance": assurance})
    assert one.message == f"Lien entre le demandeur et l’entreprise : {message}"
    assert one.measured == assurance.code


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (AddressCheck.FAR, "L’emprise dessinée est loin de l’adresse donnée."),
        (AddressCheck.UNAVAILABLE, "L’adresse n’a pas pu être vérifiée (service d’adresses indisponible)."),
    ],
)
def test_an_address_without_a_distance_is_told_without_one(check: AddressCheck, message: str) -> None:
    place = a_place(address_check=check, address_distance_m=None)
    one = finding("PLACE-ADDRESS", {}, {"places": (place,)})
    assert (one.message, one.measured) == (message, None)


@pytest.mark.parametrize(("starts_on", "words"), [("2026-12-22", "dans 1 jour ;"), ("2026-12-23", "dans 2 jours ;")])
def test_days_ahead_are_written_in_the_plural_from_two(starts_on: str, words: str) -> None:
    assert words in finding("START-FURTHEST", {"starts_on": starts_on}, {}).message


@pytest.mark.parametrize(
    ("spaces", "words"),
    [(1, "1 place de stationnement prise :"), (2, "2 places de stationnement prises :")],
)
def test_parking_spaces_are_written_in_the_plural_from_two(spaces: int, words: str) -> None:
    asked = {"occupancies": (an_occupancy(parking_spaces_taken=spaces),)}
    one = finding("PARKING-USED", asked, {})
    assert one.message.startswith(words)
    assert one.measured == str(spaces)


def test_a_place_already_taken_is_not_told_free_besides() -> None:
    standing = StandingPermit(number="EX-2027-000007", starts_on=date(2027, 1, 1), ends_on=date(2027, 1, 11))
    one = finding("OVERLAP", {}, {"places": (a_place(standing=(standing,)),)})
    assert "EX-2027-000007" in one.message


def test_a_scaffold_is_held_to_its_projection_and_nothing_else_is() -> None:
    asked = {"occupancies": (an_occupancy(kind=Kind.SKIP), an_occupancy(width_m=None))}
    one = finding("SCAFF-PROJ", asked, {"places": (a_place(), a_place())})
    assert (one.occupancy, one.measured) == (1, None)
    assert one.message == "La saillie de l’échafaudage n’est pas déclarée (largeur)."


def test_a_payer_who_is_not_named_is_not_looked_at() -> None:
    assert not [each for each in findings({}, {"payer_assurance": Assurance.NONE}) if each.rule == "PAYER"]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_every_occupancy_needs_the_facts_of_its_place(count: int) -> None:
    asked = {"occupancies": (an_occupancy(), an_occupancy())}
    assert findings(asked, {"places": (a_place(),) * 2})
    with pytest.raises(ValueError, match=r"zip\(\)"):
        findings(asked, {"places": (a_place(),) * count})


@pytest.mark.parametrize(
    ("extended", "outcome", "message"),
    [
        ({}, "ok", "La prolongation suit le permis EX-2027-000042, qui court jusqu’au 10 janvier 2027."),
        (
            {"stands": False},
            "refer",
            "Le permis EX-2027-000042 a pris fin, est prolongé ou en cours de modification : un agent examine.",
        ),
        (
            {"ends_on": date(2027, 1, 9)},
            "refer",
            "La prolongation doit commencer le lendemain de la fin du permis EX-2027-000042.",
        ),
        (
            {"ends_on": date(2027, 1, 11)},
            "refer",
            "La prolongation doit commencer le lendemain de la fin du permis EX-2027-000042.",
        ),
    ],
    ids=["follows", "does not stand", "leaves a day", "overlaps a day"],
)
def test_an_extension_follows_a_permit_that_stands(extended: dict[str, Any], outcome: str, message: str) -> None:
    one = finding("EXTENSION", {}, {"extends": an_extended_permit(**extended)})
    assert (one.outcome, one.message, one.measured) == (outcome, message, "2027-01-11")


@pytest.mark.parametrize(("first", "days"), [(date(2026, 12, 17), "30"), (date(2026, 12, 16), "31")])
def test_the_duration_of_an_extension_counts_from_the_first_permit(first: date, days: str) -> None:
    one = finding("DURATION-MAX", {}, {"extends": an_extended_permit(starts_on=first)})
    assert (one.measured, one.outcome) == (days, "ok" if days == "30" else "refer")


@pytest.mark.parametrize(
    ("rule", "circumstance", "cited"),
    [
        ("ISSUING-OPEN", {"issuing_is_halted": True}, "avis n° 393836"),
        ("EXTENSION", {"extends": an_extended_permit()}, "n° 395314"),
    ],
)
def test_a_circumstance_is_told_with_its_source_when_it_is_there_and_is_silent_otherwise(
    rule: str, circumstance: dict[str, Any], cited: str
) -> None:
    one = finding(rule, {}, circumstance)
    assert cited in one.citation.text and one.citation.verification is Verification.SECONDARY
    assert not [each for each in findings({}, {}) if each.rule == rule]


@pytest.mark.parametrize(
    ("territory", "zone", "told"),
    [
        ({}, {}, "voie communale en agglomération"),
        ({"road": "departmental"}, {}, "route départementale en agglomération"),
        ({"road": "departmental", "in_agglomeration": False}, {}, "route départementale hors agglomération"),
        ({"in_agglomeration": False}, {"in_agglomeration": True}, "voie communale en agglomération"),
        ({"road": "departmental"}, {"road": "communal"}, "voie communale en agglomération"),
        ({}, {"in_agglomeration": False}, "voie communale hors agglomération"),
    ],
)
def test_a_road_is_what_its_zone_says_then_what_the_territory_says(
    territory: dict[str, Any], zone: dict[str, Any], told: str
) -> None:
    law = demo_rulebook()
    changes = {Rulebook.TERRITORY: territory, "marche": zone}
    zones = tuple(
        type(each).model_validate(dict(each) | changes[each.id]) if each.id in changes else each for each in law.zones
    )
    facts = some_facts(places=(a_place(zones=("marche",)),))
    case = Case(an_application(), facts, law.model_copy(update={"zones": zones}))
    (found,) = road_is_ours(case)
    assert f"({told})" in found.message
