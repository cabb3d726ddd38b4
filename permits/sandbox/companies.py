"""The fictional companies, as data; what each registry says of them is built from here."""

from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

Behaviour = Literal["answers", "protected", "outage", "slow", "maintenance", "rate_limited"]

_FILE = Path(__file__).with_name("companies.yaml")


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Label(_Data):
    code: str
    label: str


class Person(_Data):
    first_name: str
    last_name: str


class Address(_Data):
    number: str
    kind: str
    street: str
    postcode: str
    town: str
    citycode: str

    @property
    def street_line(self) -> str:
        return f"{self.number} {self.kind} {self.street}"

    @property
    def town_line(self) -> str:
        return f"{self.postcode} {self.town}"


class Proceedings(_Data):
    judged_on: date
    status: str
    observation: str


class Establishment(_Data):
    siret: str = Field(pattern=r"^[0-9]{14}$")
    address: Address
    created_on: date
    closed_on: date | None = None
    head_office: bool = False
    behaviour: Behaviour = "answers"
    # The open source has not heard yet that it closed.
    late_in_open_source: bool = False
    shows: str


class Unit(_Data):
    """A legal unit and its establishments. One of them is the head office, unless it is `elsewhere`."""

    siren: str = Field(pattern=r"^[0-9]{9}$")
    name: str | None = None
    acronym: str | None = None
    person: Person | None = None
    legal_form: Label
    activity: Label
    created_on: date
    updated_at: datetime = datetime(2026, 5, 17, 9, 0, 0)
    ceased_on: date | None = None
    registered_on: date | None = None
    struck_off_on: date | None = None
    proceedings: Proceedings | None = None
    diffusion: Literal["O", "P"] = "O"
    elsewhere: str | None = None
    establishments: tuple[Establishment, ...]

    @property
    def full_name(self) -> str:
        return self.name or (f"{self.person.first_name} {self.person.last_name}" if self.person else "")

    @property
    def head_office(self) -> Establishment | None:
        return next((one for one in self.establishments if one.head_office), None)

    @property
    def head_office_siret(self) -> str:
        return self.head_office.siret if self.head_office else self.elsewhere or ""

    @model_validator(mode="after")
    def _is_coherent(self) -> Self:
        if (self.name is None) == (self.person is None):
            raise ValueError(f"{self.siren}: either a name or a person")
        if (self.head_office is None) == (self.elsewhere is None):
            raise ValueError(f"{self.siren}: one head office, here or elsewhere")
        if any(one.siret[:9] != self.siren for one in self.establishments):
            raise ValueError(f"{self.siren}: an establishment of another unit")
        return self


class Merged(_Data):
    siret: str
    into: str
    name: str
    shows: str


class Unknown(_Data):
    siret: str
    shows: str


class Companies(_Data):
    """Everything the sandbox knows."""

    units: tuple[Unit, ...]
    merged: tuple[Merged, ...]
    unknown: tuple[Unknown, ...]

    def find(self, siret: str) -> tuple[Unit, Establishment] | None:
        """The unit and establishment of exactly this SIRET."""
        return next(((unit, one) for unit in self.units for one in unit.establishments if one.siret == siret), None)

    def find_unit(self, siren: str) -> Unit | None:
        return next((unit for unit in self.units if unit.siren == siren), None)

    def merged_into(self, siret: str) -> str | None:
        """The SIRET that absorbed this one."""
        return next((one.into for one in self.merged if one.siret == siret), None)


class SandboxSiret(_Data):
    """One line of the published table."""

    siret: str
    name: str
    shows: str


@cache
def companies() -> Companies:
    return Companies.model_validate(yaml.safe_load(_FILE.read_text(encoding="utf-8")))


def sandbox_sirets() -> tuple[SandboxSiret, ...]:
    """Every SIRET worth trying, with what it shows, in the order of the documentation."""
    known = companies()
    lines = [
        SandboxSiret(siret=one.siret, name=_published_name(unit), shows=one.shows)
        for unit in known.units
        for one in unit.establishments
    ]
    lines += [SandboxSiret(siret=one.siret, name=one.name, shows=one.shows) for one in known.merged]
    lines += [SandboxSiret(siret=one.siret, name="—", shows=one.shows) for one in known.unknown]
    return tuple(lines)


def _published_name(unit: Unit) -> str:
    return "(masqué)" if unit.full_name.startswith("[") else unit.full_name
