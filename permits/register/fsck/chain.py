"""The audit chain, recomputed from its first entry to its last."""

from permits.register.audit import GENESIS, entry_digest
from permits.register.checkpoint import Checkpoint
from permits.register.floor import differences
from permits.register.fsck.finding import Code
from permits.register.fsck.look import Look
from permits.register.fsck.story import Misfit, Story

STEP = "entrées"
_COUNT = "SELECT position FROM audit_head WHERE authority = :authority"
_ENTRIES = """
SELECT position, at, event, entry, previous_sha256, sha256
FROM audit_entry WHERE authority = :authority ORDER BY position
"""
_HEAD = "SELECT position, sha256 FROM audit_head WHERE authority = :authority"


def read_chain(look: Look) -> tuple[Story, int, str]:
    """Return what the chain tells, the position of its last entry and its hash; note what does not hold.

    After a break it goes on from what is stored, so that one altered entry is told once.
    """
    story, position, last = Story(), 0, GENESIS
    for row in look.stream(STEP, _COUNT, _ENTRIES):
        position += 1
        if row.position != position:
            message = f"l’entrée {position} manque : la suivante est la {row.position}"
            look.found(Code.CHAIN_POSITION, position, message)
            position = row.position
        if row.previous_sha256 != last:
            look.found(Code.CHAIN_LINK, position, f"l’entrée {position} ne suit pas celle qui la précède")
        with look.reading(f"l’entrée {position}"):
            if row.sha256 != entry_digest(look.authority, position, row.event, row.at, row.entry, row.previous_sha256):
                look.found(Code.CHAIN_HASH, position, f"l’entrée {position} n’est plus celle qui a été écrite")
        try:
            story.hear(row.event, row.at, row.entry)
        except Misfit as misfit:
            look.found(Code.CHAIN_EVENT, position, f"l’entrée {position} est impossible : {misfit}")
        last = row.sha256
    _check_head(look, position, last)
    return story, position, last


def check_checkpoint(look: Look, checkpoint: Checkpoint) -> None:
    """The book follows the checkpoint it is shown."""
    for difference in differences(look.connection, checkpoint):
        look.found(Code.CHECKPOINT, checkpoint.position, difference)


def _check_head(look: Look, position: int, last: str) -> None:
    heads = look.rows(_HEAD)
    head = (heads[0].position, heads[0].sha256) if heads else (0, GENESIS)
    if head != (position, last):
        message = f"la tête de la chaîne est à l’entrée {head[0]}, la dernière est la {position}"
        look.found(Code.CHAIN_HEAD, head[0], message if head[0] != position else f"{message}, d’une autre empreinte")
