"""What a rulebook says beside its figures, each as a French sentence with its text.

Who is competent and who signs, the zones, the days on which nothing may stand, the conditions written on permits, what
becomes of a permit and of its fee when it ends early, and how long files are kept.
"""

from collections.abc import Iterator
from datetime import date

from permits.domain.authority import EndingGround
from permits.domain.dated import NotInForce
from permits.domain.decision import Citation
from permits.domain.forbidden import ForbiddenPeriod
from permits.domain.french import day_text, listed, year_day_text
from permits.domain.limits import Limits, figure_texts
from permits.domain.model import Value
from permits.domain.retention import AccountPeriod, EventPeriod, FilePeriod
from permits.domain.rulebook import Rulebook


class Clause(Value):
    """One thing that a rulebook says, told in French; its text, unless the sentence names it."""

    id: str
    told: str
    citation: Citation | None = None


_PERMIT = {
    "ours": "l’autorité donne le permis",
    "ours_after_opinion": "l’autorité donne le permis après l’avis du gestionnaire de la voie, qu’un agent demande",
    "not_ours": "le permis relève d’une autre autorité, à qui un agent transmet la demande",
}


def competences(rulebook: Rulebook) -> Iterator[Clause]:
    """Give who gives the permit on each class of road; nothing where the rulebook does not tell roads apart."""
    for each in rulebook.authority.competences:
        where = f"{each.road.label}, {_agglomeration(each.in_agglomeration)}"
        yield Clause(
            id=f"{each.road}{'' if each.in_agglomeration else '/outside'}",
            told=f"{where} : {_PERMIT[each.permit]}",
            citation=each.cites,
        )


def zones(rulebook: Rulebook) -> Iterator[Clause]:
    """Give the zones, with the class of road that each declares; the territory itself only where it declares one."""
    for zone in rulebook.zones:
        declared = [zone.road.label] if zone.road is not None else []
        declared += [_agglomeration(zone.in_agglomeration)] if zone.in_agglomeration is not None else []
        label = "ailleurs" if zone.id == rulebook.TERRITORY else zone.label
        if declared or zone.id != rulebook.TERRITORY:
            yield Clause(id=zone.id, told=f"{label} ({', '.join(declared)})" if declared else label)


def _agglomeration(inside: bool) -> str:
    return "en agglomération" if inside else "hors agglomération"


def delegations(rulebook: Rulebook) -> Iterator[Clause]:
    """Give who signs, from when to when, by which delegation; the first one that is valid on a day signs."""
    for position, each in enumerate(rulebook.authority.signatories, 1):
        until = f"au {day_text(each.to_day)}" if each.to_day else "sans terme"
        author = each.signatory
        told = f"{author.first_name} {author.name}, {author.quality}, {author.service} : {author.delegation}"
        yield Clause(id=str(position), told=f"{told}, du {day_text(each.from_day)} {until}")


_WHEN = {
    "always": "",
    "no_urbanism_file": "quand la demande ne donne pas d’autorisation d’urbanisme",
    "several_days": "au-delà d’un jour",
}


def prescriptions(rulebook: Rulebook, day: date) -> Iterator[Clause]:
    """Give the conditions, with the figures in force; one whose figure is not is told as it is written."""
    try:
        figures = figure_texts(rulebook.limits, day)
    except NotInForce:
        figures = {name: f"{{{name}}}" for name in Limits.model_fields}
    for rule in rulebook.prescriptions:
        only = [kind.label for kind in rule.kinds] + ([_WHEN[rule.when]] if _WHEN[rule.when] else [])
        told = rule.text.format_map(figures)
        yield Clause(id=rule.id, told=f"{told} ({', '.join(only)})" if only else told, citation=rule.cites)


_WEEKDAYS = {
    "monday": "lundi",
    "tuesday": "mardi",
    "wednesday": "mercredi",
    "thursday": "jeudi",
    "friday": "vendredi",
    "saturday": "samedi",
    "sunday": "dimanche",
}


