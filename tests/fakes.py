"""Stand-ins for what the walk needs from outside, whose state a test can read."""

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Engine, text

from permits.desk import Desk, Law
from permits.domain.application import FiledApplication
from permits.domain.establishment import (
    FRESH_FOR,
    Audience,
    Establishment,
    Evidence,
    NotFound,
    RegistryAnswer,
    RegistryUnavailable,
    Source,
    Standing,
)
from permits.domain.filing import Filing, filing_of
from permits.domain.limits import Assurance
from permits.domain.permit import Paper, Permit, PressBusy, SealingStopped
from permits.domain.place import GeocodedAddress, GeocoderUnavailable
from permits.domain.rulebook import Rulebook
from permits.domain.ruling import Ruling
from permits.domain.sealing import SealLevel
from permits.domain.signed_code import claims_bytes, claims_of
from permits.laws import load_law as load
from permits.register.book import Register
from permits.register.queue import ProcrastinateQueue

ROOT = Path(__file__).resolve().parents[1]
SIRET = "99999001300024"
OTHER_SIRET = "99999002100019"
START = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
MONDAY = date(2027, 1, 11)


@dataclass
class FakeClock:
    """A clock that stands still until it is moved."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def move(self, **duration: float) -> None:
        self.now += timedelta(**duration)


def open_establishment(siret: str = SIRET, at: datetime = START, **changes: Any) -> Establishment:
    """Return an open, registered establishment with fresh evidence."""
    evidence = Evidence(source=Source.API_ENTREPRISE, fetched_at=at, sha256="0" * 64, parser="fake/1")
    return Establishment(
        **{
            "siret": siret,
            "asked_siret": siret,
            "name": "ECHAFAUDAGES DU MODELE",
            "address": ("12 RUE DES EXEMPLES", "29999 EXEMPLE-VILLE"),
            "is_open": True,
            "unit_is_active": True,
            "standing": Standing.REGISTERED,
            "evidence": (evidence,),
        }
        | changes
    )


def dated(answer: RegistryAnswer, at: datetime) -> RegistryAnswer:
    """Return the answer as if its registry had given it at that instant."""
    return answer.model_copy(
        update={"evidence": tuple(each.model_copy(update={"fetched_at": at}) for each in answer.evidence)}
    )


@dataclass
class FakeRegistry:
    """Knows every SIRET as open, unless told otherwise; an answer is of this instant unless it was kept."""

    clock: FakeClock
    answers: dict[str, RegistryAnswer] = field(default_factory=dict)
    is_down: bool = False
    failing: set[str] = field(default_factory=set)
    stale: dict[str, RegistryAnswer] = field(default_factory=dict)
    kept_since: datetime | None = None
    asked: list[str] = field(default_factory=list)
    audiences: list[Audience] = field(default_factory=list)
    max_ages: list[timedelta] = field(default_factory=list)
    answers_given: int = 0

    def lookup(
        self, siret: str, *, audience: Audience = Audience.AUTHORITY, max_age: timedelta = FRESH_FOR
    ) -> RegistryAnswer:
        self.asked.append(siret)
        self.audiences.append(audience)
        self.max_ages.append(max_age)
        if self.is_down:
            raise RegistryUnavailable(("api-entreprise: HTTP 502",), was_asked=False)
        if siret in self.failing:
            raise RegistryUnavailable(("api-entreprise: HTTP 502",))
        self.answers_given += 1
        answer = self.answers.get(siret) or open_establishment(siret)
        return dated(answer, self._answered_at(max_age))

    def _answered_at(self, max_age: timedelta) -> datetime:
        """An answer that was kept is given again while it is young enough; otherwise it is of this instant."""
        now = self.clock()
        return self.kept_since if self.kept_since and now - self.kept_since <= max_age else now

    def last_known(self, siret: str, *, audience: Audience) -> RegistryAnswer | None:
        return self.stale.get(siret)

    def forgets(self, siret: str, *, definite: bool) -> None:
        self.answers[siret] = NotFound(siret=siret, definite=definite, evidence=())


@dataclass
class FakeGeocoder:
    """Finds every address exactly where it was drawn, unless told otherwise."""

    is_down: bool = False
    moved_by: tuple[float, float] = (0.0, 0.0)
    knows: bool = True

    def locate(self, address: str, near: tuple[float, float] | None) -> GeocodedAddress | None:
        if self.is_down:
            raise GeocoderUnavailable
        if not self.knows or near is None:
            return None
        longitude, latitude = near[0] + self.moved_by[0], near[1] + self.moved_by[1]
        return GeocodedAddress(label=address, longitude=longitude, latitude=latitude, kind="housenumber", score=0.9)


@dataclass(frozen=True)
class FakeSealed:
    content: bytes
    sha256: str
    level: SealLevel
    stamp_deferred: bool


@dataclass
class FakePress:
    """Makes a different document each time, as a real seal does, and can be told to fail."""

    is_specimen: bool = True
    is_busy: bool = False
    stopped: str | None = None
    broken: Exception | None = None
    defers_stamps: bool = False
    made: list[str] = field(default_factory=list)
    codes: list[str | None] = field(default_factory=list)

    def start(self) -> None:
        """Nothing to start."""

    def close(self) -> None:
        """Nothing to end."""

    @contextmanager
    def slot(self) -> Iterator[None]:
        if self.is_busy:
            raise PressBusy(retry_after=3)
        if self.stopped is not None:
            raise SealingStopped(self.stopped, retry_after=300)
        yield

    def print_and_lint(self, payload: Permit | Ruling, signed_code: str | None) -> bytes:
        if self.broken is not None:
            raise self.broken
        self.codes.append(signed_code and signed_code.split(".")[0])
        return payload.model_dump_json().encode()

    def print_sign(self, permit: Permit, paper: Paper, signed_code: str) -> bytes:
        return f"{paper}: {permit.number}, {signed_code.split('.')[0]}".encode()

    def seal(self, linted: bytes) -> FakeSealed:
        content = linted + uuid4().bytes
        self.made.append(json.loads(linted)["number"])
        return FakeSealed(content, hashlib.sha256(content).hexdigest(), SealLevel.B_B, self.defers_stamps)


@dataclass
class FakeCodes:
    """Says what a code says, and signs nothing: the number stands first, to tell whose code it is."""

    def sign(self, permit: Permit) -> str:
        said = urlsafe_b64encode(claims_bytes(claims_of(permit))).rstrip(b"=").decode()
        return f"{permit.number}.{said}.unsigned"


@dataclass
class FakeOffice:
    """A desk on a real register, with fakes around it, and one known client."""

    desk: Desk
    register: Register
    registry: FakeRegistry
    geocoder: FakeGeocoder
    press: FakePress
    clock: FakeClock
    client_id: UUID

    def filing(self, body: dict[str, Any] | None = None, key: str | None = None, **changes: Any) -> Filing:
        """Return a filing of the first example, changed as told."""
        filed = FiledApplication.model_validate((body or request_body()) | changes)
        return filing_of(
            filed,
            application_id=uuid4(),
            client_id=self.client_id,
            key=key or str(uuid4()),
            assurance=Assurance.KEY_BOUND_TO_SIREN,
            payer=Assurance.NONE,
            at=self.clock(),
        )


def request_body(name: str = "01-scaffolding-granted") -> dict[str, Any]:
    """Return one of the example requests; its dates suit the fake clock."""
    body: dict[str, Any] = json.loads((ROOT / "examples" / f"{name}.json").read_text())
    return body


@dataclass(frozen=True)
class OneLaw:
    """A rulebook that never changes."""

    law: Law

    def on(self, day: date) -> Law:
        return self.law

    def rulebook(self, digest: str) -> Rulebook:
        assert digest == self.law.rulebook.digest
        return self.law.rulebook


@cache
def load_law() -> Law:
    """Return the demonstration rulebook, read once: nothing changes it."""
    return load(ROOT / "rulebooks" / "exemple")


def open_office(engine: Engine) -> FakeOffice:
    """Return an office on a migrated database."""
    clock, law, client_id = FakeClock(), load_law(), uuid4()
    authority = law.rulebook.authority.identity.id
    register = Register(engine, authority, ProcrastinateQueue())
    register.keep_rulebook(law.rulebook.digest, law.files, clock())
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO client (id, authority, name, key_id, key_sha256, sirens, created_at)"
                " VALUES (:id, :authority, 'test', :key_id, repeat('0', 64), '{}', now())"
            ),
            {"id": client_id, "authority": authority, "key_id": client_id.hex[:8]},
        )
    registry, geocoder, press = FakeRegistry(clock), FakeGeocoder(), FakePress()
    desk = Desk(
        clock=clock,
        registry=registry,
        geocoder=geocoder,
        laws=OneLaw(law),
        law=law,
        register=register,
        press=press,
        codes=FakeCodes(),
        public_url="https://permis.exemple-ville.example",
    )
    return FakeOffice(desk, register, registry, geocoder, press, clock, client_id)
