"""Where: what stays free for others, and whether the place is what it is said to be."""

from collections.abc import Iterator

from permits.domain.application import Kind
from permits.domain.decision import Finding
from permits.domain.french import day_text, measure
from permits.domain.place import AddressCheck
from permits.domain.rules.case import Case
from permits.domain.tariff.measures import declared_area_m2, dimensions_agree, tolerance_on


def pedestrians_can_pass(case: Case) -> Iterator[Finding]:
    """A clear footway of at least 1.40 m (arrêté of 15 January 2007, art. 1); not declared is not clear."""
    least = case.rulebook.limits.footway_min_clear_width_m.on(case.facts.decided_on)
    for index, occupancy, _ in case.occupancies:
        clear = occupancy.footway_clear_width_m
        well = clear is not None and clear >= least.value
        if clear is None:
            message = "La largeur libre laissée aux piétons n’est pas déclarée."
        elif well:
            message = f"Les piétons gardent {measure(clear)} m de passage libre."
        else:
            message = f"Il manque {measure(least.value - clear)} m de passage libre pour les piétons."
        yield case.finding(
            "FOOTWAY-MIN",
            well,
            message,
            measured=None if clear is None else str(clear),
            limit=str(least.value),
            citation=least.citation,
            occupancy=index,
        )


def scaffold_stays_close_to_the_wall(case: Case) -> Iterator[Finding]:
    """A scaffold projects no further than the limit of the règlement de voirie; not declared is not close."""
    most = case.rulebook.limits.scaffold_max_projection_m.on(case.facts.decided_on)
    for index, occupancy, _ in case.occupancies:
        if occupancy.kind is not Kind.SCAFFOLDING:
            continue
        width = occupancy.width_m
        message = "La saillie de l’échafaudage n’est pas déclarée (largeur)."
        if width is not None:
            message = f"L’échafaudage avance de {measure(width)} m ; la limite est de {measure(most.value)} m."
        yield case.finding(
            "SCAFF-PROJ",
            width is not None and width <= most.value,
            message,
            measured=None if width is None else str(width),
            limit=str(most.value),
            citation=most.citation,
            occupancy=index,
        )


def parking_stays_free(case: Case) -> Iterator[Finding]:
    """A parking space taken needs an arrêté de police besides (CGCT art. L2213-1), taken by a person."""
    for index, occupancy, _ in case.occupancies:
        spaces = occupancy.parking_spaces_taken
        message = "Aucune place de stationnement n’est prise."
        if spaces:
            plural = "s" * (spaces > 1)
            message = f"{spaces} place{plural} de stationnement prise{plural} : il faut aussi un arrêté de police."
        yield case.finding("PARKING-USED", spaces == 0, message, measured=str(spaces), limit="0", occupancy=index)


def traffic_keeps_its_lanes(case: Case) -> Iterator[Finding]:
    """A traffic, bus or cycle lane closed needs an arrêté de police besides (CGCT art. L2213-1)."""
    for index, occupancy, _ in case.occupancies:
        message = "Aucune voie de circulation n’est fermée."
        if occupancy.lane_closed:
            message = "Une voie de circulation est fermée : il faut aussi un arrêté de police, pris par une personne."
        yield case.finding("LANE-CLOSED", not occupancy.lane_closed, message, occupancy=index)


def address_is_where_it_was_drawn(case: Case) -> Iterator[Finding]:
    """The drawing and the address tell the same place; an address that nobody could check is not a match."""
    most = case.rulebook.limits.address_max_distance_m.on(case.facts.decided_on)
    for index, _, place in case.occupancies:
        distance = place.address_distance_m
        shown = "" if distance is None else f" ({measure(distance)} m)"
        messages = {
            AddressCheck.MATCHES: f"L’adresse et l’emprise dessinée concordent{shown}.",
            AddressCheck.FAR: f"L’emprise dessinée est loin de l’adresse donnée{shown}.",
            AddressCheck.UNKNOWN_ADDRESS: "L’adresse n’a pas été trouvée : un agent la vérifie.",
            AddressCheck.UNAVAILABLE: "L’adresse n’a pas pu être vérifiée (service d’adresses indisponible).",
        }
        yield case.finding(
            "PLACE-ADDRESS",
            place.address_check is AddressCheck.MATCHES,
            messages[place.address_check],
            measured=None if distance is None else str(distance),
            limit=str(most.value),
            citation=most.citation,
            occupancy=index,
        )


def dimensions_match_the_drawing(case: Case) -> Iterator[Finding]:
    """What is billed: the declared dimensions where they agree with the drawing, else the drawn area."""
    day = case.facts.decided_on
    tolerance = case.rulebook.limits.dimensions_tolerance_percent.on(day)
    for index, occupancy, place in case.occupancies:
        declared, drawn = declared_area_m2(occupancy), place.footprint.area_m2
        if dimensions_agree(occupancy, drawn, tolerance_on(case.rulebook.limits, day)):
            message = f"Les dimensions déclarées concordent avec l’emprise dessinée ({measure(drawn)} m²)."
        else:
            message = (
                f"Les dimensions ne concordent pas : au mètre carré, l’emprise dessinée compte ({measure(drawn)} m²)."
            )
        yield case.finding(
            "DIMENSIONS",
            True,
            message,
            measured=None if declared is None else str(declared),
            limit=str(drawn),
            citation=tolerance.citation,
            occupancy=index,
        )


def street_is_free(case: Case) -> Iterator[Finding]:
    """No other worksite's live permit stands there on these days (CVR art. L115-1)."""
    for index, _, place in case.occupancies:
        for other in place.standing:
            yield case.finding(
                "OVERLAP",
                False,
                f"Le permis {other.number} occupe déjà cet endroit du {day_text(other.starts_on)}"
                f" au {day_text(other.ends_on)}.",
                measured=f"{other.starts_on}/{other.ends_on}",
                occupancy=index,
            )
        if not place.standing:
            yield case.finding("OVERLAP", True, "L’emplacement est libre sur toute la période.", occupancy=index)
