"""The rules: one small function each, in the order of the law, named as what is true when all is well.

Every rule is heard and tells what it saw, good news too. The ids are those of the catalogue in
docs/rules.md. A rule never refuses: it finds all well, sets a condition, or refers to a person.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from permits.domain.application import Application, Kind, Occupancy
from permits.domain.calendar import nth_working_day_after
from permits.domain.decision import Citation, Finding, Outcome
from permits.domain.establishment import Establishment, Protected, Standing
from permits.domain.facts import Facts
from permits.domain.french import day_text, measure
from permits.domain.place import AddressCheck, PlaceFacts
from permits.domain.rulebook import Assurance, Rulebook
from permits.domain.tariff import declared_area_m2, dimensions_agree


@dataclass(frozen=True)
class Case:
    """What is asked, what was established, and the law it is held against."""

    application: Application
    facts: Facts
    rulebook: Rulebook

    @property
    def occupancies(self) -> Iterator[tuple[int, Occupancy, PlaceFacts]]:
        pairs = zip(self.application.occupancies, self.facts.places, strict=True)
        return ((index, occupancy, place) for index, (occupancy, place) in enumerate(pairs))

    def finding(
        self,
        rule: str,
        well: bool,
        message: str,
        *,
        measured: str | None = None,
        limit: str | None = None,
        citation: Citation | None = None,
        occupancy: int | None = None,
    ) -> Finding:
        return Finding(
            rule=rule,
            outcome=Outcome.OK if well else Outcome.REFER,
            message=message,
            measured=measured,
            limit=limit,
            citation=citation or self.rulebook.cite(rule),
            occupancy=occupancy,
        )


Rule = Callable[[Case], Iterator[Finding]]


def establishment_is_open(case: Case) -> Iterator[Finding]:
    """A company identifies itself with its SIRENE number (CRPA art. R112-9-1): open, and its unit active."""
    answer = case.facts.registry
    if isinstance(answer, Establishment):
        well = answer.is_open and answer.unit_is_active
        since = answer.unit_ceased_on if answer.is_open else answer.closed_on
        state = "ouvert" if well else "fermé" + (f" depuis le {day_text(since)}" if since else "")
        message = f"L’établissement {answer.siret} est {state} au registre Sirene."
    elif isinstance(answer, Protected):
        well = False
        message = "Le registre détient cet établissement mais ne peut en communiquer l’état : un agent vérifie."
    else:
        well = False
        message = "L’établissement n’a pas été trouvé dans la source consultée : un agent vérifie."
    yield case.finding("SIRET-EXISTS", well, message)


def establishment_is_certain(case: Case) -> Iterator[Finding]:
    """The number's key is right, the answer is about the number asked, and the name is known."""
    answer = case.facts.registry
    doubts = []
    if not case.facts.siret_key_is_valid:
        doubts.append("la clé de contrôle du SIRET est inhabituelle")
    if isinstance(answer, Establishment):
        if answer.was_merged:
            doubts.append(f"le registre a fusionné ce SIRET avec {answer.siret}")
        if answer.name is None:
            doubts.append("le nom de l’entreprise est masqué par le registre")
    message = "L’identité de l’établissement est certaine."
    if doubts:
        message = "Un agent confirme l’identité : " + " ; ".join(doubts) + "."
    yield case.finding("SIRET-CERTAIN", not doubts, message)


def company_is_in_good_standing(case: Case) -> Iterator[Finding]:
    """Struck off, insolvent or unknown to the source: no ground to refuse, a person looks at it."""
    if not isinstance(case.facts.registry, Establishment):
        return
    standing, since = case.facts.registry.standing, case.facts.registry.standing_since
    dated = f" depuis le {day_text(since)}" if since else ""
    messages = {
        Standing.REGISTERED: "L’entreprise est inscrite, sans procédure collective signalée.",
        Standing.NOT_REGISTERED: "L’entreprise n’est pas de celles qui s’inscrivent au registre du commerce.",
        Standing.STRUCK_OFF: f"L’entreprise est radiée{dated} : un agent vérifie qui peut la représenter.",
        Standing.INSOLVENCY: f"Une procédure collective est signalée{dated} : un agent vérifie qui peut s’engager.",
        Standing.UNKNOWN: "La source consultée ne dit rien d’une radiation ou d’une procédure collective.",
    }
    well = standing in (Standing.REGISTERED, Standing.NOT_REGISTERED)
    yield case.finding("SIRET-STANDING", well, messages[standing])


_ASSURANCE_TEXT = {
    Assurance.NONE: "rien ne relie le demandeur à l’entreprise",
    Assurance.CONFIRMED_EMAIL: "une adresse électronique a été confirmée",
    Assurance.PROCONNECT_SIRET: "le demandeur s’est identifié par ProConnect pour ce SIRET",
    Assurance.KEY_BOUND_TO_SIREN: "la clé d’accès a été remise à cette entreprise",
}


def applicant_speaks_for_the_company(case: Case) -> Iterator[Finding]:
    """Nobody makes a permit in another firm's name by typing its SIRET."""
    threshold = case.rulebook.limits.applicant_assurance_threshold.on(case.facts.decided_on)
    assurance = case.facts.assurance
    yield case.finding(
        "APPLICANT",
        assurance >= threshold.value,
        f"Lien entre le demandeur et l’entreprise : {_ASSURANCE_TEXT[assurance]}.",
        measured=assurance.code,
        limit=threshold.value.code,
        citation=threshold.citation,
    )


