"""The rules: one small function each, in the order of the law, named as what is true when all is well.

Every rule is heard and tells what it saw, good news too. The ids are those of the catalogue in
docs/rules.md. A rule never refuses: it finds all well, sets a condition, or refers to a person.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from permits.domain.rules.act import (
    answers_are_confirmed,
    authority_is_competent,
    issuing_is_not_suspended,
    kind_is_automatic,
    nothing_enters_the_ground,
    road_is_ours,
    somebody_may_sign,
)
from permits.domain.rules.case import Case, Rule
from permits.domain.rules.identity import (
    applicant_speaks_for_the_company,
    company_is_in_good_standing,
    establishment_is_certain,
    establishment_is_open,
    payer_agrees,
)
from permits.domain.rules.period import (
    duration_is_short_enough,
    extension_follows_its_permit,
    notice_is_respected,
    season_allows_it,
    start_is_near_enough,
    start_is_still_to_come,
)
from permits.domain.rules.street import (
    address_is_where_it_was_drawn,
    dimensions_match_the_drawing,
    parking_stays_free,
    pedestrians_can_pass,
    scaffold_stays_close_to_the_wall,
    street_is_free,
    traffic_keeps_its_lanes,
)

# Written in each decision: the day since which the rules are what they are. A rule whose logic changes is not edited:
# the new one is named with the old in Variants, from a day on, and this day is that of the last.
RULES_VERSION = date(2026, 11, 23)


@dataclass(frozen=True)
class Variants:
    """A rule whose logic changed: each variant holds from its day on; the first has always held."""

    first: Rule
    later: tuple[tuple[date, Rule], ...]

    def on(self, day: date) -> Rule:
        return next((rule for since, rule in reversed(self.later) if since <= day), self.first)


def rules_on(day: date, rules: Iterable[Rule | Variants] | None = None) -> tuple[Rule, ...]:
    """Return the rules as they were on a day of decision, in the order of the law."""
    every = RULES if rules is None else rules
    return tuple(each.on(day) if isinstance(each, Variants) else each for each in every)


# In the order of the law, as the trace of a decision tells them.
RULES: tuple[Rule, ...] = (
    issuing_is_not_suspended,
    establishment_is_open,
    establishment_is_certain,
    company_is_in_good_standing,
    applicant_speaks_for_the_company,
    payer_agrees,
    authority_is_competent,
    road_is_ours,
    somebody_may_sign,
    nothing_enters_the_ground,
    kind_is_automatic,
    answers_are_confirmed,
    notice_is_respected,
    start_is_still_to_come,
    start_is_near_enough,
    duration_is_short_enough,
    extension_follows_its_permit,
    pedestrians_can_pass,
    scaffold_stays_close_to_the_wall,
    parking_stays_free,
    traffic_keeps_its_lanes,
    season_allows_it,
    address_is_where_it_was_drawn,
    dimensions_match_the_drawing,
    street_is_free,
)

__all__ = ["RULES", "RULES_VERSION", "Case", "Rule", "Variants", "rules_on"]
