"""What another rulebook would have changed: past applications taken again under the one in force and under the other.

Each is moved whole weeks ahead, weekdays kept, until it is decided on the day asked or later: a rulebook that takes
effect next year says nothing of last year's days. Each is measured anew under both, from what the applicant drew.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine

from permits.desk import Law
from permits.domain.admissibility import Inadmissible, check_answers
from permits.domain.application import Application
from permits.domain.calendar import paris_day
from permits.domain.dated import NotInForce
from permits.domain.decide import decide
from permits.domain.decision import Decision, Referred
from permits.domain.facts import Facts
from permits.domain.place import AddressCheck, PlaceFacts
from permits.issue import measure
from permits.register.decisions import decisions

# How many files have been looked at, and how many there are.
Progress = Callable[[int, int], None]
_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Amount:
    """The total of a fee, and its currency (ISO 4217)."""

    total: Decimal
    currency: str


@dataclass(frozen=True)
class Result:
    """What a law makes of one file. `outcome` is that of the decision, or in French why there would be none."""

    outcome: str
    grounds: tuple[str, ...] = ()
    fee: Amount | None = None


@dataclass(frozen=True)
class Change:
    """One file that would be decided otherwise, or at another fee."""

    what: str
    before: Result
    after: Result


@dataclass
class Sums:
    """What files cost in all: under the law in force, and under the other."""

    before: Decimal = Decimal(0)
    after: Decimal = Decimal(0)


@dataclass
class Backtest:
    """What a rulebook would have changed. `erased` files could not be taken again: their evidence is no longer kept.

    `fees` are the sums by currency, over the files that have a fee in it under both.
    """

    taken: int = 0
    erased: int = 0
    outcomes: dict[tuple[str, str], int] = field(default_factory=dict)
    fees: dict[str, Sums] = field(default_factory=dict)
    fees_changed: int = 0
    changed: int = 0
    changes: list[Change] = field(default_factory=list)

    def note(self, change: Change, most: int) -> None:
        """Count a file that was taken under both; of those that change, the first `most` are kept."""
        before, after = change.before, change.after
        self.taken += 1
        outcomes = (before.outcome, after.outcome)
        self.outcomes[outcomes] = self.outcomes.get(outcomes, 0) + 1
        if before.fee is not None and after.fee is not None and before.fee.currency == after.fee.currency:
            sums = self.fees.setdefault(before.fee.currency, Sums())
            sums.before += before.fee.total
            sums.after += after.fee.total
        self.fees_changed += before.fee != after.fee
        if before == after:
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
    return Change(what=row.label or str(row.id), before=before, after=after)


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


def _taken(application: Application, facts: Facts, law: Law) -> Result:
    """Return what a law makes of a file, admitted, measured and compared as that law has it."""
    try:
        check_answers(application, law.rulebook.questions)
        places = tuple(_measured(application, facts, law))
        return _result(decide(application, facts.model_copy(update={"places": places}), law.rulebook))
    except Inadmissible as refused:
        return Result(f"irrecevable : {refused.message.rstrip('.')}")
    except NotInForce as missing:
        return Result(f"« {missing.name} » n’a pas de valeur en vigueur le {missing.day}")


def _measured(application: Application, facts: Facts, law: Law) -> Iterator[PlaceFacts]:
    farthest = law.rulebook.limits.address_max_distance_m.on(facts.decided_on).value
    for place, footprint in zip(facts.places, measure(law, application, facts.received_at), strict=True):
        check, distance = place.address_check, place.address_distance_m
        if distance is not None:
            check = AddressCheck.MATCHES if distance <= farthest else AddressCheck.FAR
        yield PlaceFacts(
            footprint=footprint,
            in_territory=law.surveyor.in_territory(footprint),
            zones=law.surveyor.zones_of(footprint),
            address_check=check,
            address_distance_m=distance,
            standing=place.standing,
        )


def _result(decision: Decision) -> Result:
    grounds = tuple(ground.rule for ground in decision.grounds) if isinstance(decision, Referred) else ()
    fee = decision.fee
    return Result(decision.outcome, grounds, Amount(fee.total, fee.currency) if fee else None)
