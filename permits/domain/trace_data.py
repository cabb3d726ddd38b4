"""What was known of a case, and who said it: for the trace of its decision (CRPA art. R311-3-1-2, 2°)."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from permits.domain.application import Answers, Application, Occupancy
from permits.domain.establishment import Establishment, RegistryAnswer
from permits.domain.filing import Filed
from permits.domain.french import day_text, hour_text, measure
from permits.domain.model import Value
from permits.domain.place import AddressCheck, PlaceFacts
from permits.domain.rulebook import Rulebook

_ASKED = "la demande"
_REGISTER = "registre des arrêtés"


class Datum(Value):
    """One thing that was known: what it is, its value in French, and who said it."""

    label: str
    value: str
    source: str
    at: datetime | None = None


def data_of(filed: Filed, rulebook: Rulebook, *, named: bool) -> Iterator[Datum]:
    """Give all that the rules and the fee rest on; who asked only when they are `named`.

    The worksite's name is never repeated: it is free text, and may name a person.
    """
    yield from _asked(filed.filing.application, rulebook, named=named)
    yield Datum(label="Réception", value="par téléservice", source=_REGISTER, at=filed.filing.received_at)
    if filed.facts is None:
        told = "réponse effacée : la durée de sa conservation est échue"
        yield Datum(label="Registre des entreprises", value=told, source=_REGISTER)
    else:
        yield from _registry(filed.facts.registry, named=named)
        if (extended := filed.facts.extends) is not None:
            told = f"{extended.number}, qui court jusqu’au {day_text(extended.ends_on)}"
            yield Datum(label="Permis à prolonger", value=told, source=_REGISTER)
    zones = {zone.id: zone.label for zone in rulebook.zones}
    for index, place in enumerate(filed.places, 1):
        yield from _place(index, place, zones)


def _asked(application: Application, rulebook: Rulebook, *, named: bool) -> Iterator[Datum]:
    told = {
        "SIRET": application.siret if named else "donné, non publié",
        "Nom du chantier": "donné, non publié",
        "Payeur": "le bénéficiaire" if application.payer_siret is None else "une autre entreprise, non publiée",
        "Autorisation d’urbanisme": "numéro donné" if application.urbanism_file else "aucun numéro donné",
        "Période demandée": f"du {day_text(application.starts_on)} au {day_text(application.ends_on)}",
        "Horaires": "non déclarés",
    }
    if (hours := application.daily_hours) is not None:
        told["Horaires"] = f"de {hour_text(hours.from_)} à {hour_text(hours.to)}"
    yield from (Datum(label=label, value=value, source=_ASKED) for label, value in told.items())
    yield from _answers(application.answers, rulebook, "")
    for index, occupancy in enumerate(application.occupancies, 1):
        yield Datum(label=f"Occupation {index}", value=_occupancy(occupancy), source=_ASKED)
        yield from _answers(occupancy.answers, rulebook, f" (occupation {index})")


def _occupancy(occupancy: Occupancy) -> str:
    told = [occupancy.kind.label, _counted(occupancy.pieces, "unité")]
    for label, figure, unit in (
        ("longueur", occupancy.length_m, "m"),
        ("largeur", occupancy.width_m, "m"),
        ("hauteur", occupancy.height_m, "m"),
        ("passage libre", occupancy.footway_clear_width_m, "m"),
        ("poids du véhicule", occupancy.vehicle_tonnes, "t"),
    ):
        told += [f"{label} {measure(figure)} {unit}"] if figure is not None else []
    spaces = occupancy.parking_spaces_taken
    told.append(f"{_counted(spaces, 'place')} de stationnement prise{'s' * (spaces > 1)}")
    told.append("une voie fermée" if occupancy.lane_closed else "aucune voie fermée")
    told.append("ancrée dans le sol" if occupancy.anchored_in_ground else "non ancrée")
    return ", ".join(told)


def _counted(number: int, name: str) -> str:
    return f"{number} {name}{'s' * (number > 1)}"


def _answers(answers: Answers, rulebook: Rulebook, of: str) -> Iterator[Datum]:
    """Give what was answered, as the rulebook that decided asks it."""
    questions = {question.id: question for question in rulebook.questions}
    for name, answer in answers.items():
        question = questions.get(name)
        if question is None:
            yield Datum(label=f"« {name} »{of}", value=f"{answer} (ce règlement ne le demande pas)", source=_ASKED)
            continue
        meant = (question.answers or {}).get(answer, answer)
        unit = f" {question.figure.unit}" if question.figure else ""
        yield Datum(label=f"« {question.asks} »{of}", value=f"{meant}{unit}", source=_ASKED)


def _registry(answer: RegistryAnswer, *, named: bool) -> Iterator[Datum]:
    """What the company registry said, and when."""
    for evidence in answer.evidence:
        source, at = evidence.source.label, evidence.fetched_at
        if evidence.told is not None:
            yield Datum(label="Établissement", value=evidence.told, source=source, at=at)
            continue
        if not isinstance(answer, Establishment):
            yield Datum(label="Établissement", value="non communiqué par cette source", source=source, at=at)
            continue
        state = "ouvert" if answer.is_open else "fermé"
        unit = "active" if answer.unit_is_active else "cessée"
        yield Datum(label="Établissement", value=f"{state}, entreprise {unit}", source=source, at=at)
    if named and isinstance(answer, Establishment) and answer.name is not None and answer.evidence:
        first = answer.evidence[0]
        yield Datum(label="Nom", value=answer.name, source=first.source.label, at=first.fetched_at)


_ADDRESSES = {
    AddressCheck.MATCHES: "concorde avec l’emprise",
    AddressCheck.FAR: "loin de l’emprise",
    AddressCheck.UNKNOWN_ADDRESS: "introuvable",
    AddressCheck.UNAVAILABLE: "non vérifiée",
}


def _place(index: int, place: PlaceFacts, labels: Mapping[str, str]) -> Iterator[Datum]:
    of = f"occupation {index}"
    area = f"{measure(place.footprint.area_m2)} m²"
    yield Datum(label=f"Surface dessinée, {of}", value=area, source="mesure du contour dessiné")
    zones = ", ".join(labels.get(zone, zone) for zone in place.zones) or "aucune"
    yield Datum(label=f"Zones touchées, {of}", value=zones, source="règlement (zones.geojson)")
    checked = _ADDRESSES[place.address_check]
    yield Datum(label=f"Adresse, {of}", value=checked, source="Géoplateforme (géocodage)")
    taken = ", ".join(other.number for other in place.standing) or "aucun"
    yield Datum(label=f"Permis en place, {of}", value=taken, source=_REGISTER)
