"""Archive copies: files made later from a delivered one, to prove its date longer. Nobody is served one as the act.

Each continues one file, the delivered one or the copy before it, and is one entry of the chain.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, text
from sqlmodel import Session

from permits.domain.sealing import SealLevel
from permits.register import audit
from permits.register.floor import Floor
from permits.register.tables import ArchiveCopyRow

_DEFERRED = text(
    """
    SELECT count(*) AS waiting, min(d.stored_at) AS oldest
    FROM document d JOIN act ON act.document_sha256 = d.sha256 AND act.authority = :authority
    WHERE d.stamp_deferred AND NOT EXISTS (SELECT 1 FROM archive_copy c WHERE c.made_from = d.sha256)
    """
)
# Each is stamped for ever: what is before an instant once found stamped is not looked at again.
_OLDEST_DEFERRED = text(
    """
    SELECT d.stored_at
    FROM document d JOIN act ON act.document_sha256 = d.sha256 AND act.authority = :authority
    WHERE d.stamp_deferred AND d.stored_at >= :since
        AND NOT EXISTS (SELECT 1 FROM archive_copy c WHERE c.made_from = d.sha256)
    ORDER BY d.stored_at LIMIT 1
    """
)
_DEFERRED_FILES = text(
    """
    SELECT act.id, act.label, d.sha256, d.level
    FROM document d JOIN act ON act.document_sha256 = d.sha256 AND act.authority = :authority
    WHERE d.stamp_deferred AND NOT EXISTS (SELECT 1 FROM archive_copy c WHERE c.made_from = d.sha256)
    ORDER BY d.stored_at, act.label LIMIT :limit
    """
)
# The last file of each act, unless it is a copy that nothing has to be added to yet. What is continued is left out
# of each part by itself, and not of the whole: else the whole is sorted first.
_DUE_FILES = text(
    """
    SELECT act.id, act.label, d.sha256, d.level, NULL::timestamptz AS renew_before, d.stored_at AS since
    FROM document d JOIN act ON act.document_sha256 = d.sha256 AND act.authority = :authority
    WHERE NOT EXISTS (SELECT 1 FROM archive_copy c WHERE c.made_from = d.sha256)
    UNION ALL
    SELECT act.id, act.label, last.sha256, last.level, last.renew_before, last.made_at
    FROM archive_copy last JOIN act ON act.id = last.act_id AND act.authority = :authority
    WHERE last.renew_before <= :at AND NOT EXISTS (SELECT 1 FROM archive_copy c WHERE c.made_from = last.sha256)
    ORDER BY renew_before NULLS LAST, since, label LIMIT :limit
    """
)
_ONLY_DATED = text(
    """
    SELECT count(*) FROM archive_copy last JOIN act ON act.id = last.act_id AND act.authority = :authority
    WHERE last.level = 'B-T' AND NOT EXISTS (SELECT 1 FROM archive_copy c WHERE c.made_from = last.sha256)
    """
)
_CONTENT = text(
    "SELECT content FROM document WHERE sha256 = :sha256 UNION ALL"
    " SELECT content FROM archive_copy WHERE sha256 = :sha256"
)


_KEPT_FOR = timedelta(seconds=1)
# Acts are not filed in the order of their instants: clocks differ, and so does the time that filing takes.
_OUT_OF_ORDER = timedelta(hours=1)


@dataclass(frozen=True)
class Deferred:
    """How many acts were delivered without the time stamp they should have had, and since when the oldest waits."""

    count: int
    oldest: datetime | None


@dataclass(frozen=True)
class LastFile:
    """The last file of an act, which a copy may continue."""

    act_id: UUID
    number: str
    sha256: str
    level: SealLevel


class Archive:
    """The archive copies of one authority's acts."""

    def __init__(self, engine: Engine, authority: str, floor: Floor) -> None:
        self._engine, self._authority, self._floor = engine, authority, floor
        self._since = datetime.min.replace(tzinfo=UTC)
        # When it was last asked since when acts wait, and the answer.
        self._oldest: tuple[datetime, datetime | None] | None = None

    def deferred(self) -> Deferred:
        """Tell which delivered acts wait for their time stamp."""
        with self._engine.connect() as connection:
            return Deferred(*connection.execute(_DEFERRED, {"authority": self._authority}).one())

    def oldest_deferred(self, at: datetime) -> datetime | None:
        """Return since when the oldest delivered act waits for its time stamp, as it was a second before `at` or later.

        Quick, for whoever asks with every act: however many wait, and however many waited once.
        """
        if self._oldest is not None and timedelta(0) <= at - self._oldest[0] < _KEPT_FOR:
            return self._oldest[1]
        with self._engine.connect() as connection:
            asked = {"authority": self._authority, "since": self._since}
            oldest: datetime | None = connection.execute(_OLDEST_DEFERRED, asked).scalar()
        self._since = max(self._since, (oldest or at) - _OUT_OF_ORDER)
        self._oldest = at, oldest
        return oldest

    def only_dated(self) -> int:
        """Return how many acts have a last copy that proves its date alone (B-T)."""
        with self._engine.connect() as connection:
            return int(connection.execute(_ONLY_DATED, {"authority": self._authority}).scalar_one())

    def awaiting_stamp(self, limit: int) -> list[LastFile]:
        """Return the files that wait for their time stamp, the oldest first."""
        with self._engine.connect() as connection:
            rows = connection.execute(_DEFERRED_FILES, {"authority": self._authority, "limit": limit})
            return [_file(row) for row in rows]

    def due(self, at: datetime, limit: int) -> list[LastFile]:
        """Return the files to continue: what must be renewed by then first, then what has no copy yet."""
        with self._engine.connect() as connection:
            rows = connection.execute(_DUE_FILES, {"authority": self._authority, "at": at, "limit": limit})
            return [_file(row) for row in rows]

    def content(self, sha256: str) -> bytes:
        """Return the bytes of a delivered file or of a copy; ValueError when they are not those of that digest."""
        with self._engine.connect() as connection:
            content = bytes(connection.execute(_CONTENT, {"sha256": sha256}).scalar_one())
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ValueError(f"the file {sha256} was altered")
        return content

    def keep(
        self, made_from: LastFile, content: bytes, level: SealLevel, renew_before: datetime | None, at: datetime
    ) -> str:
        """Keep a copy for ever, with its entry of the chain; return its SHA-256. One copy continues a file, no more."""
        sha256 = hashlib.sha256(content).hexdigest()
        row = ArchiveCopyRow(
            sha256=sha256,
            act_id=made_from.act_id,
            content=content,
            level=level,
            made_from=made_from.sha256,
            made_at=at,
            renew_before=renew_before,
        )
        entry = {
            "act": made_from.number,
            "copy_sha256": sha256,
            "level": level,
            "made_from": made_from.sha256,
            "renew_before": None if renew_before is None else audit.instant_text(renew_before),
        }
        with Session(self._engine) as session:
            with session.begin():
                self._floor.check(session)
                session.add(row)
                session.flush()
                position = audit.append(session, self._authority, "archived", at, entry)
            self._floor.raise_to(position)
        self._oldest = None
        return sha256


def _file(row: Any) -> LastFile:
    return LastFile(row.id, row.label, row.sha256, SealLevel(row.level))
