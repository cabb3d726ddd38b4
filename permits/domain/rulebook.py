"""The law as data: everything an authority has decided, figures, places, conditions and rates, each with its text."""

from collections.abc import Mapping
from datetime import date
from string import Formatter
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from permits.domain.application import Kind
from permits.domain.authority import AuthorityFile, RoadClass
from permits.domain.dated import Dated
from permits.domain.decision import Citation
from permits.domain.forbidden import Calendar, ForbiddenPeriod
from permits.domain.limits import FIGURES, Limits
from permits.domain.model import Misplaced, Value
from permits.domain.permit import Signatory
from permits.domain.place import Position
from permits.domain.questions import Question
from permits.domain.retention import DEFAULT_RETENTION, Retention
from permits.domain.tariff.references import scale_faults
from permits.domain.tariff.scale import UNITS, Scale
from permits.domain.unique import one_of_each
from permits.domain.written import YesOrNo


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
        try:
            parsed = list(Formatter().parse(text))
        except ValueError:
            raise ValueError("une accolade n’est pas fermée, ou pas ouverte : {nom_d’une_limite}") from None
        for _, name, layout, conversion in parsed:
            if name is not None and (name not in FIGURES or layout or conversion):
                raise ValueError(f"aucun chiffre ne s’appelle {{{name}}} ; connus : {', '.join(FIGURES)}")
        return text


class Zone(Value):
    """A part of the territory: one closed ring of WGS84 (longitude, latitude).

    `road` is the class of the roads in it, `in_agglomeration` whether they are in agglomération; None says nothing.
    """

    id: str
    label: str
    road: RoadClass | None = None
    in_agglomeration: YesOrNo | None = None
    ring: Annotated[tuple[Position, ...], Field(min_length=4)]

    @model_validator(mode="after")
    def _closed(self) -> Self:
        if self.ring[0] != self.ring[-1]:
            raise Misplaced(f"la zone {self.id} n’est pas fermée : répétez le premier point à la fin", "ring")
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
    zones: Annotated[tuple[Zone, ...], AfterValidator(one_of_each)]
    calendars: Annotated[tuple[Calendar, ...], AfterValidator(one_of_each)] = ()
    forbidden_periods: Annotated[tuple[ForbiddenPeriod, ...], AfterValidator(one_of_each)]
    prescriptions: Annotated[tuple[PrescriptionRule, ...], AfterValidator(one_of_each)]
    questions: Annotated[tuple[Question, ...], AfterValidator(one_of_each)] = ()
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

    @field_validator("questions")
    @classmethod
    def _differ_from_the_words_of_the_scale(cls, questions: tuple[Question, ...]) -> tuple[Question, ...]:
        for position, question in enumerate(questions):
            if question.id in (*UNITS, "zone"):
                raise Misplaced(f"{question.id} est un mot du barème : prenez un autre nom", position, "id")
        return questions

    @field_validator("tariff")
    @classmethod
    def _rests_on_known_zones_and_questions(cls, tariff: Dated[Scale], info: ValidationInfo) -> Dated[Scale]:
        zones = {zone.id for zone in info.data.get("zones", ())}
        questions = {question.id: question for question in info.data.get("questions", ())}
        for day, entry in tariff.values.items():
            for fault, path in scale_faults(entry.value, zones, questions) if entry.value else ():
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