def forbidden_periods(rulebook: Rulebook) -> Iterator[Clause]:
    """Give where and when nothing may stand."""
    labels = {zone.id: zone.label for zone in rulebook.zones}
    for period in rulebook.forbidden_periods:
        where = "tout le ressort" if period.zone == rulebook.TERRITORY else labels[period.zone]
        what = listed([kind.label for kind in period.kinds]) if period.kinds else "toute occupation"
        told = f"{period.label}, {where}, {what} : {_days(period, rulebook)}"
        yield Clause(id=period.id, told=told, citation=period.cites)


def _days(period: ForbiddenPeriod, rulebook: Rulebook) -> str:
    if period.from_day and period.to_day:
        return f"du {day_text(period.from_day)} au {day_text(period.to_day)}"
    if period.each_year:
        first, last = year_day_text(period.each_year.from_day), year_day_text(period.each_year.to_day)
        return f"chaque année du {first} au {last}"
    if period.each_week:
        return f"chaque {listed([_WEEKDAYS[day] for day in period.each_week])}"
    if period.public_holidays:
        return f"les jours fériés ({rulebook.authority.public_holidays.label})"
    calendar = next(each for each in rulebook.calendars if each.id == period.calendar)
    known = f"du {day_text(calendar.known.from_day)} au {day_text(calendar.known.to_day)}"
    return f"les jours de « {calendar.label} » ({calendar.cites.text}), connus {known} ; plus loin, un agent vérifie"


_AFTER_ABROGATION = {
    "kept": "toute la redevance reste due",
    "recomputed": "la redevance des jours d’avant l’effet est recalculée au barème qui a servi",
    "pro_rata": "la redevance est due à proportion des jours d’avant l’effet, dossier compris en entier",
}
_AFTER_WITHDRAWAL = {
    "kept": "toute la redevance reste due",
    "file_only": "les lignes par dossier restent seules dues",
    "nothing": "rien n’est dû",
}


def endings(rulebook: Rulebook) -> Iterator[Clause]:
    """Give why a person may end a permit before its term, then what becomes of its fee."""
    for ground in rulebook.authority.endings:
        yield Clause(id=ground.id, told=_ground(ground), citation=ground.cites)
    terms = rulebook.authority.ending_fee_terms
    if terms is not None:
        told = (
            f"{terms.text} Après une abrogation : {_AFTER_ABROGATION[terms.abrogation]}. "
            f"Après un retrait : {_AFTER_WITHDRAWAL[terms.withdrawal]}."
        )
        yield Clause(id="ending_fee_terms", told=told, citation=terms.cites)


_KEPT = {
    "application_contact": "coordonnées du demandeur",
    "application_evidence": "réponse du registre des entreprises, au sujet d’une personne physique",
    "registry_access": "traces des appels au registre des entreprises",
    "access_log": "traces des lectures",
    "client": "compte d’un logiciel partenaire",
}
_COUNTED_FROM = {
    "end_of_file": "après la fin du dossier",
    "event": "après chaque événement",
    "revocation": "après la révocation de sa clé",
}


def retention(rulebook: Rulebook) -> Iterator[Clause]:
    """Give how long what can be erased is kept; acts are kept for ever."""
    for name, label in _KEPT.items():
        period: FilePeriod | EventPeriod | AccountPeriod = getattr(rulebook.retention, name)
        told = f"{label} : {period.months} mois {_COUNTED_FROM[period.counted_from]}"
        yield Clause(id=name, told=told, citation=period.cites)


def _ground(ground: EndingGround) -> str:
    acts = listed([{"abrogation": "abrogation", "withdrawal": "retrait"}[act] for act in ground.acts], "ou")
    within = f", dans les {ground.within_months} mois de l’acte" if ground.within_months else ""
    return f"{acts}{within} : {ground.label}"
