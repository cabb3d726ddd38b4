"""What a rulebook says on a day is told wholly, and truly: rules, figures, who is competent, who signs, how it ends."""

from datetime import date
from typing import Any

import pytest

from permits.domain.authority import AuthorityFile
from permits.domain.calendar import PublicHolidays
from permits.domain.clauses import zones
from permits.domain.forbidden import Calendar, ForbiddenPeriod
from permits.domain.limits import Limits
from permits.domain.retention import Retention
from permits.domain.rulebook import CITED_RULES, Rulebook
from permits.domain.rules.titles import ALWAYS, LIMITS_TOLD, RULES_TOLD
from permits.domain.summary import Summary, in_force_on
from tests.domain.builders import TEXT, a_rulebook_with_scales, a_scale, demo_rulebook
from tests.domain.test_cases import SITUATIONS

DAY = date(2026, 12, 1)
CITES = TEXT.model_dump(mode="json")
BENNE = {"label": "Benne", "kinds": ["skip"], "unit": "piece", "per": "day", "rate": "1"}


def summary(**changes: Any) -> Summary:
    return in_force_on(demo_rulebook().model_copy(update=changes), DAY)


def with_authority(**changes: Any) -> Summary:
    return summary(authority=AuthorityFile.model_validate(dict(demo_rulebook().authority) | changes))


def told(clauses: Any) -> dict[str, str]:
    return {clause.id: clause.told for clause in clauses}


# --- rules -------------------------------------------------------------------------------------


def test_every_rule_that_is_heard_is_told_and_no_other() -> None:
    heard = {finding.rule for situation in SITUATIONS for finding in situation.decision().findings}
    assert heard == RULES_TOLD.keys() == {rule.id for rule in summary().rules}


def test_a_rule_said_to_be_heard_at_each_request_is_and_the_others_are_not() -> None:
    each = [{finding.rule for finding in situation.decision().findings} for situation in SITUATIONS]
    said = {rule.id for rule in summary().rules if rule.heard == ALWAYS}

    assert said == set.intersection(*each)
    assert RULES_TOLD.keys() - said == {"ISSUING-OPEN", "SIRET-STANDING", "PAYER", "FREE", "EXTENSION", "SCAFF-PROJ"}


def test_a_rule_has_the_text_and_the_figures_that_its_findings_cite() -> None:
    texts = {rule.id: {citation.text for citation in rule.citations} for rule in summary().rules}
    of_a_period = {period.cites.text for period in demo_rulebook().forbidden_periods}
    for situation in SITUATIONS:
        for finding in situation.decision().findings:
            assert finding.citation.text in texts[finding.rule] | of_a_period, finding.rule
    assert all(texts.values())


def test_a_rule_without_a_figure_says_so_and_names_its_text() -> None:
    rules = {rule.id: rule for rule in summary().rules}
    assert {name for name, rule in rules.items() if not rule.limits} == (CITED_RULES - {"PAYER"}) | {
        "ISSUING-OPEN",
        "ROAD-CLASS",
        "FREE",
        "EXTENSION",
    }
    assert rules["ISSUING-OPEN"].citations[0].text.startswith("faculté d’interrompre")
    assert rules["EXTENSION"].citations[0].text.startswith("aucun droit au renouvellement")
    assert rules["ROAD-CLASS"].citations == tuple(each.cites for each in demo_rulebook().authority.competences)
    assert rules["FREE"].citations == (demo_rulebook().questions[0].cites,)


def test_a_rule_that_a_city_has_no_use_for_is_said_to_be_never_heard() -> None:
    rules = {rule.id: rule for rule in with_authority(competences=()).rules}
    assert rules["ROAD-CLASS"].heard.startswith("jamais") and not rules["ROAD-CLASS"].citations
    plain = a_rulebook_with_scales({DAY: a_scale(BENNE)}).model_copy(update={"questions": ()})
    assert {rule.id: rule for rule in in_force_on(plain, DAY).rules}["FREE"].heard.startswith("jamais")
    assert not [rule.id for rule in summary().rules if rule.heard.startswith("jamais")]


# --- figures and scale -------------------------------------------------------------------------


