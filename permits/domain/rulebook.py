"""The law as data: the figures in force on a day, each with the text it comes from.

A dated value holds from its day until the next entry's; an abrogated entry ends it. A hole is our
fault, never a refusal: `NotInForce` says which figure is missing and on which day.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import IntEnum
from string import Formatter
from typing import Annotated, Any, ClassVar, Generic, Literal, Self, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from permits.domain.application import Day, Kind
from permits.domain.decision import Citation
from permits.domain.model import Value
from permits.domain.permit import Appeal, IssuingAuthority, Signatory
from permits.domain.place import Position
from permits.domain.retention import DEFAULT_RETENTION, Retention

T = TypeVar("T")


class NotInForce(Exception):
    """The rulebook holds no value of that name on that day."""

    def __init__(self, name: str, day: date) -> None:
        super().__init__(f"{name} has no value in force on {day.isoformat()}")
        self.name = name
        self.day = day


class Assurance(IntEnum):
    """How we know that the applicant speaks for the company, weakest first."""

    NONE = 0
    CONFIRMED_EMAIL = 1
    PROCONNECT_SIRET = 2
    KEY_BOUND_TO_SIREN = 3

    @property
    def code(self) -> str:
        return self.name.lower()


def _assurance(value: object) -> object:
    if isinstance(value, str) and value.upper() in Assurance.__members__:
        return Assurance[value.upper()]
    return value


class Entry(Value, Generic[T]):
    """A value from a day on, with its text; `abrogated` ends the series."""

    value: T | None = None
    abrogated: bool = False
    cites: Citation

    @model_validator(mode="after")
    def _value_or_end(self) -> Self:
        if (self.value is None) != self.abrogated:
            raise ValueError("give either a value or abrogated: true")
        return self


class InForce(Value, Generic[T]):
    """The value that holds on a day, and the text behind it."""

    value: T
    citation: Citation
    since: date


class Dated(Value, Generic[T]):
    """One figure through time. `checked_on` is when a person last compared it with its text."""

    label: Annotated[str, Field(min_length=3)]
    unit: str
    checked_on: Day
    values: Annotated[Mapping[Day, Entry[T]], Field(min_length=1)]

    def on(self, day: date) -> InForce[T]:
        """Return what holds on `day`, or raise NotInForce."""
        since = max((start for start in self.values if start <= day), default=None)
        if since is None or (entry := self.values[since]).value is None:
            raise NotInForce(self.label, day)
        return InForce[T](value=entry.value, citation=entry.cites, since=since)


Count = Annotated[int, Field(ge=0, le=3660)]
Quantity = Annotated[Decimal, Field(ge=0)]


class Limits(Value):
    """The figures that the rules compare the facts with."""

    applicant_assurance_threshold: Dated[Annotated[Assurance, BeforeValidator(_assurance)]]
    automatic_kinds: Dated[tuple[Kind, ...]]
    notice_working_days: Dated[Count]
    longest_duration_days: Dated[Count]
    furthest_start_days: Dated[Count]
    footway_min_clear_width_m: Dated[Quantity]
    scaffold_max_projection_m: Dated[Quantity]
    address_max_distance_m: Dated[Quantity]
    territory_margin_km: Dated[Quantity]
    footprint_tolerance_m: Dated[Quantity]
    footprint_min_width_m: Dated[Quantity]
    dimensions_tolerance_percent: Dated[Quantity]
    dimensions_tolerance_m2: Dated[Quantity]
    evidence_max_age_hours: Dated[Count]
    silence_months: Dated[Count]


# What a prescription may quote: the limits that are figures.
FIGURES = tuple(name for name in Limits.model_fields if name.endswith(("_m", "_m2", "_km", "_days", "_months")))


class ForbiddenPeriod(Value):
    """Days on which nothing may stand in a zone, both ends included."""

    id: str
    label: str
    zone: str
    from_day: Day
    to_day: Day
    cites: Citation

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.to_day < self.from_day:
            raise ValueError("to_day comes before from_day")
        return self


class PrescriptionRule(Value):
    """A condition written on the permit when one of `kinds` is asked for (any kind when empty).

    `text` may hold the {name} of one of FIGURES: the figure in force is printed.
    """

    id: str
    text: str
    kinds: tuple[Kind, ...] = ()
    when: Literal["always", "no_urbanism_file", "several_days"] = "always"
    cites: Citation

    @field_validator("text")
    @classmethod
    def _names_known_figures(cls, text: str) -> str:
        for _, name, layout, conversion in Formatter().parse(text):
            if name is not None and (name not in FIGURES or layout or conversion):
                raise ValueError(f"no figure is named {{{name}}}; known: {', '.join(FIGURES)}")
        return text


class TariffItem(Value):
    """One line of the scale: `rate` euros per `unit` and per `per`.

    A week begun is due in full. `unit` request is charged once an application.
    """

    label: str
    kinds: tuple[Kind, ...] = ()
    unit: Literal["m2", "piece", "request"]
    per: Literal["day", "week", "once"]
    # Nothing is free by a figure: a free case needs its own text (CG3P art. L2125-1), and is not there yet.
    rate: Annotated[Decimal, Field(gt=0, max_digits=10, decimal_places=4)]
    started_unit: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.unit == "request") != (not self.kinds):
            raise ValueError("a request line names no kinds; any other line names at least one")
        if self.unit == "request" and self.per != "once":
            raise ValueError("a request line is charged once")
        return self


class Scale(Value):
    """A whole scale of charges, as voted. Amounts are rounded line by line, half up to the cent."""

    name: str
    rounding: Literal["line_half_up_cent"]
    items: Annotated[tuple[TariffItem, ...], Field(min_length=1)]


class Zone(Value):
    """A part of the territory: one closed ring of WGS84 (longitude, latitude)."""

    id: str
    label: str
    ring: Annotated[tuple[Position, ...], Field(min_length=4)]

    @model_validator(mode="after")
    def _closed(self) -> Self:
        if self.ring[0] != self.ring[-1]:
            raise ValueError(f"zone {self.id} is not closed")
        return self


class Delegation(Value):
    """Who signs from a day to another, both included."""

    from_day: Day
    to_day: Day | None = None
    signatory: Signatory

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.to_day is not None and self.to_day < self.from_day:
            raise ValueError("to_day comes before from_day")
        return self


Prefix = Annotated[str, Field(pattern=r"^[A-Z]{2,8}$")]


class Series(Value):
    """The prefixes of the numbers, each its own gapless series a year.

    Extensions and corrections are permits, withdrawals are numbered with abrogations. A series that is
    not named is not used: such an act can't be taken.
    """

    permits: Prefix
    refusals: Prefix | None = None
    abrogations: Prefix | None = None
    sandbox: Prefix | None = None

    @model_validator(mode="after")
    def _differ(self) -> Self:
        named = [prefix for prefix in (self.permits, self.refusals, self.abrogations, self.sandbox) if prefix]
        if len(set(named)) < len(named):
            raise ValueError("each series needs a prefix of its own")
        return self


class EndingGround(Value):
    """A ground in law to end a permit: which acts it bears, and until when after the permit was taken."""

    id: Annotated[str, Field(pattern=r"^[a-z_]{3,40}$")]
    acts: Annotated[tuple[Literal["abrogation", "withdrawal"], ...], Field(min_length=1)]
    label: Annotated[str, Field(min_length=10)]
    within_months: Annotated[int, Field(ge=1, le=120)] | None = None
    cites: Citation


class EndingFeeTerms(Value):
    """What becomes of the fee of a permit that is abrogated or withdrawn: one sentence for both, and its text."""

    text: Annotated[str, Field(min_length=10)]
    cites: Citation


Identified = TypeVar("Identified", Zone, ForbiddenPeriod, PrescriptionRule, EndingGround)


def _one_of_each(items: tuple[Identified, ...]) -> tuple[Identified, ...]:
    ids = [item.id for item in items]
    if twice := sorted({each for each in ids if ids.count(each) > 1}):
        raise ValueError(f"given twice: {', '.join(twice)}")
    return items


class AuthorityFile(Value):
    """The authority: who it is, who signs, where to appeal, and the texts every act cites.

    `visas` are those of what allows, `ruling_visas` those of refusals, abrogations and withdrawals.
    """

    identity: IssuingAuthority
    crs: Annotated[str, Field(pattern=r"^EPSG:\d{4,5}$")]
    series: Series
    signatories: tuple[Delegation, ...]
    appeal: Appeal
    algorithm_contact: str
    payment_terms: str
    visas: Annotated[tuple[Citation, ...], Field(min_length=1)]
    considerations: Annotated[tuple[str, ...], Field(min_length=1)]
    ruling_visas: tuple[Citation, ...] = ()
    ending_fee_terms: EndingFeeTerms | None = None
    endings: Annotated[tuple[EndingGround, ...], AfterValidator(_one_of_each)] = ()

    @model_validator(mode="after")
    def _says_what_rulings_need(self) -> Self:
        series = self.series
        if (series.refusals or series.abrogations or series.sandbox) and not self.ruling_visas:
            raise ValueError("ruling_visas is missing: refusals, abrogations and withdrawals cite texts of their own")
        if self.endings and self.ending_fee_terms is None:
            raise ValueError("ending_fee_terms is missing: say what becomes of the fee of a permit that ends early")
        return self


# The rules that compare with no figure of limits/: rules.yaml holds the text of each of them.
CITED_RULES = {
    "SIRET-EXISTS",
    "SIRET-CERTAIN",
    "SIRET-STANDING",
    "PAYER",
    "AUTH-MATCH",
    "SIGNATORY",
    "EMPRISE-NONE",
    "DATES-FUTURE",
    "PARKING-USED",
    "LANE-CLOSED",
    "EVENT-BAN",
    "OVERLAP",
    "PRICE",
}


class Rulebook(Value):
    """Everything an authority has decided, as loaded; `digest` names exactly this content."""

    digest: str
    authority: AuthorityFile
    limits: Limits
    rules: Mapping[str, Citation]
    zones: Annotated[tuple[Zone, ...], AfterValidator(_one_of_each)]
    forbidden_periods: Annotated[tuple[ForbiddenPeriod, ...], AfterValidator(_one_of_each)]
    prescriptions: Annotated[tuple[PrescriptionRule, ...], AfterValidator(_one_of_each)]
    tariff: Dated[Scale]
    retention: Retention = DEFAULT_RETENTION

    TERRITORY: ClassVar[str] = "territory"

    @field_validator("rules")
    @classmethod
    def _cites_each_rule(cls, rules: Mapping[str, Citation]) -> Mapping[str, Citation]:
        if missing := sorted(CITED_RULES - rules.keys()):
            raise ValueError(f"no text for {', '.join(missing)}")
        if unknown := sorted(rules.keys() - CITED_RULES):
            raise ValueError(f"no rule is named {', '.join(unknown)}")
        return rules

    @field_validator("zones")
    @classmethod
    def _has_a_territory(cls, zones: tuple[Zone, ...]) -> tuple[Zone, ...]:
        if cls.TERRITORY not in {zone.id for zone in zones}:
            raise ValueError(f"no zone is named {cls.TERRITORY}")
        return zones

    @field_validator("forbidden_periods")
    @classmethod
    def _is_in_known_zones(
        cls, periods: tuple[ForbiddenPeriod, ...], info: ValidationInfo
    ) -> tuple[ForbiddenPeriod, ...]:
        known = {zone.id for zone in info.data.get("zones", ())}
        for period in periods:
            if known and period.zone not in known:
                raise ValueError(f"{period.id}: no zone is named {period.zone}")
        return periods

    def zone(self, zone_id: str) -> Zone:
        return next(zone for zone in self.zones if zone.id == zone_id)

    def signatory_on(self, day: date) -> Signatory | None:
        """Return who signs on `day`, None when no delegation is valid."""
        for delegation in self.authority.signatories:
            if delegation.from_day <= day and (delegation.to_day is None or day <= delegation.to_day):
                return delegation.signatory
        return None

    def cite(self, rule: str) -> Citation:
        """Return the text behind a rule; a rule without one can't be applied."""
        return self.rules[rule]


def limit_values(limits: Limits, day: date) -> dict[str, Any]:
    """Return every limit in force on `day`, by name."""
    return {name: getattr(limits, name).on(day).value for name in Limits.model_fields}
