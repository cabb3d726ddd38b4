"""What a contractor asks for: who, where, when, and what will stand on the street."""

import re
from collections.abc import Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    EmailStr,
    Field,
    StrictBool,
    WithJsonSchema,
    model_validator,
)

from permits.domain.model import PlainText, Value
from permits.domain.place import Place
from permits.domain.siret import Siret

_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def _iso_day(value: object) -> object:
    """Refuse what pydantic would guess a day from, such as a number of seconds."""
    if isinstance(value, date) or (isinstance(value, str) and _ISO_DAY.fullmatch(value)):
        return value
    raise ValueError("une date est attendue : AAAA-MM-JJ")


Day = Annotated[date, BeforeValidator(_iso_day)]
Length = Annotated[Decimal, Field(gt=0, le=500, max_digits=6, decimal_places=2)]


class Kind(StrEnum):
    """What can stand on the street."""

    SCAFFOLDING = "scaffolding"
    SKIP = "skip"
    HOARDING = "hoarding"
    MATERIALS = "materials"
    CRANE = "crane"
    SITE_HUT = "site_hut"
    AERIAL_PLATFORM = "aerial_platform"
    WORKS_VEHICLE = "works_vehicle"
    REMOVAL_VAN = "removal_van"
    TRENCH = "trench"

    @property
    def label(self) -> str:
        """Its French name."""
        return _KIND_LABELS[self]


_KIND_LABELS = {
    Kind.SCAFFOLDING: "échafaudage",
    Kind.SKIP: "benne",
    Kind.HOARDING: "palissade de chantier",
    Kind.MATERIALS: "dépôt de matériaux",
    Kind.CRANE: "grue",
    Kind.SITE_HUT: "baraque de chantier",
    Kind.AERIAL_PLATFORM: "nacelle",
    Kind.WORKS_VEHICLE: "véhicule de chantier",
    Kind.REMOVAL_VAN: "camion de déménagement",
    Kind.TRENCH: "tranchée",
}


def _without_offset(hour: time) -> time:
    if hour.tzinfo is not None:
        raise ValueError("une heure est attendue à l’heure de Paris, sans décalage : HH:MM")
    return hour


ParisTime = Annotated[time, AfterValidator(_without_offset)]


class DailyHours(Value):
    """Hours of the day, Paris time, during which the street is occupied."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    from_: Annotated[ParisTime, Field(alias="from")]
    to: ParisTime

    @property
    def minutes(self) -> int:
        """How long each day."""
        return (self.to.hour - self.from_.hour) * 60 + self.to.minute - self.from_.minute

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.to <= self.from_:
            raise ValueError("l'heure de fin doit suivre l'heure de début")
        return self


class Insurance(Value):
    """The liability policy the applicant declares."""

    insurer: Annotated[PlainText, Field(min_length=2, max_length=100)]
    policy: Annotated[PlainText, Field(min_length=1, max_length=60)]


class Contact(Value):
    """How to reach the applicant; kept apart from the act, and erasable."""

    email: EmailStr | None = None
    phone: Annotated[str, Field(pattern=r"^\+?[0-9 .()-]{6,20}$")] | None = None


def _figure_text(given: object) -> object:
    """Return a figure as it is written; anything else as it is."""
    return str(given) if isinstance(given, int | float | Decimal) and not isinstance(given, bool) else given


# What is answered to the questions of a rulebook, by their names: a word of the list, or a figure.
Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
Answer = Annotated[
    str,
    BeforeValidator(_figure_text),
    Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,39}$"),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": "^[a-z0-9][a-z0-9_.-]{0,39}$"}, {"type": "number"}]}),
]
Answers = Annotated[Mapping[Word, Answer], Field(max_length=30)]


class Occupancy(Value):
    """One thing that will stand on the street. Lengths in metres; None means not declared."""

    kind: Kind
    place: Place
    length_m: Length | None = None
    width_m: Length | None = None
    height_m: Length | None = None
    pieces: Annotated[int, Field(ge=1, le=50, strict=True)] = 1
    vehicle_tonnes: Annotated[Decimal, Field(gt=0, le=200, max_digits=5, decimal_places=2)] | None = None
    footway_clear_width_m: Annotated[Decimal, Field(ge=0, le=100, max_digits=5, decimal_places=2)] | None = None
    anchored_in_ground: StrictBool
    parking_spaces_taken: Annotated[int, Field(ge=0, le=100, strict=True)]
    lane_closed: StrictBool
    answers: Answers = Field(default_factory=dict)


class Application(Value):
    """A request to occupy the street. Days are inclusive calendar days in Europe/Paris."""

    siret: Siret
    worksite: Annotated[PlainText, Field(min_length=3, max_length=200)]
    urbanism_file: Annotated[PlainText, Field(min_length=3, max_length=40)] | None = None
    payer_siret: Siret | None = None
    insurance: Insurance | None = None
    starts_on: Day
    ends_on: Day
    daily_hours: DailyHours | None = None
    answers: Answers = Field(default_factory=dict)
    occupancies: Annotated[tuple[Occupancy, ...], Field(min_length=1, max_length=10)]

    @property
    def days(self) -> int:
        """Number of calendar days, both ends included."""
        return (self.ends_on - self.starts_on).days + 1

    def each_day(self) -> list[date]:
        """Every day of the period, first to last."""
        return [self.starts_on + timedelta(days=n) for n in range(self.days)]


class FiledApplication(Application):
    """An application as it arrives: with the contact, which never enters the act."""

    contact: Contact = Contact()

    def without_contact(self) -> Application:
        """Return what may be frozen and printed."""
        return Application.model_validate(self.model_dump(exclude={"contact"}))
