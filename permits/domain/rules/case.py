"""What a rule is given, and what it gives back."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from permits.domain.application import Application, Occupancy
from permits.domain.decision import Citation, Finding, Outcome
from permits.domain.facts import Facts
from permits.domain.place import PlaceFacts
from permits.domain.rulebook import Rulebook


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
