"""Granted filings to record straight in the register, each on a spot and in a week of its own."""

import math
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import uuid4

from permits.domain.decide import decide
from permits.domain.decision import Decision, Granted
from permits.domain.facts import Facts
from permits.domain.filing import Filed, Filing
from permits.domain.place import Footprint
from permits.issue import _record, gather, locate, measure
from tests.fakes import FakeOffice

# A town of 16 km by 16: spots on a grid, each turned its own way, taken from Monday to Friday over ten years.
SPOTS_A_ROW, GRID_M = 450, 36.0
SPOTS = SPOTS_A_ROW**2
WEEKS = 520
FIRST_MONDAY = date(2020, 1, 6)
# Steps over all (spot, week) pairs so that each comes once, in no visible order; it divides neither factor.
STRIDE = 40_503_587
LENGTH_M, DEPTH_M = 12.0, 1.2


def slot(index: int) -> tuple[int, date]:
    """Return the spot and the Monday of the index-th taking; two indexes never share both."""
    place = index * STRIDE % (SPOTS * WEEKS)
    return place % SPOTS, FIRST_MONDAY + timedelta(weeks=place // SPOTS)


def core(spot: int) -> tuple[tuple[float, float], ...]:
    """Return the closed ring of a spot, in metres."""
    angle = math.radians(spot * 137.5)
    cos, sin = math.cos(angle), math.sin(angle)
    x, y = spot % SPOTS_A_ROW * GRID_M, spot // SPOTS_A_ROW * GRID_M
    corners = ((0.0, 0.0), (LENGTH_M, 0.0), (LENGTH_M, DEPTH_M), (0.0, DEPTH_M), (0.0, 0.0))
    return tuple((round(x + cos * dx - sin * dy, 3), round(y + sin * dx + cos * dy, 3)) for dx, dy in corners)


@dataclass(frozen=True)
class Ready:
    """All that recording needs: what was filed, established and decided."""

    filing: Filing
    facts: Facts
    decision: Decision


class Filings:
    """An endless supply: the first example was gathered and decided once; each filing only changes place and days."""

    def __init__(self, office: FakeOffice) -> None:
        desk, filing = office.desk, office.filing()
        self._desk, self._filing = desk, filing
        answer = desk.registry.lookup(filing.application.siret)
        footprints = measure(desk.law, filing.application, filing.received_at)
        located = locate(desk, filing.application)
        self._facts = gather(desk, filing, answer, footprints, located, desk.clock())
        self._decision = decide(filing.application, self._facts, desk.law.rulebook)
        assert isinstance(self._decision, Granted)

    def at(self, index: int, *, sandbox: bool = False) -> Ready:
        """Return the index-th filing, of a worksite that no other filing shares."""
        spot, monday = slot(index)
        days = {"starts_on": monday, "ends_on": monday + timedelta(days=4)}
        filing = replace(
            self._filing,
            application_id=uuid4(),
            idempotency_key=f"filing-{index}",
            application=self._filing.application.model_copy(update=days),
            worksite_key=f"999990013/chantier {index}",
            sandbox=sandbox,
        )
        return self.granted(filing, self.footprint(spot))

    def granted(self, filing: Filing, footprint: Footprint) -> Ready:
        """Return a filing as if it had been granted there, whatever stands there."""
        place = self._facts.places[0].model_copy(update={"footprint": footprint})
        return Ready(filing, self._facts.model_copy(update={"places": (place,)}), self._decision)

    def footprint(self, spot: int) -> Footprint:
        """Return a spot as the surveyor would have measured it."""
        ring = core(spot)
        return self._facts.places[0].footprint.model_copy(update={"ring": ring, "core": ring})

    def record(self, ready: Ready, at: datetime | None = None) -> Filed:
        """Carry out the recording transaction, as the walk does, for a decision taken at that instant or now."""
        decided_at = at or self._desk.clock()
        return _record(self._desk, ready.filing, ready.facts, ready.decision, decided_at, waiting=False)