def payer_agrees(case: Case) -> Iterator[Finding]:
    """Nobody makes a debt in another firm's name: a payer other than the company must be known as well."""
    if case.application.payer_siret is None:
        return
    threshold = case.rulebook.limits.applicant_assurance_threshold.on(case.facts.decided_on)
    assurance = case.facts.payer_assurance
    yield case.finding(
        "PAYER",
        assurance >= threshold.value,
        f"Lien entre le demandeur et le payeur désigné : {_ASSURANCE_TEXT[assurance]}.",
        measured=assurance.code,
        limit=threshold.value.code,
    )


def authority_is_competent(case: Case) -> Iterator[Finding]:
    """The place lies in the authority's territory (CGCT art. L2213-6; otherwise CRPA art. L114-2)."""
    for index, _, place in case.occupancies:
        message = "L’emplacement est dans le ressort de l’autorité."
        if not place.in_territory:
            message = (
                "L’emplacement n’est pas entièrement dans le ressort de l’autorité : un agent transmet ou partage."
            )
        yield case.finding("AUTH-MATCH", place.in_territory, message, occupancy=index)


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


def notice_is_respected(case: Case) -> Iterator[Finding]:
    """The application comes enough working days ahead: the day of filing is not counted, the first day is."""
    notice = case.rulebook.limits.notice_working_days.on(case.facts.decided_on)
    first = nth_working_day_after(case.facts.received_on, notice.value)
    well = case.application.starts_on >= first
    message = f"Le délai de {notice.value} jours ouvrés est respecté."
    if not well:
        message = f"Il faut {notice.value} jours ouvrés : premier jour possible le {day_text(first)}."
    yield case.finding(
        "NOTICE",
        well,
        message,
        measured=case.application.starts_on.isoformat(),
        limit=first.isoformat(),
        citation=notice.citation,
    )


def start_is_still_to_come(case: Case) -> Iterator[Finding]:
    """An application that waited may be decided when its period has begun: a person regularises."""
    start, day = case.application.starts_on, case.facts.decided_on
    well = start > day
    message = "L’occupation commence après le jour de la décision."
    if not well:
        message = f"L’occupation devait commencer le {day_text(start)}, la décision est du {day_text(day)}."
    yield case.finding("DATES-FUTURE", well, message, measured=start.isoformat(), limit=day.isoformat())


def start_is_near_enough(case: Case) -> Iterator[Finding]:
    """A street is not reserved years ahead."""
    furthest = case.rulebook.limits.furthest_start_days.on(case.facts.decided_on)
    ahead = (case.application.starts_on - case.facts.received_on).days
    yield case.finding(
        "START-FURTHEST",
        ahead <= furthest.value,
        f"Le début est dans {ahead} jour{'s' * (ahead > 1)} ; "
        f"la machine accorde jusqu’à {furthest.value} jours à l’avance.",
        measured=str(ahead),
        limit=str(furthest.value),
        citation=furthest.citation,
    )


def duration_is_short_enough(case: Case) -> Iterator[Finding]:
    """Longer occupations are examined by a person."""
    longest = case.rulebook.limits.longest_duration_days.on(case.facts.decided_on)
    days = case.application.days
    yield case.finding(
        "DURATION-MAX",
        days <= longest.value,
        f"L’occupation dure {days} jour{'s' * (days > 1)} ; la machine accorde jusqu’à {longest.value} jours.",
        measured=str(days),
        limit=str(longest.value),
        citation=longest.citation,
    )


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


def season_allows_it(case: Case) -> Iterator[Finding]:
    """Markets, fairs and seasons close parts of the town to works on given days."""
    for index, _, place in case.occupancies:
        clashes = [
            period
            for period in case.rulebook.forbidden_periods
            if period.zone in (case.rulebook.TERRITORY, *place.zones)
            and period.from_day <= case.application.ends_on
            and case.application.starts_on <= period.to_day
        ]
        for period in clashes:
            yield case.finding(
                "EVENT-BAN",
                False,
                f"{period.label} : aucune occupation du {day_text(period.from_day)} au {day_text(period.to_day)}.",
                measured=f"{case.application.starts_on}/{case.application.ends_on}",
                limit=f"{period.from_day}/{period.to_day}",
                citation=period.cites,
                occupancy=index,
            )
        if not clashes:
            yield case.finding("EVENT-BAN", True, "Aucune période interdite à cet endroit.", occupancy=index)


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
        if dimensions_agree(occupancy, place, case.rulebook, day):
            message = f"Les dimensions déclarées concordent avec l’emprise dessinée ({measure(drawn)} m²)."
        else:
            message = f"La surface dessinée fait foi pour la redevance : {measure(drawn)} m²."
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


RULES: tuple[Rule, ...] = (
    establishment_is_open,
    establishment_is_certain,
    company_is_in_good_standing,
    applicant_speaks_for_the_company,
    payer_agrees,
    authority_is_competent,
    somebody_may_sign,
    nothing_enters_the_ground,
    kind_is_automatic,
    notice_is_respected,
    start_is_still_to_come,
    start_is_near_enough,
    duration_is_short_enough,
    pedestrians_can_pass,
    scaffold_stays_close_to_the_wall,
    parking_stays_free,
    traffic_keeps_its_lanes,
    season_allows_it,
    address_is_where_it_was_drawn,
    dimensions_match_the_drawing,
    street_is_free,
)
