"""Every step by which a rulebook came into force is in the chain, in the same order."""

from itertools import zip_longest
from typing import Any

from sqlalchemy import Row

from permits.register.fsck.finding import Code
from permits.register.fsck.look import Look
from permits.register.fsck.story import Story
from permits.register.publications import step_digest

_STEPS = """
SELECT step, digest, effective_on, taken_by, taken_at FROM rulebook_step WHERE authority = :authority ORDER BY id
"""


def check_steps(look: Look, story: Story) -> None:
    """The steps are those of the chain: none missing, none added, none changed or out of order."""
    for position, (row, told) in enumerate(zip_longest(look.rows(_STEPS), story.steps), 1):
        found = row and (row.step, _sealed(row), row.digest, row.taken_at)
        if found != (told and (told.step, told.sealed.hex(), told.rulebook, told.at)):
            message = f"la {position}ᵉ étape d’un règlement n’est pas celle de la chaîne"
            look.found(Code.RULEBOOK_STEP, position, message)


def _sealed(row: Row[Any]) -> str:
    return step_digest(step=row.step, rulebook=row.digest, effective_on=row.effective_on, by=row.taken_by)
