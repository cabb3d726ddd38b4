"""Every turn of the issuing switch is in the chain, in the same order."""

from itertools import zip_longest
from typing import Any

from sqlalchemy import Row

from permits.register.fsck.finding import Code
from permits.register.fsck.look import Look
from permits.register.fsck.story import Story
from permits.register.switch import turn_digest

_TURNS = """
SELECT id, halted, reason, turned_by, turned_at FROM issuing_switch WHERE authority = :authority ORDER BY id
"""


# All authorities take their turns' numbers from one sequence, and the highest of their own is the one that counts.
_NEXT = """
SELECT last_value, (SELECT seqmax FROM pg_sequence WHERE seqrelid = 'issuing_switch_id_seq'::regclass) AS most,
    (SELECT coalesce(max(id), 0) FROM issuing_switch) AS highest
FROM issuing_switch_id_seq
"""


def check_switch(look: Look, story: Story) -> None:
    """The turns of the switch are those of the chain, in the same order; the next one will be heard."""
    for position, (row, told) in enumerate(zip_longest(look.rows(_TURNS), story.turns), 1):
        found = row and (row.halted, _digest(row), row.turned_at)
        if found != (told and (told.halted, told.digest.hex(), told.at)):
            look.found(Code.SWITCH, position, f"le {position}ᵉ tour de l’interrupteur n’est pas celui de la chaîne")
    _check_next(look)


def _digest(row: Row[Any]) -> str:
    return turn_digest(halted=row.halted, reason=row.reason, by=row.turned_by)


def _check_next(look: Look) -> None:
    for row in look.rows(_NEXT):
        if not row.highest <= row.last_value < row.most:
            message = f"le prochain tour suivrait le numéro {row.last_value}, et il y en a un {row.highest}"
            look.found(Code.SWITCH, "issuing_switch_id_seq", message)
