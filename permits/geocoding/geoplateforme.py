"""Géoplateforme (IGN): where the national address base puts an address.

Not finding an address (None) and not getting an answer (GeocoderUnavailable) are two different facts.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import Annotated

import httpx
from pydantic import BaseModel, Field, ValidationError

from permits import __version__
from permits.domain.model import PlainText
from permits.domain.place import GeocodedAddress, GeocoderUnavailable

logger = logging.getLogger(__name__)

LEAST_SCORE = 0.5
SHORTEST_QUERY, LONGEST_QUERY = 3, 200
MAX_BODY_BYTES = 256 * 1024
MAX_ATTEMPTS = 2
CONNECT_S, READ_S, BUDGET_S = 1.0, 2.0, 5.0

_PASSING_STATUSES = {500, 502, 503, 504}


class _Geometry(BaseModel):
    coordinates: tuple[
        Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)],
        Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)],
    ]


class _Properties(BaseModel):
    label: PlainText
    type: str
    score: Annotated[float, Field(allow_inf_nan=False)]


class _Feature(BaseModel):
    geometry: _Geometry
    properties: _Properties


class _FeatureCollection(BaseModel):
    features: list[_Feature]


class _Passing(GeocoderUnavailable):
    """The same question may be answered a moment later."""


class Geoplateforme:
    """Locates addresses at `base_url`, for instance https://data.geopf.fr/geocodage."""

    def __init__(self, base_url: str, *, contact: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._http = httpx.Client(
            base_url=base_url.rstrip("/"),
            follow_redirects=False,
            # A proxy of the environment has no way to this machine's own loopback.
            mounts={"all://127.0.0.1": None, "all://localhost": None},
            timeout=httpx.Timeout(READ_S, connect=CONNECT_S),
            headers={
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "User-Agent": f"permits/{__version__} (+{contact})",
            },
        )

    def close(self) -> None:
        self._http.close()

    def locate(self, address: str, near: tuple[float, float] | None = None) -> GeocodedAddress | None:
        """Return where `address` is, preferring what lies around `near` (longitude, latitude); None when unknown.

        A town alone is no address, and a score under one half is a guess: both count as unknown.
        """
        query = _query(address)
        if len(query) < SHORTEST_QUERY:
            return None
        params = {"q": query, "limit": "1", "index": "address"}
        if near:
            params |= {"lon": f"{near[0]:.6f}", "lat": f"{near[1]:.6f}"}
        found = self._search(params)
        if not found.features:
            return None
        best = found.features[0]
        if best.properties.score < LEAST_SCORE or best.properties.type == "municipality":
            return None
        longitude, latitude = best.geometry.coordinates
        return GeocodedAddress(
            label=best.properties.label,
            longitude=longitude,
            latitude=latitude,
            kind=best.properties.type,
            score=best.properties.score,
        )

    def _search(self, params: Mapping[str, str]) -> _FeatureCollection:
        deadline = self._monotonic() + BUDGET_S
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                return _FeatureCollection.model_validate(self._ask(params, deadline))
            except _Passing as error:
                logger.info("the geocoder gave no answer: %s", error)
                if attempt == MAX_ATTEMPTS:
                    raise
            except ValidationError as error:
                raise GeocoderUnavailable("unusable answer: not the features expected") from error
        raise AssertionError("the last attempt returns or raises")

    def _ask(self, params: Mapping[str, str], deadline: float) -> object:
        try:
            with self._http.stream("GET", "/search", params=params) as response:
                if response.status_code in _PASSING_STATUSES:
                    raise _Passing(f"HTTP {response.status_code}")
                if response.status_code != 200:
                    raise GeocoderUnavailable(f"HTTP {response.status_code}")
                body = self._read(response, deadline)
        except httpx.RequestError as error:
            raise _Passing(type(error).__name__) from error  # its text may hold the address
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            raise GeocoderUnavailable("unusable answer: not JSON") from error

    def _read(self, response: httpx.Response, deadline: float) -> bytes:
        # Identity was asked: a compressed answer could unfold to far more than the bytes counted here.
        if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise GeocoderUnavailable("unusable answer: compressed")
        body = bytearray()
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > MAX_BODY_BYTES or self._monotonic() > deadline:
                raise GeocoderUnavailable("unusable answer: too long")
        return bytes(body)


def _query(address: str) -> str:
    """The address as the service takes it: at most 200 characters, beginning with a letter or a digit."""
    line = " ".join(address.split())
    while line and not line[0].isalnum():
        line = line[1:]
    return line[:LONGEST_QUERY]
