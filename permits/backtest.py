"""What another rulebook would have changed: past applications taken again under the one in force and under the other.

Each is moved whole weeks ahead, weekdays kept, until it is decided on the day asked or later: a rulebook that takes
effect next year says nothing of last year's days.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine

from permits.desk import Law
from permits.domain.application import Application
from permits.domain.calendar import paris_day
from permits.domain.dated import NotInForce
from permits.domain.decide import decide
from permits.domain.decision import Decision, Granted, Referred
from permits.domain.facts import Facts
from permits.domain.place import PlaceFacts
from permits.register.decisions import decisions

# How many files have been looked at, and how many there are.
Progress = Callable[[int, int], None]
_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Change:
    """One file that would be decided otherwise, or at another fee; an outcome is that of the decision, or the error."""

    what: str
    outcome_before: str
    outcome_after: str
    grounds_before: tuple[str, ...]
    grounds_after: tuple[str, ...]
    fee_before: Decimal | None
    fee_after: Decimal | None


@dataclass
class Backtest:
    """What a rulebook would have changed. `erased` files could not be taken again: their evidence is no longer kept.

    `fees_before` and `fees_after` are the sums over the files that have a fee under both.
    """

    taken: int = 0
    erased: int = 0
    outcomes: dict[tuple[str, str], int] = field(default_factory=dict)
    fees_before: Decimal = Decimal(0)
    fees_after: Decimal = Decimal(0)
    fees_changed: int = 0
    changed: int = 0
    changes: list[Change] = field(default_factory=list)

    def note(self, change: Change, most: int) -> None:
        self.taken += 1
        outcomes = (change.outcome_before, change.outcome_after)
        self.outcomes[outcomes] = self.outcomes.get(outcomes, 0) + 1
        if change.fee_before is not None and change.fee_after is not None:
            self.fees_before += change.fee_before
            self.fees_after += change.fee_after
        same_fee = change.fee_before == change.fee_after
        self.fees_changed += not same_fee
        same = (change.outcome_before, change.grounds_before) == (change.outcome_after, change.grounds_after)
        if same and same_fee:
            return
        self.changed += 1
        if len(self.changes) < most:
            self.changes.append(change)


def backtest(
    engine: Engine,
    authority: str,
    in_force: Law,
    proposed: Law,
    *,
    on: date,
    since: date | None = None,
    most_changes: int = 1000,
    progress: Progress = lambda _taken, _total: None,
) -> Backtest:
    """Take past decisions again under both laws, as if they were taken on `on` or later; nothing is written.

    `since` is the first day of decision, in Paris.
    """
    done = Backtest()
    with decisions(engine, authority, since=since) as recorded:
        for row in recorded.rows:
            if row.answer is None:
                done.erased += 1
            else:
                done.note(_change(row, in_force, proposed, on), most_changes)
            progress(done.taken + done.erased, recorded.total)
    return done


def _change(row: Any, in_force: Law, proposed: Law, on: date) -> Change:
    application = Application.model_validate(row.body)
    facts = Facts.model_validate(row.facts | {"registry": row.answer})
    late = max((on - facts.decided_on).days, 0)
    application, facts = _moved(application, facts, -(-late // 7) * _WEEK)
    before, after = _taken(application, facts, in_force), _taken(application, facts, proposed)
    return Change(
        what=row.label or str(row.id),
        outcome_before=_outcome(before),
        outcome_after=_outcome(after),
        grounds_before=_grounds(before),
        grounds_after=_grounds(after),
        fee_before=_fee(before),
        fee_after=_fee(after),
    )


def _moved(application: Application, facts: Facts, by: timedelta) -> tuple[Application, Facts]:
    """Return the file as if it had come so much later. Who halted issuing then says nothing of the rulebook."""
    received_at = facts.received_at + by
    extended = facts.extends
    return (
        application.model_copy(update={"starts_on": application.starts_on + by, "ends_on": application.ends_on + by}),
        facts.model_copy(
            update={
                "received_at": received_at,
                "received_on": paris_day(received_at),
                "decided_on": facts.decided_on + by,
                "issuing_is_halted": False,
                "extends": extended
                and extended.model_copy(
                    update={
                        "received_on": extended.received_on + by,
                        "starts_on": extended.starts_on + by,
                        "ends_on": extended.ends_on + by,
                    }
                ),
            }
        ),
    )


def _taken(application: Application, facts: Facts, law: Law) -> Decision | str:
    """Return the decision under a law, its own zones and territory measured; or why it can't be taken."""
    places = tuple(_measured(place, law) for place in facts.places)
    try:
        return decide(application, facts.model_copy(update={"places": places}), law.rulebook)
    except NotInForce as missing:
        return f"« {missing.name} » n’a pas de valeur en vigueur le {missing.day}"


def _measured(place: PlaceFacts, law: Law) -> PlaceFacts:
    footprint = place.footprint
    if footprint.crs != law.rulebook.authority.crs:
        return place
    zones, inside = law.surveyor.zones_of(footprint), law.surveyor.in_territory(footprint)
    return place.model_copy(update={"zones": zones, "in_territory": inside})


def _outcome(decision: Decision | str) -> str:
    return decision if isinstance(decision, str) else decision.outcome


def _grounds(decision: Decision | str) -> tuple[str, ...]:
    return tuple(ground.rule for ground in decision.grounds) if isinstance(decision, Referred) else ()


def _fee(decision: Decision | str) -> Decimal | None:
    fee = decision.fee if isinstance(decision, Granted | Referred) else None
    return fee.total if fee else None