def test_each_limit_is_told_with_what_it_does_and_when_it_was_read() -> None:
    limits = {entry.id: entry for entry in summary().entries if entry.part == "limit"}

    assert limits.keys() == LIMITS_TOLD.keys() == Limits.model_fields.keys()
    assert limits["footway_min_clear_width_m"].value == "1,40 m"
    assert all(entry.effect and entry.checked_on for entry in limits.values())


@pytest.mark.parametrize(
    ("holidays", "place"),
    [
        ({}, "France métropolitaine, hors Alsace et Moselle"),
        ({"region": "57"}, "Moselle"),
        ({"region": "974"}, "La Réunion"),
        ({"country": "DE", "region": "BY"}, "DE BY"),
    ],
)
def test_the_place_of_the_public_holidays_is_told_wherever_days_are_counted(
    holidays: dict[str, str], place: str
) -> None:
    fete = {"id": "fete", "label": "Jours fériés", "zone": "territory", "public_holidays": True, "cites": CITES}
    tariff = a_rulebook_with_scales({DAY: a_scale(BENNE | {"days_counted": "working"})}).tariff
    authority = AuthorityFile.model_validate(
        dict(demo_rulebook().authority) | {"public_holidays": PublicHolidays(**holidays)}
    )
    known = summary(authority=authority, tariff=tariff, forbidden_periods=(ForbiddenPeriod.model_validate(fete),))
    entries = {entry.id: entry for entry in known.entries}

    assert known.public_holidays == place
    assert f"hors jours fériés ({place})" in str(entries["notice_working_days"].effect)
    assert f"hors jours fériés ({place})" in entries["tariff/1"].value
    assert told(known.forbidden_periods)["fete"].endswith(f"les jours fériés ({place})")


def test_the_scale_is_told_with_its_terms_its_lines_and_what_follows() -> None:
    parts: dict[str, list[str]] = {}
    for entry in summary().entries:
        parts.setdefault(entry.part, []).append(f"{entry.label} : {entry.value}")

    assert parts["term"] == [
        "Arrondi : chaque ligne à 0,01 € près (au plus proche, la moitié vers le haut)",
        "Changement de barème : quand un autre barème entre en vigueur pendant l’occupation, "
        "chaque jour, semaine ou mois est compté au barème de son premier jour",
        "Prolongations : une prolongation coûte la redevance de la période entière, moins ce qui est déjà dû",
    ]
    assert parts["line"][2] == (
        "Palissade ou emprise de chantier : 3,10 € par m² et par semaine commencée ; "
        "quantité arrondie à l’entier supérieur ; pour : palissade de chantier"
    )
    assert parts["adjustment"] == [
        "Exonération d’une association qui concourt à un intérêt général : "
        "la somme des occupations, dossier non compris : rien n’est dû ; "
        "seulement si la réponse à « La demande est-elle faite par une association qui concourt à un intérêt général, "
        "sans but lucratif ? » est « une association »"
    ]


# --- beside the figures ------------------------------------------------------------------------


def test_who_gives_the_permit_is_told_for_each_road() -> None:
    road = {"cites": CITES}
    known = with_authority(
        competences=(
            {"road": "communal", "permit": "ours"} | road,
            {"road": "departmental", "permit": "ours_after_opinion"} | road,
            {"road": "departmental", "permit": "not_ours", "in_agglomeration": False} | road,
        )
    )
    assert told(known.competences) == {
        "communal": "voie communale, en agglomération : l’autorité donne le permis",
        "departmental": "route départementale, en agglomération : "
        "l’autorité donne le permis après l’avis du gestionnaire de la voie, qu’un agent demande",
        "departmental/outside": "route départementale, hors agglomération : "
        "le permis relève d’une autre autorité, à qui un agent transmet la demande",
    }
    assert told(summary().zones)["rd-7"] == "Route départementale 7 (route départementale)"


def test_who_signs_is_told_with_the_delegation_and_its_days() -> None:
    (delegation,) = summary().delegations
    assert delegation.told == (
        "Maëlle Fictive, adjointe au maire déléguée à l’espace public, Service Occupation du domaine public : "
        "arrêté de délégation n° 2026-001 du 5 janvier 2026 (fictif), du 1er janvier 2026 au 31 mars 2032"
    )
    assert summary().signatory == "Maëlle Fictive, adjointe au maire déléguée à l’espace public"
    assert in_force_on(demo_rulebook(), date(2032, 4, 1)).signatory is None


