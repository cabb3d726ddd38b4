"""Archive copies: each is the one that the chain tells, and begins with the whole file that it continues."""

from permits.register.audit import instant_text
from permits.register.fsck.finding import Code
from permits.register.fsck.look import Look
from permits.register.fsck.story import CopyStory, Story

STEP = "copies d’archive"
_COUNT = "SELECT count(*) FROM archive_copy c JOIN act ON act.id = c.act_id WHERE act.authority = :authority"
# Hashed and compared where they lie: the bytes don't travel.
_COPIES = """
SELECT c.sha256, act.label, c.level, c.made_from, c.made_at, c.renew_before,
    encode(sha256(c.content), 'hex') AS computed,
    substring(c.content FROM 1 FOR octet_length(earlier.content)) = earlier.content
        AND octet_length(c.content) > octet_length(earlier.content) AS continues
FROM archive_copy c JOIN act ON act.id = c.act_id LEFT JOIN LATERAL (
    SELECT content FROM document WHERE sha256 = c.made_from
    UNION ALL SELECT content FROM archive_copy WHERE sha256 = c.made_from
) earlier ON true
WHERE act.authority = :authority
"""


def check_copies(look: Look, story: Story) -> None:
    """Every archive copy of the chain is in the book as it was made, and no other."""
    seen = set()
    for row in look.stream(STEP, _COUNT, _COPIES):
        told = story.copies.get(row.sha256)
        if told is None:
            message = f"la copie d’archive {row.sha256[:12]} de {row.label} n’est pas dans la chaîne"
            look.found(Code.COPY_UNKNOWN, row.sha256, message)
            continue
        seen.add(row.sha256)
        renewal = None if row.renew_before is None else instant_text(row.renew_before)
        found = CopyStory(row.label, row.level, row.made_from, row.made_at, renewal)
        if row.computed != row.sha256 or found != told:
            message = f"la copie d’archive {row.sha256[:12]} de {told.act} n’est plus celle qui a été faite"
            look.found(Code.COPY_ALTERED, row.sha256, message)
        if not row.continues:
            message = f"la copie d’archive {row.sha256[:12]} de {told.act} ne contient pas le fichier qu’elle continue"
            look.found(Code.COPY_ALTERED, row.sha256, message)
    for sha256 in story.copies.keys() - seen:
        message = f"la copie d’archive {sha256[:12]} de {story.copies[sha256].act} n’est plus au registre"
        look.found(Code.COPY_MISSING, sha256, message)
