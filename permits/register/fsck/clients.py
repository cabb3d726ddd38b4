"""Clients and contacts, as far as the chain speaks of them: whose they are, and that what it says erased is."""

from permits.register.fsck.finding import Code
from permits.register.fsck.look import Look
from permits.register.fsck.story import Story

_ERASED = """
SELECT id, erased_at, name = '' AND key_sha256 = repeat('0', 64) AND sirens = '{}' AS is_blank
FROM client WHERE authority = :authority AND erased_at IS NOT NULL ORDER BY id
"""
_STRANGERS = """
SELECT DISTINCT c.id FROM application a JOIN client c ON c.id = a.client_id
WHERE a.authority = :authority AND c.authority <> a.authority ORDER BY c.id
"""
_CONTACTS = """
SELECT application_id FROM application_contact WHERE application_id = ANY(CAST(:erased AS uuid[]))
ORDER BY application_id
"""


def check_clients(look: Look, story: Story) -> None:
    """Nobody files with another authority's key; accounts are erased when the chain says so, and only then."""
    for row in look.each(_STRANGERS):
        look.found(Code.CLIENT, row.id, f"le client {row.id} dépose ici, et appartient à une autre autorité")
    told = story.erased.get("client", {})
    erased = {}
    for row in look.each(_ERASED):
        erased[str(row.id)] = row.erased_at
        if not row.is_blank:
            look.found(Code.CLIENT, row.id, f"le compte {row.id} est dit effacé, et tient encore ce qui devait l’être")
    for name in sorted(told.keys() | erased.keys()):
        if told.get(name) != erased.get(name):
            message = f"le compte {name} est effacé sans que la chaîne le dise, ou l’inverse, ou à un autre instant"
            look.found(Code.CLIENT, name, message)


def check_contacts(look: Look, story: Story) -> None:
    """A contact that the chain says erased is no longer there."""
    for row in look.each(_CONTACTS, erased=list(story.erased.get("application_contact", {}))):
        message = f"le contact de la demande {row.application_id} devait être effacé"
        look.found(Code.NOT_ERASED, row.application_id, message)
