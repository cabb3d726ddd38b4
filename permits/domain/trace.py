"""The trace of a decision: what the machine did of it, on what data, with which figures, and by which operations.

Owed on request, in intelligible form (CRPA art. R311-3-1-2): the degree and mode of its part, the data and their
sources, the parameters and values applied to this case, the operations.
"""

from collections.abc import Iterator
from datetime import date, datetime

from permits.domain.application import Application, Occupancy
from permits.domain.calendar import paris_day
from permits.domain.dated import Dated
from permits.domain.decision import Citation, Fee, Granted, Outcome
from permits.domain.establishment import Establishment, RegistryAnswer
from permits.domain.filing import Filed
from permits.domain.french import day_text, measure
from permits.domain.limits import Limits, value_text
from permits.domain.model import Value
from permits.domain.place import AddressCheck, PlaceFacts
from permits.domain.rulebook import Rulebook
from permits.domain.rules.titles import TITLES

_ALONE = (
    "Décision entièrement automatique : la machine a entendu toutes les règles, n’a trouvé aucun motif de transmettre "
    "la demande à une personne, et l’a accordée."
)
_ASSISTED = (
    "Décision prise par une personne : la machine a entendu toutes les règles, et lui a transmis la demande avec les "
    "motifs ci-dessous. Elle ne refuse jamais."
)
_HELD = "La machine a transmis la demande à une personne, qui n’a pas encore décidé. Elle ne refuse jamais."


class Datum(Value):
    """One thing that was known: what it is, its value in French, and who said it."""

    label: str
    value: str
    source: str
    at: datetime | None = None


class Parameter(Value):
    """One figure of the rulebook that was in force, and its text."""

    id: str
    label: str
    value: str
    since: date
    citation: Citation


class Operation(Value):
    """What one rule concluded; `occupancy` counts from 1, None for the whole application."""

    rule: str
    title: str
    outcome: Outcome
    message: str
    measured: str | None
    limit: str | None
    occupancy: int | None
    citation: Citation


class DecisionTrace(Value):
    """All that is owed on an individual decision. `rulebook` and `rules_version` name the rules that were applied."""

    application: str
    number: str | None
    decided_at: datetime
    part_of_the_machine: str
    rulebook: str
    rules_version: date
    data: tuple[Datum, ...]
    parameters: tuple[Parameter, ...]
    operations: tuple[Operation, ...]
    fee: Fee | None


def trace_of(filed: Filed, rulebook: Rulebook) -> DecisionTrace | None:
    """Return the trace of a decision under the rulebook that took it, None while there is none to tell.

    What the registry said is left out once it was erased.
    """
    decision, act = filed.decision, filed.act
    if decision is None or filed.decided_at is None:
        return None
    part = _ALONE if isinstance(decision, Granted) else _ASSISTED if act is not None else _HELD
    return DecisionTrace(
        application=str(filed.filing.application_id),
        number=act.number if act else None,
        decided_at=filed.decided_at,
        part_of_the_machine=part,
        rulebook=rulebook.digest,
        rules_version=decision.rules_version,
        data=tuple(_data(filed)),
        parameters=tuple(_parameters(rulebook, filed)),
        operations=tuple(
            Operation(
                rule=finding.rule,
                title=TITLES[finding.rule],
                outcome=finding.outcome,
                message=finding.message,
                measured=finding.measured,
                limit=finding.limit,
                occupancy=None if finding.occupancy is None else finding.occupancy + 1,
                citation=finding.citation,
            )
            for finding in decision.findings
        ),
        fee=decision.fee,
    )


def _data(filed: Filed) -> Iterator[Datum]:
    application = filed.filing.application
    by = "la demande"
    yield Datum(label="SIRET", value=application.siret, source=by)
    period = f"du {day_text(application.starts_on)} au {day_text(application.ends_on)}"
    yield Datum(label="Période demandée", value=period, source=by)
    for index, occupancy in enumerate(application.occupancies, 1):
        yield Datum(label=f"Occupation {index}", value=_asked(occupancy), source=by)
    for name, answer in (*application.answers.items(), *_answers(application)):
        yield Datum(label=f"Réponse « {name} »", value=answer, source=by)
    if filed.facts is None:
        return
    yield from _registry(filed.facts.registry)
    for index, place in enumerate(filed.facts.places, 1):
        yield from _place(index, place)


def _asked(occupancy: Occupancy) -> str:
    told = [occupancy.kind.label, f"{occupancy.pieces} unité{'s' * (occupancy.pieces > 1)}"]
    for label, figure in (
        ("longueur", occupancy.length_m),
        ("largeur", occupancy.width_m),
        ("hauteur", occupancy.height_m),
        ("passage libre", occupancy.footway_clear_width_m),
    ):
        told += [f"{label} {measure(figure)} m"] if figure is not None else []
    told.append(f"{occupancy.parking_spaces_taken} place de stationnement prise")
    told.append("une voie fermée" if occupancy.lane_closed else "aucune voie fermée")
    told.append("ancrée dans le sol" if occupancy.anchored_in_ground else "non ancrée")
    return ", ".join(told)


def _answers(application: Application) -> Iterator[tuple[str, str]]:
    for index, occupancy in enumerate(application.occupancies, 1):
        yield from ((f"{name} (occupation {index})", answer) for name, answer in occupancy.answers.items())


def _registry(answer: RegistryAnswer) -> Iterator[Datum]:
    """What the company registry said, and when; what it protects is not repeated."""
    for evidence in answer.evidence:
        source, at = evidence.source.label, evidence.fetched_at
        if not isinstance(answer, Establishment):
            yield Datum(label="Établissement", value="non communiqué par cette source", source=source, at=at)
            continue
        state = "ouvert" if answer.is_open else "fermé"
        unit = "active" if answer.unit_is_active else "cessée"
        yield Datum(label="Établissement", value=f"{state}, entreprise {unit}", source=source, at=at)
        if not answer.partially_diffusible and answer.name is not None:
            yield Datum(label="Nom", value=answer.name, source=source, at=at)


_ADDRESSES = {
    AddressCheck.MATCHES: "concorde avec l’emprise",
    AddressCheck.FAR: "loin de l’emprise",
    AddressCheck.UNKNOWN_ADDRESS: "introuvable",
    AddressCheck.UNAVAILABLE: "non vérifiée",
}


def _place(index: int, place: PlaceFacts) -> Iterator[Datum]:
    of = f"occupation {index}"
    area = f"{measure(place.footprint.area_m2)} m²"
    yield Datum(label=f"Surface dessinée, {of}", value=area, source="mesure du contour dessiné")
    zones = ", ".join(place.zones) or "aucune"
    yield Datum(label=f"Zones touchées, {of}", value=zones, source="règlement (zones.geojson)")
    checked = _ADDRESSES[place.address_check]
    yield Datum(label=f"Adresse, {of}", value=checked, source="Géoplateforme (géocodage)")
    taken = ", ".join(other.number for other in place.standing) or "aucun"
    yield Datum(label=f"Permis en place, {of}", value=taken, source="registre des arrêtés")


def _parameters(rulebook: Rulebook, filed: Filed) -> Iterator[Parameter]:
    """The limits in force on the day of the decision."""
    assert filed.decided_at is not None
    day = paris_day(filed.decided_at)
    for name in Limits.model_fields:
        limit: Dated[object] = getattr(rulebook.limits, name)
        held = limit.on(day)
        yield Parameter(
            id=name,
            label=limit.label,
            value=value_text(held.value, limit.unit),
            since=held.since,
            citation=held.citation,
        )
