"""The streets of the fictional town: pure geometry, so that examples and tests compute their footprints."""

import math
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

Position = tuple[float, float]

HOUSE_EVERY_M = 5.0
FRONT_ASIDE_M = 6.0

_FILE = Path(__file__).with_name("addresses.yaml")
_SEMI_MAJOR_M, _ECCENTRICITY_2 = 6_378_137.0, 0.006694379990141317  # WGS84
_QUERY = re.compile(r"(?:(?P<number>\d{1,4})\s+(?:(?:bis|ter)\s+)?)?(?P<words>.+)")


class Street(BaseModel):
    """A straight street: its start, its direction (degrees from north, clockwise) and its length."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    start: Position
    bearing: float
    length_m: float

    def position(self, along_m: float, aside_m: float = 0.0) -> Position:
        """Return the point so many metres from the start and to the right of the axis (left when negative)."""
        bearing = math.radians(self.bearing)
        east = along_m * math.sin(bearing) + aside_m * math.cos(bearing)
        north = along_m * math.cos(bearing) - aside_m * math.sin(bearing)
        return moved(self.start, east, north)

    def has(self, number: int) -> bool:
        return 0 < number * HOUSE_EVERY_M <= self.length_m

    def front(self, number: int) -> tuple[float, float]:
        """Return how far along and how far aside the front of a house stands: even numbers on the right."""
        return number * HOUSE_EVERY_M, FRONT_ASIDE_M if number % 2 == 0 else -FRONT_ASIDE_M


class Town(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    town: str
    postcode: str
    citycode: str
    centre: Position
    streets: tuple[Street, ...]


@dataclass(frozen=True)
class Spot:
    """What an address of the town turned out to be: a house, a street, or only the town."""

    kind: str
    position: Position
    label: str
    score: float
    street: Street | None = None
    number: int | None = None


def moved(origin: Position, east_m: float, north_m: float) -> Position:
    """Return `origin` moved by so many metres, true to a few centimetres across the town; 8 decimals (1 mm)."""
    longitude, latitude = origin
    sine = math.sin(math.radians(latitude))
    bend = 1 - _ECCENTRICITY_2 * sine * sine
    meridian_radius = _SEMI_MAJOR_M * (1 - _ECCENTRICITY_2) / bend**1.5
    parallel_radius = _SEMI_MAJOR_M / math.sqrt(bend) * math.cos(math.radians(latitude))
    return (
        round(longitude + math.degrees(east_m / parallel_radius), 8),
        round(latitude + math.degrees(north_m / meridian_radius), 8),
    )


@cache
def town() -> Town:
    return Town.model_validate(yaml.safe_load(_FILE.read_text(encoding="utf-8")))


def find(address: str) -> Spot | None:
    """Return what `address` is in the fictional town; None for every other place."""
    place = town()
    query = _QUERY.fullmatch(_plain(address))
    if query is None:
        return None
    number = int(query["number"]) if query["number"] else None
    ending = f"{place.postcode} {place.town}"
    for street in place.streets:
        if not _is_in_town(query["words"], _plain(street.name)):
            continue
        if number is None or not street.has(number):
            middle = street.position(street.length_m / 2)
            score = 0.95 if number is None else 0.72  # the street is sure, the house is not
            return Spot("street", middle, f"{street.name} {ending}", score, street)
        front = street.position(*street.front(number))
        return Spot("housenumber", front, f"{number} {street.name} {ending}", 0.97, street, number)
    if number is None and _is_in_town(query["words"], ""):
        return Spot("municipality", place.centre, place.town, 0.93)
    return None


def point_of(address: str) -> Position | None:
    """Return the longitude and latitude of an address of the fictional town."""
    spot = find(address)
    return spot.position if spot else None


def frontage(address: str, length_m: float, depth_m: float) -> list[Position]:
    """Return the closed ring of a rectangle laid on the ground along the front of a house.

    It is centred on the house and takes `depth_m` from the front towards the middle of the street.
    """
    spot = find(address)
    if spot is None or spot.street is None or spot.number is None:
        raise ValueError(f"no house of the fictional town: {address}")
    along, aside = spot.street.front(spot.number)
    inner = aside - math.copysign(depth_m, aside)
    before, after = along - length_m / 2, along + length_m / 2
    corners = [(before, aside), (before, inner), (after, inner), (after, aside)]
    if aside > 0:
        corners.reverse()  # RFC 7946: the outer ring turns anticlockwise
    ring = [spot.street.position(*corner) for corner in corners]
    return [*ring, ring[0]]


def _is_in_town(words: str, street: str) -> bool:
    """True when the words are that street, then nothing but the town's own postcode and name."""
    place = town()
    if not words.startswith(street):
        return False
    rest = words.removeprefix(street).split()
    return set(rest) <= {place.postcode, *_plain(place.town).split()} and bool(street or rest)


def _plain(text: str) -> str:
    """Lower case, no accents, no punctuation, single spaces."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    return " ".join(re.sub(r"[^a-z0-9]+", " ", bare).split())
