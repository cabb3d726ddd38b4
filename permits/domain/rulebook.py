"""The law as data: the figures in force on a day, each with the text it comes from.

A dated value holds from its day until the next entry's; an abrogated entry ends it. A hole is our
fault, never a refusal: `NotInForce` says which figure is missing and on which day.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from enum import IntEnum, StrEnum
from string import Formatter
from typing import Annotated, Any, ClassVar, Generic, Literal, Self, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from permits.domain.application import Day, Kind
from permits.domain.decision import Citation
from permits.domain.forbidden import Calendar, ForbiddenPeriod
from permits.domain.french import measure
from permits.domain.model import Misplaced, Value
from permits.domain.permit import Appeal, IssuingAuthority, Signatory
from permits.domain.place import Position
from permits.domain.questions import Question
from permits.domain.retention import DEFAULT_RETENTION, Retention
from permits.domain.tariff.scale import UNITS, Scale

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

    @property
    def label(self) -> str:
        """What it is, in French."""
        return _ASSURANCE_LABELS[self]


_ASSURANCE_LABELS = {
    Assurance.NONE: "aucun lien",
    Assurance.CONFIRMED_EMAIL: "une adresse électronique confirmée",
    Assurance.PROCONNECT_SIRET: "une identification ProConnect pour ce SIRET",
    Assurance.KEY_BOUND_TO_SIREN: "une clé d’accès remise à l’entreprise",
}


AssuranceName = Literal["none", "confirmed_email", "proconnect_siret", "key_bound_to_siren"]


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
            raise ValueError("donnez value, ou abrogated: true, pas les deux")
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

    @model_validator(mode="after")
    def _has_no_hole(self) -> Self:
        for day in sorted(self.values)[:-1]:
            if self.values[day].abrogated:
                raise Misplaced("un trou dans le temps : ce qui est abrogé ne se reprend pas plus tard", "values", day)
        return self

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

    applicant_assurance_threshold: Dated[
        Annotated[Assurance, BeforeValidator(_assurance, json_schema_input_type=AssuranceName)]
    ]
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

    @field_validator("*")
    @classmethod
    def _always_holds(cls, limit: Dated[Any]) -> Dated[Any]:
        """Nothing can be decided on a day without its limits: a city replaces one, and never leaves a hole."""
        first, last = min(limit.values), max(limit.values)
        if first > limit.checked_on:
            raise ValueError(f"un trou dans le temps : rien n’est en vigueur du {limit.checked_on} au {first}")
        if limit.values[last].abrogated:
            raise Misplaced("un trou dans le temps : une limite se remplace, elle ne s’abroge pas", "values", last)
        return limit


# What a prescription may quote: the limits that are figures.
FIGURES = tuple(name for name in Limits.model_fields if name.endswith(("_m", "_m2", "_km", "_days", "_months")))


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
                raise ValueError(f"aucun chiffre ne s’appelle {{{name}}} ; connus : {', '.join(FIGURES)}")
        return text


class RoadClass(StrEnum):
    """Whose road it is, which decides who is competent (CGCT art. L2213-6; CVR art. L113-2)."""

    COMMUNAL = "communal"
    DEPARTMENTAL = "departmental"
    NATIONAL = "national"
    HIGH_TRAFFIC = "high_traffic"  # à grande circulation, whatever its owner

    @property
    def label(self) -> str:
        """Its French name."""
        return _ROAD_LABELS[self]


_ROAD_LABELS = {
    RoadClass.COMMUNAL: "voie communale",
    RoadClass.DEPARTMENTAL: "route départementale",
    RoadClass.NATIONAL: "route nationale",
    RoadClass.HIGH_TRAFFIC: "route à grande circulation",
}


class Competence(Value):
    """Who gives the permit on a class of road: this authority, this one after an opinion, or another."""

    road: RoadClass
    in_agglomeration: bool = True
    permit: Literal["ours", "ours_after_opinion", "not_ours"]
    cites: Citation


class Zone(Value):
    """A part of the territory: one closed ring of WGS84 (longitude, latitude).

    `road` is the class of the roads in it, `in_agglomeration` whether they are in agglomération; None says nothing.
    """

    id: str
    label: str
    road: RoadClass | None = None
    in_agglomeration: bool | None = None
    ring: Annotated[tuple[Position, ...], Field(min_length=4)]

    @model_validator(mode="after")
    def _closed(self) -> Self:
        if self.ring[0] != self.ring[-1]:
            raise ValueError(f"la zone {self.id} n’est pas fermée : répétez le premier point à la fin")
        return self


class Delegation(Value):
    """Who signs from a day to another, both included."""

    from_day: Day
    to_day: Day | None = None
    signatory: Signatory

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.to_day is not None and self.to_day < self.from_day:
            raise ValueError("to_day précède from_day")
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
            raise ValueError("chaque suite de numéros a un préfixe à elle")
        return self


class EndingGround(Value):
    """A ground in law to end a permit: which acts it bears, and until when after the permit was taken."""

    id: Annotated[str, Field(pattern=r"^[a-z_]{3,40}$")]
    acts: Annotated[tuple[Literal["abrogation", "withdrawal"], ...], Field(min_length=1)]
    label: Annotated[str, Field(min_length=10)]
    within_months: Annotated[int, Field(ge=1, le=120)] | None = None
    cites: Citation


class EndingFeeTerms(Value):
    """What becomes of the fee of a permit that is abrogated or withdrawn: one sentence for both, and its text.

    After an abrogation the fee is `kept`, `recomputed` for the days before its effect, or `pro_rata` of them; after a
    withdrawal it is `kept`, due for the file alone (`file_only`), or not at all (`nothing`).
    """

    abrogation: Literal["kept", "recomputed", "pro_rata"]
    withdrawal: Literal["kept", "file_only", "nothing"]
    text: Annotated[str, Field(min_length=10)]
    cites: Citation


Identified = TypeVar("Identified", Zone, Calendar, ForbiddenPeriod, PrescriptionRule, EndingGround, Question)


def _one_of_each(items: tuple[Identified, ...]) -> tuple[Identified, ...]:
    ids = [item.id for item in items]
    for position, each in enumerate(ids):
        if each in ids[:position]:
            raise Misplaced(f"donné deux fois : {each}", position, "id")
    return items


class AuthorityFile(Value):
    """The authority: who it is, who signs, where to appeal, and the texts every act cites.

    `visas` are those of what allows, `ruling_visas` those of refusals, abrogations and withdrawals.
    """

    identity: IssuingAuthority
    crs: Annotated[str, Field(pattern=r"^EPSG:\d{4,5}$")]
    series: Series
    competences: tuple[Competence, ...] = ()
    signatories: tuple[Delegation, ...]
    appeal: Appeal
    algorithm_contact: str
    payment_terms: str
    visas: Annotated[tuple[Citation, ...], Field(min_length=1)]
    considerations: Annotated[tuple[str, ...], Field(min_length=1)]
    ruling_visas: tuple[Citation, ...] = ()
    ending_fee_terms: EndingFeeTerms | None = None
    endings: Annotated[tuple[EndingGround, ...], AfterValidator(_one_of_each)] = ()

    @field_validator("competences")
    @classmethod
    def _one_for_each_road(cls, competences: tuple[Competence, ...]) -> tuple[Competence, ...]:
        seen = [(each.road, each.in_agglomeration) for each in competences]
        for position, each in enumerate(seen):
            if each in seen[:position]:
                raise Misplaced("cette voie a déjà sa compétence", position, "road")
        return competences

    @model_validator(mode="after")
    def _says_what_rulings_need(self) -> Self:
        series = self.series
        if (series.refusals or series.abrogations or series.sandbox) and not self.ruling_visas:
            raise ValueError("il manque ruling_visas : refus, abrogations et retraits citent leurs propres textes")
        if self.endings and self.ending_fee_terms is None:
            raise ValueError(
                "il manque ending_fee_terms : dites ce que devient la redevance d’un permis qui finit plus tôt"
            )
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


Fault = tuple[str, tuple[object, ...]]


def _scale_faults(scale: Scale, zones: set[str], questions: Mapping[str, Question]) -> Iterator[Fault]:
    """Tell which words of a scale name no zone, no question, or no answer to it; and where."""
    for position, zone in enumerate(scale.zone_order):
        if zone not in zones:
            yield f"aucune zone ne s’appelle {zone}", ("zone_order", position)
    choices = {name: question.answers for name, question in questions.items() if question.answers is not None}
    figures = questions.keys() - choices.keys()
    for position, item in enumerate(scale.items):
        if item.unit not in UNITS and item.unit not in figures:
            known = ", ".join((*UNITS, *sorted(figures)))
            yield f"unité inconnue : {item.unit} ; connues : {known}", ("items", position, "unit")
        for name, answers in item.questions():
            yield from ((fault, ("items", position)) for fault in _answer_faults(name, answers, choices))
    for position, adjustment in enumerate(scale.adjustments):
        for name, answers in adjustment.when.answers.items():
            yield from ((fault, ("adjustments", position)) for fault in _answer_faults(name, answers, choices))
            if adjustment.of != "each_occupancy" and questions[name].about != "application":
                yield "une question sur l’occupation demande of: each_occupancy", ("adjustments", position, "of")


def _answer_faults(name: str, answers: Iterable[str], choices: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    if name not in choices:
        yield f"aucune question à choix ne s’appelle {name} (questions.yaml)"
    elif unknown := sorted(set(answers) - choices[name].keys()):
        yield f"la question {name} n’a pas pour réponse {', '.join(unknown)}"


class Rulebook(Value):
    """Everything an authority has decided, as loaded; `digest` names exactly this content."""

    digest: str
    authority: AuthorityFile
    limits: Limits
    rules: Mapping[str, Citation]
    zones: Annotated[tuple[Zone, ...], AfterValidator(_one_of_each)]
    calendars: Annotated[tuple[Calendar, ...], AfterValidator(_one_of_each)] = ()
    forbidden_periods: Annotated[tuple[ForbiddenPeriod, ...], AfterValidator(_one_of_each)]
    prescriptions: Annotated[tuple[PrescriptionRule, ...], AfterValidator(_one_of_each)]
    questions: Annotated[tuple[Question, ...], AfterValidator(_one_of_each)] = ()
    tariff: Dated[Scale]
    retention: Retention = DEFAULT_RETENTION

    TERRITORY: ClassVar[str] = "territory"

    @field_validator("rules")
    @classmethod
    def _cites_each_rule(cls, rules: Mapping[str, Citation]) -> Mapping[str, Citation]:
        if missing := sorted(CITED_RULES - rules.keys()):
            raise ValueError(f"il manque le texte de {', '.join(missing)}")
        if unknown := sorted(rules.keys() - CITED_RULES):
            raise Misplaced(f"aucune règle ne s’appelle {unknown[0]}", unknown[0])
        return rules

    @field_validator("zones")
    @classmethod
    def _has_a_territory(cls, zones: tuple[Zone, ...]) -> tuple[Zone, ...]:
        if cls.TERRITORY not in {zone.id for zone in zones}:
            raise ValueError(f"aucune zone ne s’appelle {cls.TERRITORY}")
        return zones

    @field_validator("forbidden_periods")
    @classmethod
    def _is_in_known_zones_and_calendars(
        cls, periods: tuple[ForbiddenPeriod, ...], info: ValidationInfo
    ) -> tuple[ForbiddenPeriod, ...]:
        known = {zone.id for zone in info.data.get("zones", ())}
        calendars = {calendar.id for calendar in info.data.get("calendars", ())}
        for position, period in enumerate(periods):
            if period.calendar is not None and period.calendar not in calendars:
                raise Misplaced(f"aucun calendrier ne s’appelle {period.calendar}", position, "calendar")
            if known and period.zone not in known:
                raise Misplaced(f"aucune zone ne s’appelle {period.zone}", position, "zone")
        return periods

    @field_validator("tariff")
    @classmethod
    def _rests_on_known_zones_and_questions(cls, tariff: Dated[Scale], info: ValidationInfo) -> Dated[Scale]:
        zones = {zone.id for zone in info.data.get("zones", ())}
        questions = {question.id: question for question in info.data.get("questions", ())}
        for day, entry in tariff.values.items():
            for fault, path in _scale_faults(entry.value, zones, questions) if entry.value else ():
                raise Misplaced(fault, "values", day, "value", *path)
        return tariff

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


def figure_texts(limits: Limits, day: date) -> dict[str, str]:
    """Return every limit in force on `day` as a prescription prints it, by name."""
    return {name: str(value).replace(".", ",") for name, value in limit_values(limits, day).items()}


def value_text(value: object, unit: str) -> str:
    """Write a figure of the rulebook for a person: a list by its labels, a level by its code, a number and its unit."""
    if isinstance(value, tuple):
        return ", ".join(getattr(each, "label", str(each)) for each in value)
    if isinstance(value, Assurance):
        return value.label
    shown = measure(value) if isinstance(value, Decimal) else str(value)
    return f"{shown} {unit}".strip()
