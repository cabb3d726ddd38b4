"""How long a decision takes, its fee included, and how that grows with the lines of the tariff.

`python -m bench.decide`: half a minute on one core, without a database.
"""

import time
from pathlib import Path
from typing import Any

from bench.tell import tell_load, tell_machine
from permits.domain.decide import decide
from permits.domain.rulebook import Rulebook
from permits.laws import load_law
from tests.domain.builders import an_application, some_facts

DEMONSTRATION = Path(__file__).resolve().parents[1] / "rulebooks" / "exemple"
TIMES, UNCOUNTED = 10_000, 500
# So many times the eight lines of the demonstration.
LONGER = (1, 10, 100, 1000)


def main() -> None:
    """Measure the demonstration's tariff, then longer and longer ones."""
    tell_machine()
    rulebook = load_law(DEMONSTRATION).rulebook
    for concerned, longer in ((False, LONGER), (True, LONGER[:-1])):
        print(f"\n{'lines charged' if concerned else 'lines of the tariff':>20}{'p50 ms':>10}{'p99 ms':>10}")
        for times in longer:
            law = _lengthened(rulebook, times, concerned=concerned)
            ((_, entry),) = law.tariff.values.items()
            assert entry.value is not None
            p50, p99 = _measured(law, TIMES // times if concerned else TIMES if times < 100 else TIMES // 10)
            print(f"{len(entry.value.items):>20}{p50:>10.3f}{p99:>10.3f}", flush=True)
    tell_load()


def _measured(rulebook: Rulebook, times: int) -> tuple[float, float]:
    """Return the median and the 99th percentile of a decision, in milliseconds."""
    application, facts = an_application(), some_facts()
    taken = []
    for _ in range(times + UNCOUNTED):
        begun = time.perf_counter()
        decision = decide(application, facts, rulebook)
        taken.append((time.perf_counter() - begun) * 1000)
    assert decision.outcome == "granted"
    counted = sorted(taken[UNCOUNTED:])
    return counted[times // 2], counted[times * 99 // 100]


def _lengthened(rulebook: Rulebook, times: int, *, concerned: bool) -> Rulebook:
    """Return the rulebook so many times as long: by lines that charge the application, or that look at it in vain."""
    ((day, entry),) = rulebook.tariff.values.items()
    assert entry.value is not None
    others = [item for item in entry.value.items if item.kinds and ("scaffolding" in item.kinds) is concerned]
    more = len(entry.value.items) * (times - 1)
    added = tuple(others[n % len(others)].model_copy(update={"label": f"Autre {n}"}) for n in range(more))
    longer: Any = entry.value.model_copy(update={"items": entry.value.items + added})
    values = {day: entry.model_copy(update={"value": longer})}
    return rulebook.model_copy(update={"tariff": rulebook.tariff.model_copy(update={"values": values})})


if __name__ == "__main__":
    main()
