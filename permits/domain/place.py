"""Places: what the applicant drew, and what was measured of it.

At the door a footprint is a GeoJSON polygon in WGS84 (longitude, latitude). Inside it is metres in
the authority's own projection.
"""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from permits.domain.model import PlainText, Value

# A sum with zero has no negative zero, which JSON and the database write differently.
_Finite = Annotated[float, Field(allow_inf_nan=False), AfterValidator(lambda number: number + 0.0)]
Position = Annotated[tuple[_Finite, _Finite], Field(description="[longitude, latitude] en degrés WGS84")]
Metres = tuple[float, float]


class Polygon(Value):
    """A GeoJSON polygon (RFC 7946) in WGS84: one closed outer ring."""

    type: Literal["Polygon"]
    coordinates: list[Annotated[list[Position], Field(min_length=4, max_length=500)]] = Field(
        min_length=1, max_length=10
    )


class Place(Value):
    """Where one occupancy stands: its postal address and its footprint on the ground."""

    address: Annotated[PlainText, Field(min_length=3, max_length=200)]
    footprint: Polygon


class Footprint(Value):
    """A measured footprint.

    `ring` and `core` are rings of (x, y) in metres in `crs`, rounded to the millimetre; `core` is the
    ring shrunk by the rulebook's tolerance. `area_m2` is the geodesic area, rounded to 0.01 m².
    """

    crs: str
    ring: tuple[Metres, ...]
    core: tuple[Metres, ...]
    area_m2: Decimal
    tolerance_m: Decimal


class Unmeasurable(Exception):
    """A footprint that can't be used: a stable code, and in French what is wrong and what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class AddressCheck(StrEnum):
    """What became of comparing the address with the footprint."""

    MATCHES = "matches"
    FAR = "far"
    UNKNOWN_ADDRESS = "unknown_address"
    UNAVAILABLE = "unavailable"


class GeocodedAddress(Value):
    """Where a geocoder puts an address: WGS84 point, its label, its kind (housenumber, street, …) and score 0–1."""

    label: str
    longitude: float
    latitude: float
    kind: str
    score: float


class GeocoderUnavailable(Exception):
    """The geocoder gave no answer: nothing is known of this address for now."""


class StandingPermit(Value):
    """A live permit that already takes part of a footprint on some of the days asked."""

    number: str
    starts_on: date
    ends_on: date


class PlaceFacts(Value):
    """All that was established of one occupancy's place."""

    footprint: Footprint
    in_territory: bool
    zones: tuple[str, ...]
    address_check: AddressCheck
    address_distance_m: Decimal | None = None
    standing: tuple[StandingPermit, ...] = ()
