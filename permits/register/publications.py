"""How a rulebook comes into force: an empty book adopts one; another is proposed, then published by somebody else.

Each step is a row that never changes and an entry of the chain. What is in force on a day is the last that takes effect
on that day or before; of several published for one day, the last published.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from permits.domain.canonical import digest
from permits.domain.filing import ActNotPossible
from permits.register import audit
from permits.register.database import check_schema
from permits.register.floor import Floor

_STEP = text(
    "INSERT INTO rulebook_step (authority, step, digest, effective_on, taken_by, taken_at)"
    " VALUES (:authority, :step, :digest, :effective_on, :taken_by, :at)"
)
_UNTIL = text(
    """
    SELECT DISTINCT ON (effective_on) digest FROM rulebook_step s
    WHERE authority = :authority AND step IN ('adopted', 'published') AND effective_on <= greatest(:day, (
        SELECT min(effective_on) FROM rulebook_step WHERE authority = s.authority AND step IN ('adopted', 'published')))
    ORDER BY effective_on DESC, id DESC
    """
)
# A publication closes the proposals of its day: to replace it, two people act anew.
_WAITING = text(
    """
    SELECT id, step, digest, effective_on, taken_by, taken_at FROM rulebook_step p
    WHERE authority = :authority AND step = 'proposed' AND effective_on > :today AND NOT EXISTS (
        SELECT 1 FROM rulebook_step WHERE authority = p.authority AND step = 'published'
            AND effective_on = p.effective_on AND id > p.id)
    ORDER BY id DESC
    """
)
_STEPS = text(
    "SELECT id, step, digest, effective_on, taken_by, taken_at FROM rulebook_step WHERE authority = :authority"
    " ORDER BY id DESC LIMIT :limit"
)
_KEPT = text("SELECT DISTINCT digest FROM rulebook_step WHERE authority = :authority AND starts_with(digest, :prefix)")
_AUTHORITIES = text("SELECT DISTINCT authority FROM rulebook_step LIMIT 2")
_FILES = text("SELECT files FROM rulebook WHERE digest = :digest")
_REFUSALS = {
    "PX006": "ce registre a déjà un règlement : proposez le vôtre (`permits rulebook propose`)",
    "PX007": "un règlement prend effet un jour à venir",
    "PX008": "une autre personne doit avoir proposé ce règlement, pour ce même jour",
}
# Who takes the first rulebook of a book: the operator who starts the service on it.
OPERATOR = "exploitant"


@dataclass(frozen=True)
class Step:
    """One step of a rulebook: adopted, proposed or published."""

    id: int
    step: str
    digest: str
    effective_on: date
    taken_by: str
    taken_at: datetime


def step_digest(*, step: str, rulebook: str, effective_on: date, by: str) -> str:
    """Return the digest that the chain holds of one step."""
    return digest({"step": step, "rulebook": rulebook, "effective_on": effective_on.isoformat(), "taken_by": by})


class Publications:
    """The steps of one authority's rulebooks."""

    def __init__(self, engine: Engine, authority: str, floor: Floor) -> None:
        self._engine, self._authority, self._floor = engine, authority, floor

    def until(self, day: date) -> list[str]:
        """Return the digest of each rulebook that took effect by a day: the one in force first, then those before.

        Before the book's first day that is its first; nothing for a book that has adopted none.
        """
        with self._engine.connect() as connection:
            return list(connection.execute(_UNTIL, {"authority": self._authority, "day": day}).scalars())

    def waiting(self, today: date) -> list[Step]:
        """Return what is proposed for a day to come and may still be published, the newest first."""
        with self._engine.connect() as connection:
            rows = connection.execute(_WAITING, {"authority": self._authority, "today": today})
            return [Step(*row) for row in rows]

    def kept(self, prefix: str) -> list[str]:
        """Return the digests, beginning so, of what was ever adopted, proposed or published."""
        with self._engine.connect() as connection:
            return list(connection.execute(_KEPT, {"authority": self._authority, "prefix": prefix}).scalars())

    def files(self, rulebook: str) -> dict[str, str] | None:
        """Return the files kept under a digest, None when there are none."""
        with self._engine.connect() as connection:
            files: dict[str, str] | None = connection.execute(_FILES, {"digest": rulebook}).scalar()
        return files

    def steps(self, limit: int = 100) -> list[Step]:
        """Return the last steps, the newest first."""
        with self._engine.connect() as connection:
            rows = connection.execute(_STEPS, {"authority": self._authority, "limit": limit})
            return [Step(*row) for row in rows]

    def adopt(self, rulebook: str, day: date, at: datetime) -> None:
        """Have a book without a rulebook take one, from today. Raises ActNotPossible when it has one."""
        self._take("adopted", rulebook, day, OPERATOR, at)

    def propose(self, rulebook: str, effective_on: date, by: str, at: datetime) -> None:
        """Propose a kept rulebook for a day to come. Raises ActNotPossible."""
        self._take("proposed", rulebook, effective_on, by, at)

    def publish(self, rulebook: str, effective_on: date, by: str, at: datetime) -> None:
        """Publish what somebody else proposed. Raises ActNotPossible."""
        self._take("published", rulebook, effective_on, by, at)

    def _take(self, step: str, rulebook: str, effective_on: date, by: str, at: datetime) -> None:
        values: dict[str, Any] = {
            "authority": self._authority,
            "step": step,
            "digest": rulebook,
            "effective_on": effective_on,
            "taken_by": by,
            "at": at,
        }
        sealed = step_digest(step=step, rulebook=rulebook, effective_on=effective_on, by=by)
        entry = {"step_sha256": sealed, "rulebook": rulebook, "by": by}
        try:
            with Session(self._engine) as session:
                with session.begin():
                    # First: steps are numbered in the order of the chain, and each is held to those before it.
                    audit.lock(session, self._authority)
                    self._floor.check(session)
                    session.execute(_STEP, values)
                    position = audit.append(session, self._authority, f"rulebook_{step}", at, entry)
                self._floor.raise_to(position)
        except DBAPIError as error:
            raise _refusal(error) from error


def only_authority(engine: Engine) -> str | None:
    """Return the authority whose rulebooks a base holds, None unless there is exactly one. Raises DatabaseUnfit."""
    with engine.connect() as connection:
        check_schema(connection)
        found = list(connection.execute(_AUTHORITIES).scalars())
    return found[0] if len(found) == 1 else None


def _refusal(error: DBAPIError) -> Exception:
    told = _REFUSALS.get(getattr(error.orig, "sqlstate", None) or "")
    return ActNotPossible(told) if told else error
