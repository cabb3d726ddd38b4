"""Every certificate that sealed and every key that signed codes is the one that the chain tells, and there is no other.

Whoever could add one would have their own files and codes taken for acts of this authority.
"""

from permits.domain.canonical import digest
from permits.register.digests import seal_digest
from permits.register.fsck.finding import Code
from permits.register.fsck.look import Look
from permits.register.fsck.story import KeyStory, Story

_SEALS = "SELECT sha256, certificate, chain, first_used_at FROM seal_certificate WHERE authority = :authority"
_CODE_KEYS = "SELECT kid, public_key, first_used_at FROM code_key WHERE authority = :authority"
_NAMED = {"seal": "le certificat de cachet", "code": "la clé des codes"}


def check_keys(look: Look, story: Story) -> None:
    """The certificates and the keys of the book are those of the chain."""
    found: dict[tuple[str, str], KeyStory] = {}
    for row in look.each(_SEALS):
        sealed = seal_digest(bytes(row.certificate), row.chain)
        found["seal", row.sha256] = KeyStory(bytes.fromhex(sealed), row.first_used_at)
    for row in look.each(_CODE_KEYS):
        found["code", row.kid] = KeyStory(bytes.fromhex(digest(row.public_key)), row.first_used_at)
    for key in sorted(story.keys.keys() | found.keys()):
        kind, name = key
        named = f"{_NAMED.get(kind, kind)} {name[:12]}"
        if key not in story.keys:
            look.found(Code.KEY_UNKNOWN, name, f"{named} n’est pas dans la chaîne")
        elif key not in found:
            look.found(Code.KEY_MISSING, name, f"{named} n’est plus au registre")
        elif found[key] != story.keys[key]:
            look.found(Code.KEY_ALTERED, name, f"{named} n’est plus ce qui a été noté")
