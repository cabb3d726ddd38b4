"""A register that holds one sealed permit, and what it knows by hash."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import text

from permits.domain.permit import Permit
from permits.domain.ruling import Ruling
from permits.domain.sealing import SealLevel
from permits.issue import issue_permit
from tests.fakes import FakeOffice, FakePress, FakeSealed


@dataclass
class _PressOfOne(FakePress):
    """Gives the same sealed file for whatever it is asked."""

    sealed: bytes = b""

    def print_and_lint(self, payload: Permit | Ruling, signed_code: str | None) -> bytes:
        return self.sealed

    def seal(self, linted: bytes) -> FakeSealed:
        return FakeSealed(linted, hashlib.sha256(linted).hexdigest(), SealLevel.B_B, stamp_deferred=False)


def record(office: FakeOffice, sealed: bytes) -> None:
    """Issue a permit whose document is this file."""
    filed, _ = issue_permit(replace(office.desk, press=_PressOfOne(sealed=sealed)), office.filing())
    assert filed.act is not None and filed.act.document_sha256 == hashlib.sha256(sealed).hexdigest()


def known_among(office: FakeOffice, contents: Iterable[bytes]) -> int:
    """Return how many of these files the register knows by their SHA-256."""
    digests = [hashlib.sha256(each).hexdigest() for each in contents]
    with office.register.engine.connect() as connection:
        query = text("SELECT count(*) FROM document WHERE sha256 = ANY(:digests)")
        return int(connection.execute(query, {"digests": digests}).scalar_one())
