"""Real tariffs are data: every amount that their sources give is found again, to the cent."""

from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from permits.domain.application import Application, Kind
from permits.domain.decision import Fee
from permits.domain.questions import answer_faults
from permits.domain.rulebook import Rulebook
from permits.domain.tariff.fee import compute_fee
from permits.domain.tariff.unknown import FeeUnknown
from permits.law.load import load, read_directory
from permits.law.strict import read_yaml
from tests.domain.builders import RULEBOOK_DIRECTORY, a_place, an_application, an_occupancy

CITIES = Path(__file__).parent / "cities"
NAMES = sorted(path.name for path in CITIES.iterdir() if path.is_dir())
SQUARE = [[[-3.88, 48.37], [-3.87, 48.37], [-3.87, 48.38], [-3.88, 48.37]]]


def read(city: str, name: str) -> Any:
    path = CITIES / city / name
    return read_yaml(path.read_text(encoding="utf-8")) if path.exists() else None


def changed(content: Any, path: str, value: Any) -> Any:
    """Return content with another value at a dotted path."""
    first, _, rest = path.partition(".")
    position: Any = int(first) if isinstance(content, list) else first
    copy = content.copy()
    copy[position] = changed(content[position], rest, value) if rest else value
    return copy


@cache
def rulebook_of(city: str, reading: str | None = None) -> Rulebook:
    """The fictional rulebook, with the tariff and the questions of a city, in one of its readings."""
    files = read_directory(RULEBOOK_DIRECTORY)
    files = {name: content for name, content in files.items() if not name.startswith("tariffs/")}
    tariff = read(city, "tariff.yaml")
    for path, value in read(city, "readings.yaml")[reading].items() if reading else ():
        ((day, entry),) = tariff["values"].items()
        tariff["values"] = {day: entry | {"value": changed(entry["value"], path, value)}}
    files["tariffs/tariff.yaml"] = yaml.safe_dump(tariff, allow_unicode=True, sort_keys=False)
    if (questions := CITIES / city / "questions.yaml").exists():
        files["questions.yaml"] = questions.read_text(encoding="utf-8")
    zones = yaml.safe_load(files["zones.geojson"])
    for zone in next(iter(tariff["values"].values()))["value"].get("zone_order", ()):
        geometry = {"type": "Polygon", "coordinates": SQUARE}
        zones["features"].append({"type": "Feature", "properties": {"id": zone, "label": zone}, "geometry": geometry})
    files["zones.geojson"] = json_text(zones)
    return load(files)


def json_text(content: Any) -> str:
    import json

    return json.dumps(content)


VECTORS = [(city, vector) for city in NAMES for vector in read(city, "vectors.yaml")]


def application_of(vector: dict[str, Any]) -> Application:
    starts_on = date.fromisoformat(vector.get("starts_on", "2027-01-11"))
    area = Decimal(vector["area_m2"])
    occupancy = an_occupancy(
        kind=Kind(vector["kind"]),
        length_m=vector.get("length_m", area),
        width_m=vector.get("width_m", "1"),
        height_m=vector.get("height_m"),
        answers=vector.get("occupancy_answers", {}),
    )
    return an_application(
        starts_on=starts_on,
        ends_on=starts_on + timedelta(days=int(vector["days"]) - 1),
        daily_hours=dict(zip(("from", "to"), vector["hours"], strict=True)) if "hours" in vector else None,
        answers=vector.get("answers", {}),
        occupancies=(occupancy,),
    )


def fee_of(city: str, vector: dict[str, Any]) -> Fee:
    application, rulebook = application_of(vector), rulebook_of(city, vector.get("reading"))
    assert answer_faults(application, rulebook.questions) == []
    place = a_place(area_m2=vector["area_m2"], zones=tuple(vector.get("zones", ())))
    unauthorised = vector.get("unauthorised") == "true"
    return compute_fee(application, (place,), rulebook, date(2026, 12, 21), unauthorised=unauthorised)


@pytest.mark.parametrize(("city", "vector"), VECTORS, ids=[f"{city}: {vector['case']}" for city, vector in VECTORS])
def test_each_amount_of_a_real_tariff_is_found_again_to_the_cent(city: str, vector: dict[str, Any]) -> None:
    if vector["total"] == "null":
        with pytest.raises(FeeUnknown):
            fee_of(city, vector)
        return
    fee = fee_of(city, vector)
    labels = [item.label for item in rulebook_of(city).tariff.on(date(2027, 1, 1)).value.items if item.id]
    counted = fee.lines
    if "lines" in vector:
        items = {item.id: item.label for item in rulebook_of(city).tariff.on(date(2027, 1, 1)).value.items}
        counted = tuple(line for line in fee.lines if line.label in {items[each] for each in vector["lines"]})
    assert sum(line.amount for line in counted) == Decimal(vector["total"]), [
        (line.label, line.explanation, str(line.amount)) for line in fee.lines
    ]
    assert len(labels) == len(set(labels))
    assert fee.total == sum(line.amount for line in fee.lines)
