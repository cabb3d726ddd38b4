"""The main case, ready to be changed: a scaffolding of 12 m × 1.20 m in Exemple-Ville, granted for 92.40 €."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from permits.domain.application import Application, FiledApplication, Kind, Occupancy
from permits.domain.calendar import paris_day
from permits.domain.dated import Dated, Entry
from permits.domain.decision import Citation
from permits.domain.establishment import Establishment, Evidence, Source, Standing
from permits.domain.facts import ExtendedPermit, Facts
from permits.domain.limits import Assurance
from permits.domain.place import AddressCheck, Footprint, Place, PlaceFacts, Polygon
from permits.domain.rulebook import Rulebook
from permits.domain.tariff.scale import Scale
from permits.law.load import load_directory

RULEBOOK_DIRECTORY = Path(__file__).resolve().parents[2] / "rulebooks" / "exemple"
SIRET = "99999001300024"
RECEIVED_AT = datetime(2026, 12, 21, 9, 0, tzinfo=UTC)
TEXT = Citation(text="Texte de l’essai (fictif)")

FOOTPRINT = Polygon(
    type="Polygon",
    coordinates=[
        [
            (-3.87910911, 48.37494604),
            (-3.87910911, 48.37495683),
            (-3.87927109, 48.37495683),
            (-3.87927109, 48.37494604),
            (-3.87910911, 48.37494604),
        ]
    ],
)
PLACE = Place(address="12 rue des Exemples 29999 Exemple-Ville", footprint=FOOTPRINT)


@cache
def demo_rulebook() -> Rulebook:
    """The rulebook of the fictional authority."""
    return load_directory(RULEBOOK_DIRECTORY)[0]


def an_occupancy(**changes: Any) -> Occupancy:
    """A scaffolding of 12 m × 1.20 m that leaves 1.60 m to pedestrians."""
    values: dict[str, Any] = {
        "kind": Kind.SCAFFOLDING,
        "place": PLACE,
        "length_m": Decimal("12"),
        "width_m": Decimal("1.2"),
        "height_m": Decimal("9"),
        "footway_clear_width_m": Decimal("1.60"),
        "anchored_in_ground": False,
        "parking_spaces_taken": 0,
        "lane_closed": False,
    }
    return Occupancy.model_validate(values | changes)


def an_application(**changes: Any) -> Application:
    """Five days of that scaffolding, from Monday 11 to Friday 15 January 2027."""
    values: dict[str, Any] = {
        "siret": SIRET,
        "worksite": "façade 12 rue des Exemples",
        "urbanism_file": "DP 029 999 26 00123",
        "insurance": {"insurer": "Mutuelle d’Exemple", "policy": "RC-2026-0042"},
        "starts_on": date(2027, 1, 11),
        "ends_on": date(2027, 1, 15),
        "daily_hours": {"from": "08:00", "to": "18:00"},
        "occupancies": (an_occupancy(),),
    }
    return Application.model_validate(values | changes)


def a_filed_application(**changes: Any) -> FiledApplication:
    """The same, as it arrives: with a contact."""
    contact = {"email": "chantier@modele.example", "phone": "02 99 00 00 01"}
    values = an_application().model_dump() | {"contact": contact}
    return FiledApplication.model_validate(values | changes)


def an_establishment(**changes: Any) -> Establishment:
    """ECHAFAUDAGES DU MODELE: open, active, registered, and the SIRET that was asked."""
    values: dict[str, Any] = {
        "siret": SIRET,
        "name": "ECHAFAUDAGES DU MODELE",
        "address": ("12 RUE DES EXEMPLES", "29999 EXEMPLE-VILLE"),
        "is_open": True,
        "unit_is_active": True,
        "standing": Standing.REGISTERED,
        "asked_siret": changes.get("siret", SIRET),
        "evidence": (some_evidence(),),
    }
    return Establishment.model_validate(values | changes)


def some_evidence(**changes: Any) -> Evidence:
    """An answer of API Entreprise, fetched as the application came in."""
    values: dict[str, Any] = {
        "source": Source.API_ENTREPRISE,
        "fetched_at": RECEIVED_AT,
        "sha256": "0" * 64,
        "parser": "essai/1",
    }
    return Evidence.model_validate(values | changes)


def a_footprint(**changes: Any) -> Footprint:
    """What the surveyor measures of FOOTPRINT: 14.40 m²."""
    values: dict[str, Any] = {
        "crs": "EPSG:3948",
        "ring": (
            (1191083.542, 7264408.052),
            (1191083.649, 7264409.247),
            (1191071.697, 7264410.316),
            (1191071.591, 7264409.121),
            (1191083.542, 7264408.052),
        ),
        "core": (
            (1191083.497, 7264408.106),
            (1191071.645, 7264409.167),
            (1191071.743, 7264410.262),
            (1191083.595, 7264409.202),
            (1191083.497, 7264408.106),
        ),
        "area_m2": Decimal("14.40"),
        "tolerance_m": Decimal("0.05"),
    }
    return Footprint.model_validate(values | changes)


def a_place(**changes: Any) -> PlaceFacts:
    """What was established of that place: in the territory, where its address says, and free.

    `area_m2` changes what was measured of the drawing.
    """
    area = {"area_m2": changes.pop("area_m2")} if "area_m2" in changes else {}
    values: dict[str, Any] = {
        "footprint": a_footprint(**area),
        "in_territory": True,
        "zones": (),
        "address_check": AddressCheck.MATCHES,
        "address_distance_m": Decimal("3.2"),
    }
    return PlaceFacts.model_validate(values | changes)


def some_facts(**changes: Any) -> Facts:
    """All is well: received and decided on 21 December 2026, or on the Paris day of `received_at`."""
    received_at = changes.get("received_at", RECEIVED_AT)
    received_on = changes.get("received_on", paris_day(received_at))
    values: dict[str, Any] = {
        "received_at": received_at,
        "received_on": received_on,
        "decided_on": received_on,
        "registry": an_establishment(),
        "siret_key_is_valid": True,
        "assurance": Assurance.KEY_BOUND_TO_SIREN,
        "payer_assurance": Assurance.NONE,
        "places": (a_place(),),
    }
    return Facts.model_validate(values | changes)


def an_extended_permit(**changes: Any) -> ExtendedPermit:
    """A permit of 4 to 10 January 2027, which stands: the main application begins the day after."""
    values: dict[str, Any] = {
        "number": "EX-2027-000042",
        "received_on": date(2026, 12, 14),
        "due": Decimal("126.96"),
        "starts_on": date(2027, 1, 4),
        "ends_on": date(2027, 1, 10),
        "stands": True,
    }
    return ExtendedPermit.model_validate(values | changes)


def a_scale(*items: dict[str, Any], name: str = "Droits de voirie de l’essai", **changes: Any) -> Scale:
    """A scale with these lines, each rounded half up to the cent."""
    values: dict[str, Any] = {"name": name, "rounding": {"line": "0.01"}, "when_replaced": "each_period"}
    return Scale.model_validate(values | {"items": items} | changes)


def a_rulebook_with_scales(scales: Mapping[date, Scale | None]) -> Rulebook:
    """The demo rulebook with other scales, each from its day on; None abrogates."""
    entries = {day: Entry[Scale](value=scale, abrogated=scale is None, cites=TEXT) for day, scale in scales.items()}
    tariff = Dated[Scale](label="Droits de voirie", unit="EUR", checked_on=date(2026, 11, 23), values=entries)
    return demo_rulebook().model_copy(update={"tariff": tariff})
