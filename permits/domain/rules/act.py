"""Which act is needed, who may take it, and whether the machine may."""

from collections.abc import Iterator

from permits.domain.application import Kind
from permits.domain.authority import RoadClass
from permits.domain.decision import Citation, Finding, Verification
from permits.domain.place import PlaceFacts
from permits.domain.rulebook import Rulebook
from permits.domain.rules.case import Case

INTERRUPTION = Citation(
    text="faculté d’interrompre à tout moment le traitement (Conseil d’État, avis n° 393836, § 35)",
    verification=Verification.SECONDARY,
)


def issuing_is_not_suspended(case: Case) -> Iterator[Finding]:
    """A person may interrupt the machine at any time; heard only then: it is a circumstance, not a rule of the city."""
    if case.facts.issuing_is_halted:
        message = "La délivrance automatique est suspendue : un agent décide."
        yield case.finding("ISSUING-OPEN", False, message, citation=INTERRUPTION)


def authority_is_competent(case: Case) -> Iterator[Finding]:
    """The place lies in the authority's territory (CGCT art. L2213-6; otherwise CRPA art. L114-2)."""
    for index, _, place in case.occupancies:
        message = "L’emplacement est dans le ressort de l’autorité."
        if not place.in_territory:
            message = (
                "L’emplacement n’est pas entièrement dans le ressort de l’autorité : un agent transmet ou partage."
            )
        yield case.finding("AUTH-MATCH", place.in_territory, message, occupancy=index)


def road_is_ours(case: Case) -> Iterator[Finding]:
    """The permit on this class of road is the authority's to give (CGCT art. L2213-6); heard where competences are set.

    A road that no zone describes is what the territory says, else a communal one, in agglomération.
    """
    competences = {(each.road, each.in_agglomeration): each for each in case.rulebook.authority.competences}
    if not competences:
        return
    for index, _, place in case.occupancies:
        for road, inside in sorted(_roads(case.rulebook, place)):
            held = competences.get((road, inside))
            where = f"{road.label} {'en' if inside else 'hors'} agglomération"
            permit = held.permit if held else "not_ours"
            message = {
                "ours": f"L’autorité est compétente ({where}).",
                "ours_after_opinion": f"Il faut d’abord l’avis du gestionnaire ({where}) : un agent le demande.",
                "not_ours": f"Le permis relève d’une autre autorité ({where}) : un agent lui transmet la demande.",
            }[permit]
            citation = held.cites if held else case.rulebook.cite("AUTH-MATCH")
            yield case.finding("ROAD-CLASS", permit == "ours", message, citation=citation, occupancy=index)


def _roads(rulebook: Rulebook, place: PlaceFacts) -> set[tuple[RoadClass, bool]]:
    """Return every class of road that the footprint touches, in or out of agglomération."""
    touched, territory = [zone for zone in rulebook.zones if zone.id in place.zones], rulebook.zone(rulebook.TERRITORY)
    said = {zone.in_agglomeration for zone in touched if zone.in_agglomeration is not None}
    inside = False not in said if said else territory.in_agglomeration is not False
    classes = {zone.road for zone in touched if zone.road is not None} or {territory.road or RoadClass.COMMUNAL}
    return {(road, inside) for road in classes}


def somebody_may_sign(case: Case) -> Iterator[Finding]:
    """The author's first name, name, quality and service are shown (CRPA art. L212-1, L212-2)."""
    signatory = case.rulebook.signatory_on(case.facts.decided_on)
    message = "Aucune délégation de signature n’est valable ce jour."
    if signatory:
        message = f"L’acte est pris par {signatory.first_name} {signatory.name}, {signatory.quality}."
    yield case.finding("SIGNATORY", signatory is not None, message)


def nothing_enters_the_ground(case: Case) -> Iterator[Finding]:
    """Anchoring or digging needs a permission de voirie (CVR art. L113-2), taken by a person."""
    for index, occupancy, _ in case.occupancies:
        enters = occupancy.anchored_in_ground or occupancy.kind is Kind.TRENCH
        message = "Rien n’entre dans le sol : un permis de stationnement suffit."
        if enters:
            message = "L’emprise entre dans le sol : il faut une permission de voirie, instruite par un agent."
        yield case.finding("EMPRISE-NONE", not enters, message, occupancy=index)


def kind_is_automatic(case: Case) -> Iterator[Finding]:
    """The city names the kinds that the machine may decide alone."""
    automatic = case.rulebook.limits.automatic_kinds.on(case.facts.decided_on)
    for index, occupancy, _ in case.occupancies:
        well = occupancy.kind in automatic.value
        tail = "peut être accordé automatiquement" if well else "est toujours examiné par un agent"
        message = f"Ce type d’occupation ({occupancy.kind.label}) {tail}."
        yield case.finding("KIND-AUTOMATIC", well, message, citation=automatic.citation, occupancy=index)


def answers_are_confirmed(case: Case) -> Iterator[Finding]:
    """What frees from a fee, or lowers it, is seen by a person (CG3P art. L2125-1); heard where it was answered."""
    for question in case.rulebook.questions:
        if question.cites is None or question.answers is None:
            continue
        given: list[tuple[int | None, str | None]] = [(None, case.application.answers.get(question.id))]
        given += [(index, occupancy.answers.get(question.id)) for index, occupancy, _ in case.occupancies]
        for index, answer in given:
            if answer is None:
                continue
            well = answer not in question.confirmed_by_agent
            told = f"{question.asks} « {question.answers.get(answer, answer)} »"
            message = f"{told}." if well else f"{told} : un agent le vérifie."
            yield case.finding("FREE", well, message, citation=question.cites, occupancy=index)
