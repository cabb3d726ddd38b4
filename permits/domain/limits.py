"""The limits that a city sets to what the machine grants alone, and how a figure is written."""

from datetime import date
from decimal import Decimal
from enum import IntEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from permits.domain.application import Kind
from permits.domain.dated import Dated
from permits.domain.french import measure
from permits.domain.model import Misplaced, Value
from permits.domain.written import EXACT, WHOLE


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
    if isinstance(value, Assurance):
        return value
    raise ValueError(f"valeur inconnue ; attendu : {', '.join(each.code for each in Assurance)}")


Days = Annotated[int, Field(ge=0, le=3660), WHOLE]
# Beyond these no street is so wide and no drawing so coarse: a figure with a digit too many is told.
Width = Annotated[Decimal, Field(ge=0, le=20), EXACT]
Distance = Annotated[Decimal, Field(ge=0, le=2000), EXACT]
Percent = Annotated[Decimal, Field(ge=0, le=50), EXACT]


class Limits(Value):
    """The figures that the rules compare the facts with."""

    applicant_assurance_threshold: Dated[
        Annotated[Assurance, BeforeValidator(_assurance, json_schema_input_type=AssuranceName)]
    ]
    automatic_kinds: Dated[tuple[Kind, ...]]
    notice_working_days: Dated[Days]
    longest_duration_days: Dated[Days]
    furthest_start_days: Dated[Days]
    footway_min_clear_width_m: Dated[Width]
    scaffold_max_projection_m: Dated[Width]
    address_max_distance_m: Dated[Distance]
    territory_margin_km: Dated[Annotated[Decimal, Field(ge=0, le=100), EXACT]]
    footprint_tolerance_m: Dated[Annotated[Decimal, Field(ge=0, le=1), EXACT]]
    footprint_min_width_m: Dated[Width]
    dimensions_tolerance_percent: Dated[Percent]
    dimensions_tolerance_m2: Dated[Width]
    evidence_max_age_hours: Dated[Annotated[int, Field(ge=1, le=24), WHOLE]]
    silence_months: Dated[Annotated[int, Field(ge=1, le=24), WHOLE]]

    @field_validator("*")
    @classmethod
    def _always_holds(cls, limit: Dated[Any]) -> Dated[Any]:
        """Nothing can be decided on a day without its limits: a city replaces one, and never leaves a hole."""
        first, last = min(limit.values), max(limit.values)
        if first > limit.checked_on:
            raise Misplaced(
                f"un trou dans le temps : rien n’est en vigueur au {limit.checked_on} (checked_on)", "values", first
            )
        if limit.values[last].abrogated:
            raise Misplaced("un trou dans le temps : une limite se remplace, elle ne s’abroge pas", "values", last)
        return limit


# What a prescription may quote: the limits that are figures.
FIGURES = tuple(name for name in Limits.model_fields if name.endswith(("_m", "_m2", "_km", "_days", "_months")))


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
