"""A decision is a value: granted with its conditions and fee, or referred to a person with every ground.

The machine never refuses (a refusal is a motivated act of an agent, CRPA art. L211-2).
"""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from permits.domain.model import Value


class Verification(StrEnum):
    """How far a citation was checked against the text of the law."""

    TEXT_READ = "text_read"
    SECONDARY = "secondary_source"
    UNVERIFIED = "unverified"


class Citation(Value):
    """The text behind a figure, a rule or a condition."""

    text: str
    url: str | None = None
    verification: Verification = Verification.UNVERIFIED


class Outcome(StrEnum):
    """What one rule concluded."""

    OK = "ok"
    CONDITION = "condition"  # allowed, with a prescription on the permit
    REFER = "refer"  # a person decides


class Finding(Value):
    """What one rule saw. `occupancy` is the index of the occupancy concerned, None for the whole application."""

    rule: str
    outcome: Outcome
    message: str
    measured: str | None = None
    limit: str | None = None
    citation: Citation
    occupancy: int | None = None


class Prescription(Value):
    """A condition written on the permit (CRPA art. L211-2, 3°)."""

    id: str
    text: str
    citation: Citation


LineNature = Literal["charge", "adjustment", "penalty", "deposit", "rounding", "credit"]


class FeeLine(Value):
    """quantity × rate ÷ divided_by = amount, rounded as `rounding` says (its mode and its step).

    `explanation` tells in French what was counted; `occupancy` is the index of the one charged, None for the file.
    """

    label: str
    nature: LineNature = "charge"
    occupancy: int | None = None
    quantity: Decimal
    unit: str
    rate: Decimal
    divided_by: Decimal = Decimal(1)
    amount: Decimal
    rounding: str
    explanation: str
    citation: Citation


class Fee(Value):
    """What the occupation costs: droits de voirie, not subject to VAT. `total` is the sum of `lines`.

    `deposits` are given back, and are no part of the total.
    """

    currency: str = "EUR"
    total: Decimal
    lines: tuple[FeeLine, ...]
    deposits: tuple[FeeLine, ...] = ()
    tariff: str


class Granted(Value):
    """Everything is inside the envelope the city has set for automatic decisions.

    `rules_version` names the logic of the rules that were heard, as the rulebook's digest names their figures.
    """

    outcome: Literal["granted"] = "granted"
    findings: tuple[Finding, ...]
    prescriptions: tuple[Prescription, ...]
    fee: Fee
    rules_version: date


class Referred(Value):
    """A person decides; `grounds` are the findings that ask for it. `fee` is an estimate, None if it can't be told."""

    outcome: Literal["referred"] = "referred"
    findings: tuple[Finding, ...]
    prescriptions: tuple[Prescription, ...]
    fee: Fee | None
    rules_version: date

    @property
    def grounds(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.outcome is Outcome.REFER)


Decision = Granted | Referred
