"""The rules: one small function each, in the order of the law, named as what is true when all is well.

Every rule is heard and tells what it saw, good news too. The ids are those of the catalogue in
docs/rules.md. A rule never refuses: it finds all well, sets a condition, or refers to a person.
"""

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
from permits.domain.rules.variants import Variants, version_on
from permits.domain.tariff.fee import compute_fee

# In the order of the law, as the trace of a decision tells them.
RULES: tuple[Variants[Rule], ...] = tuple(
    Variants(rule)
    for rule in (
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
)

# What the rule PRICE computes.
PRICING = Variants(compute_fee)


def rules_on(day: date) -> tuple[Rule, ...]:
    """Return the rules as they are heard for a decision of that day, in the order of the law."""
    return tuple(variants.on(day) for variants in RULES)


def rules_version_on(day: date) -> date:
    """Return what a decision of that day says of the logic it was taken by: the day since which it is what it is."""
    return version_on(day, (*RULES, PRICING))


__all__ = ["PRICING", "RULES", "Case", "Rule", "Variants", "rules_on", "rules_version_on"]
