"""Every turn of the issuing switch is in the chain, in the same order."""

from itertools import zip_longest
from typing import cast

from permits.register.digests import switch_digest
from permits.register.fsck.finding import Code
from permits.register.fsck.look import Look
from permits.register.fsck.story import Story
from permits.register.tables import SwitchRow

_TURNS = """
SELECT id, halted, reason, turned_by, turned_at FROM issuing_switch WHERE authority = :authority ORDER BY id
"""


def check_switch(look: Look, story: Story) -> None:
    """The turns of the switch are those of the chain: none missing, none added, none changed or out of order."""
    for position, (row, told) in enumerate(zip_longest(look.rows(_TURNS), story.turns), 1):
        found = row and (row.halted, switch_digest(cast(SwitchRow, row)), row.turned_at)
        if found != (told and (told.halted, told.digest.hex(), told.at)):
            look.found(Code.SWITCH, position, f"le {position}ᵉ tour de l’interrupteur n’est pas celui de la chaîne")