def test_a_condition_is_told_with_the_kinds_and_the_case_it_is_for() -> None:
    known = told(summary().prescriptions)
    assert known["SCAFF-DP"].endswith("(échafaudage, quand la demande ne donne pas d’autorisation d’urbanisme)")
    assert known["LATE-EXT"].endswith("(au-delà d’un jour)")
    assert "1,40 m de large" in known["FOOTWAY-MIN"] and not known["FOOTWAY-MIN"].endswith(")")


WINTER = {"known": {"from_day": "2026-09-01", "to_day": "2027-08-31"}}


@pytest.mark.parametrize(
    ("days", "sentence"),
    [
        ({"from_day": "2027-01-01", "to_day": "2027-01-02"}, "du 1er janvier 2027 au 2 janvier 2027"),
        ({"each_year": {"from_day": "12-01", "to_day": "01-31"}}, "chaque année du 1er décembre au 31 janvier"),
        ({"each_week": ["monday", "thursday", "sunday"]}, "chaque lundi, jeudi et dimanche"),
        (
            {"calendar": "hiver"},
            "les jours de « Vacances d’hiver » (Texte de l’essai (fictif)), connus du 1er septembre 2026 "
            "au 31 août 2027 ; plus loin, un agent vérifie",
        ),
    ],
)
def test_days_on_which_nothing_may_stand_are_told(days: dict[str, Any], sentence: str) -> None:
    period = {"id": "p", "label": "Marché", "zone": "marche", "kinds": ["skip", "crane"], "cites": CITES}
    span = {"from_day": "2027-02-13", "to_day": "2027-02-28"}
    calendar = {"id": "hiver", "label": "Vacances d’hiver", "days": [span], "cites": CITES} | WINTER
    known = summary(
        forbidden_periods=(ForbiddenPeriod.model_validate(period | days),),
        calendars=(Calendar.model_validate(calendar),),
    )
    assert told(known.forbidden_periods)["p"] == f"Marché, Place du Marché, benne et grue : {sentence}"


def test_how_a_permit_ends_early_is_told_with_what_stays_due() -> None:
    known = told(summary().endings)
    assert known["illegal"].startswith("abrogation ou retrait, dans les 4 mois de l’acte : l’autorisation est illégale")
    assert known["general_interest"].startswith("abrogation : un motif d’intérêt général")
    assert known["ending_fee_terms"].endswith(
        "Après une abrogation : la redevance des jours d’avant l’effet est recalculée au barème qui a servi. "
        "Après un retrait : les lignes par dossier restent seules dues."
    )


def test_how_long_files_are_kept_is_told() -> None:
    known = told(summary().retention)
    assert known.keys() == Retention.model_fields.keys()
    assert known["application_contact"] == "coordonnées du demandeur : 12 mois après la fin du dossier"


def test_what_is_told_beside_the_figures_has_its_text() -> None:
    known = summary()
    for clauses in (known.competences, known.prescriptions, known.forbidden_periods, known.endings, known.retention):
        assert clauses and all(clause.citation for clause in clauses)


def test_nothing_that_a_rulebook_holds_is_left_out() -> None:
    """A new part of a rulebook is told to the public, or this says why not."""
    told_here = {
        "authority": "competences, delegations, endings, public_holidays",
        "limits": "entries",
        "rules": "rules",
        "zones": "zones",
        "calendars": "forbidden_periods",
        "forbidden_periods": "forbidden_periods",
        "prescriptions": "prescriptions",
        "questions": "questions",
        "tariff": "entries",
        "retention": "retention",
        "digest": "digest",
    }
    assert Rulebook.model_fields.keys() == told_here.keys()
    for names in told_here.values():
        assert {name.strip() for name in names.split(",")} <= Summary.model_fields.keys()


def test_the_road_of_the_territory_is_told_only_where_it_declares_one() -> None:
    law = demo_rulebook()
    territory = law.zone(Rulebook.TERRITORY)
    declared = type(territory).model_validate(dict(territory) | {"road": "departmental", "in_agglomeration": False})
    others = tuple(zone for zone in law.zones if zone.id != Rulebook.TERRITORY)
    told = {clause.id: clause.told for clause in zones(law.model_copy(update={"zones": (declared, *others)}))}
    assert told[Rulebook.TERRITORY] == "ailleurs (route départementale, hors agglomération)"
    assert Rulebook.TERRITORY not in {clause.id for clause in zones(law)}
