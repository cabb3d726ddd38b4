"""Documents: each is what its digest says and belongs to one act; the seals hold."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import text

from permits.domain.sealing import SealLevel
from permits.register.fsck.finding import Code
from permits.register.fsck.look import Look

STEP = "documents"
SEALS = "cachets"
_COUNT = "SELECT count(*) FROM document"
# Hashed where they lie: the bytes don't travel.
_HASHES = "SELECT sha256, encode(sha256(content), 'hex') AS computed FROM document"
_OWNERS = """
SELECT d.sha256, count(act.id) AS acts FROM document d LEFT JOIN act ON act.document_sha256 = d.sha256
GROUP BY d.sha256 HAVING count(act.id) <> 1 ORDER BY d.sha256
"""
_SEALED = """
SELECT act.label, act.document_sha256, d.level FROM act LEFT JOIN document d ON d.sha256 = act.document_sha256
WHERE act.authority = :authority AND act.document_sha256 IS NOT NULL ORDER BY act.series, act.year, act.number
"""
_SEALED_COUNT = "SELECT count(document_sha256) FROM act WHERE authority = :authority"
_CONTENT = text("SELECT content FROM document WHERE sha256 = :sha256")


@dataclass(frozen=True)
class Seals:
    """Which seals to verify: `sample` of them, drawn from `seed`, or all when it is None.

    `verify` takes a document's bytes and the level it was delivered at, and raises when its seal does not hold, or is
    not of that level.
    """

    verify: Callable[[bytes, SealLevel], None]
    sample: int | None
    seed: int


def check_documents(look: Look) -> None:
    """Every document is the one that its digest names, and is that of one act."""
    for row in look.stream(STEP, _COUNT, _HASHES):
        if row.computed != row.sha256:
            look.found(Code.DOCUMENT_ALTERED, row.sha256, f"le document {row.sha256[:12]} a été modifié")
    for row in look.each(_OWNERS):
        message = f"le document {row.sha256[:12]} est celui de {row.acts} actes, au lieu d’un"
        look.found(Code.DOCUMENT_UNKNOWN, row.sha256, message)


def check_seals(look: Look, seals: Seals) -> None:
    """The seals of the chosen documents hold."""
    chosen = _chosen(look, seals)
    for done, (label, sha256, level) in enumerate(chosen):
        look.progress(SEALS, done, len(chosen))
        content = look.connection.execute(_CONTENT, {"sha256": sha256}).scalar()
        if content is None:
            continue  # told by check_acts
        try:
            seals.verify(bytes(content), SealLevel(level))
        except Exception as error:
            look.found(Code.SEAL, label, f"le cachet de {label} ne tient pas (raison technique : {error!r})")
    look.read[SEALS] = len(chosen)
    look.progress(SEALS, len(chosen), len(chosen))


def _chosen(look: Look, seals: Seals) -> list[tuple[str, str, str]]:
    """Return the number, digest and level of each document to verify, each as likely as another to be in the sample."""
    picked: list[tuple[str, str, str]] = []
    chance = random.Random(seals.seed)
    for index, row in enumerate(look.stream(SEALS, _SEALED_COUNT, _SEALED)):
        if seals.sample is None or index < seals.sample:
            picked.append((row.label, row.document_sha256, row.level))
        elif (place := chance.randrange(index + 1)) < seals.sample:
            picked[place] = (row.label, row.document_sha256, row.level)
    return picked
