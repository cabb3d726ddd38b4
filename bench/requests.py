"""Requests that are all granted: a small scaffolding in front of each house of a street, week after week."""

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import httpx

from permits.examples import with_coming_dates
from permits.sandbox.streets import frontage
from permits.settings import ROOT

LENGTH_M, DEPTH_M = 4.0, 1.2
HOUSES = range(2, 120, 2)
WEEKS = range(40)


class Requests:
    """An endless supply of distinct requests, for many threads."""

    def __init__(self) -> None:
        example = json.loads((ROOT / "examples" / "01-scaffolding-granted.json").read_text())
        self._example: dict[str, Any] = with_coming_dates(example, date.today())
        self._places: Iterator[tuple[int, int]] = itertools.product(WEEKS, HOUSES)
        self._lock = threading.Lock()

    def next(self) -> dict[str, Any]:
        with self._lock:
            week, house = next(self._places)
        address = f"{house} rue des Exemples 29999 Exemple-Ville"
        ring = frontage(address, LENGTH_M, DEPTH_M)
        occupancy = self._example["occupancies"][0] | {
            "place": {"address": address, "footprint": {"type": "Polygon", "coordinates": [ring]}},
            "length_m": LENGTH_M,
            "width_m": DEPTH_M,
        }
        days = {
            name: (date.fromisoformat(self._example[name]) + timedelta(weeks=week)).isoformat()
            for name in ("starts_on", "ends_on")
        }
        return self._example | days | {"worksite": f"façade {house} rue des Exemples", "occupancies": [occupancy]}


@dataclass(frozen=True)
class Load:
    """What clients obtained: permits, the seconds it took, each permit's own time."""

    name: str
    seconds: float
    times: list[float]
    told_to_wait: int

    @property
    def per_second(self) -> float:
        return len(self.times) / self.seconds


def issue_for(url: str, key: str, requests: Requests, *, clients: int, seconds: float) -> Load:
    """Have so many clients file one request after the other, for so long; each answer must be an issued permit."""
    times: list[float] = []
    waits: list[int] = []
    began = time.perf_counter()

    def file_again_and_again() -> None:
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=60) as client:
            while time.perf_counter() < began + seconds:
                times.append(_issue(client, requests.next(), lambda: waits.append(1)))

    with ThreadPoolExecutor(clients) as pool:
        for each in [pool.submit(file_again_and_again) for _ in range(clients)]:
            each.result()
    name = f"{clients} client{'s' if clients > 1 else ''}"
    return Load(name, time.perf_counter() - began, times, len(waits))


def issue_at(url: str, key: str, requests: Requests, *, per_second: int, seconds: int) -> Load:
    """File so many requests a second, each when its turn comes, whether the earlier ones are answered or not.

    A request's time counts from its turn: waiting for a slow one before it is not hidden.
    """
    times: list[float] = []
    waits: list[int] = []
    began = time.perf_counter()

    def file_in_turn(turn: int) -> None:
        due = began + turn / per_second
        time.sleep(max(0.0, due - time.perf_counter()))
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=60) as client:
            _issue(client, requests.next(), lambda: waits.append(1))
        times.append(time.perf_counter() - due)

    with ThreadPoolExecutor(16) as pool:
        for each in [pool.submit(file_in_turn, turn) for turn in range(per_second * seconds)]:
            each.result()
    return Load(f"{per_second} requests a second", time.perf_counter() - began, times, len(waits))


def _issue(client: httpx.Client, body: dict[str, Any], wait: Callable[[], None]) -> float:
    headers = {"Idempotency-Key": str(uuid4())}
    started = time.perf_counter()
    for _ in range(20):
        answer = client.post("/v1/applications", json=body, headers=headers)
        if answer.status_code != 503:
            break
        wait()
        time.sleep(int(answer.headers.get("Retry-After", "1")))
    if answer.status_code != 201 or (answer.json()["permit"] or {}).get("state") != "issued":
        raise RuntimeError(f"not an issued permit: {answer.status_code} {answer.text[:2000]}")
    return time.perf_counter() - started
