"""When: notice, start, duration, and the days that are closed to works."""

from collections.abc import Iterator
from datetime import timedelta

from permits.domain.decision import Citation, Finding, Verification
from permits.domain.forbidden import ForbiddenPeriod
from permits.domain.french import day_text
from permits.domain.rules.case import Case


def notice_is_respected(case: Case) -> Iterator[Finding]:
    """The application comes enough working days ahead: the day of filing is not counted, the first day is."""
    notice = case.rulebook.limits.notice_working_days.on(case.facts.decided_on)
    first = case.rulebook.authority.public_holidays.nth_working_day_after(case.facts.received_on, notice.value)
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
    """Longer occupations are examined by a person; an extension counts from the first day of the first permit."""
    longest = case.rulebook.limits.longest_duration_days.on(case.facts.decided_on)
    extended = case.facts.extends
    first = extended.starts_on if extended else case.application.starts_on
    days = (case.application.ends_on - first).days + 1
    yield case.finding(
        "DURATION-MAX",
        days <= longest.value,
        f"L’occupation dure {days} jour{'s' * (days > 1)} ; la machine accorde jusqu’à {longest.value} jours.",
        measured=str(days),
        limit=str(longest.value),
        citation=longest.citation,
    )


NO_RIGHT_TO_RENEWAL = Citation(
    text="aucun droit au renouvellement : chaque demande est examinée (Conseil d’État, 25 janvier 2017, n° 395314)",
    verification=Verification.SECONDARY,
)


def extension_follows_its_permit(case: Case) -> Iterator[Finding]:
    """An extension adds days to a permit that still stands, from the day after its end; heard only for one."""
    extended = case.facts.extends
    if extended is None:
        return
    follows = case.application.starts_on == extended.ends_on + timedelta(days=1)
    message = f"La prolongation suit le permis {extended.number}, qui court jusqu’au {day_text(extended.ends_on)}."
    if not extended.stands:
        message = (
            f"Le permis {extended.number} a pris fin, est prolongé ou en cours de modification : un agent examine."
        )
    elif not follows:
        message = f"La prolongation doit commencer le lendemain de la fin du permis {extended.number}."
    yield case.finding(
        "EXTENSION",
        follows and extended.stands,
        message,
        measured=case.application.starts_on.isoformat(),
        limit=extended.ends_on.isoformat(),
        citation=NO_RIGHT_TO_RENEWAL,
    )


def season_allows_it(case: Case) -> Iterator[Finding]:
    """Markets, fairs, seasons and holidays close parts of the town to works on given days."""
    for index, occupancy, place in case.occupancies:
        clashes = [
            finding
            for period in case.rulebook.forbidden_periods
            if period.zone in (case.rulebook.TERRITORY, *place.zones)
            and (not period.kinds or occupancy.kind in period.kinds)
            and (finding := _clash(case, period, index)) is not None
        ]
        yield from clashes
        if not clashes:
            yield case.finding("EVENT-BAN", True, "Aucune période interdite à cet endroit.", occupancy=index)


def _clash(case: Case, period: ForbiddenPeriod, index: int) -> Finding | None:
    """Return what a forbidden period says of the days asked, None when it leaves them free."""
    calendars, holidays = case.rulebook.calendars, case.rulebook.authority.public_holidays
    days = {day: period.holds(day, calendars, holidays) for day in case.application.each_day()}
    forbidden = [day for day, held in days.items() if held]
    unknown = [day for day, held in days.items() if held is None]
    limit = None
    if forbidden and period.from_day and period.to_day:
        limit = f"{period.from_day}/{period.to_day}"
        message = f"{period.label} : aucune occupation du {day_text(period.from_day)} au {day_text(period.to_day)}."
    elif forbidden:
        first, last = forbidden[0], forbidden[-1]
        limit = f"{first}/{last}"
        told = f"le {day_text(first)}" if first == last else f"entre le {day_text(first)} et le {day_text(last)}"
        message = f"{period.label} : des jours demandés sont interdits, {told}."
    elif unknown:
        message = f"{period.label} : le calendrier n’est pas connu au {day_text(unknown[0])}, un agent vérifie."
    else:
        return None
    return case.finding(
        "EVENT-BAN",
        False,
        message,
        measured=f"{case.application.starts_on}/{case.application.ends_on}",
        limit=limit,
        citation=period.cites,
        occupancy=index,
    )
