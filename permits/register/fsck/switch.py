"""Every turn of a switch is in the chain, in the same order: of the one for issuing, and of each source's."""

from itertools import zip_longest
from typing import Any

from permits.register import source_switch, switch
from permits.register.fsck.finding import Code
from permits.register.fsck.look import Look
from permits.register.fsck.story import Story, Turn

_ISSUING = """
SELECT id, halted, reason, turned_by, turned_at FROM issuing_switch WHERE authority = :authority ORDER BY id
"""
_SOURCES = """
SELECT id, source, off, reason, turned_by, turned_at FROM registry_switch WHERE authority = :authority ORDER BY id
"""

# All authorities take their turns' numbers from one sequence, and the highest of their own is the one that counts.
_NEXT = """
SELECT last_value, (SELECT seqmax FROM pg_sequence WHERE seqrelid = '{table}_id_seq'::regclass) AS most,
    (SELECT coalesce(max(id), 0) FROM {table}) AS highest
FROM {table}_id_seq
"""


def check_switch(look: Look, story: Story) -> None:
    """The turns of each switch are those of the chain, in the same order; the next one will be heard."""
    _compare(look, "l’interrupteur", [_issuing(row) for row in look.rows(_ISSUING)], story.turns)
    sources = [_source(row) for row in look.rows(_SOURCES)]
    _compare(look, "l’interrupteur des sources", sources, story.source_turns)
    for table in ("issuing_switch", "registry_switch"):
        _check_next(look, table)


def _compare(look: Look, name: str, found: list[Turn], told: list[Turn]) -> None:
    for position, (row, turn) in enumerate(zip_longest(found, told), 1):
        if row != turn:
            look.found(Code.SWITCH, position, f"le {position}ᵉ tour de {name} n’est pas celui de la chaîne")


def _check_next(look: Look, table: str) -> None:
    for row in look.rows(_NEXT.format(table=table)):
        if not row.highest <= row.last_value < row.most:
            message = f"le prochain tour suivrait le numéro {row.last_value}, et il y en a un {row.highest}"
            look.found(Code.SWITCH, f"{table}_id_seq", message)


def _issuing(row: Any) -> Turn:
    digest = switch.turn_digest(halted=row.halted, reason=row.reason, by=row.turned_by)
    return Turn(row.halted, bytes.fromhex(digest), row.turned_at)


def _source(row: Any) -> Turn:
    digest = source_switch.turn_digest(source=row.source, off=row.off, reason=row.reason, by=row.turned_by)
    return Turn(row.off, bytes.fromhex(digest), row.turned_at)
