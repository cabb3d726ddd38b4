"""What the signed QR code of a permit says: enough for a patrol without a network, short enough to be scanned.

The whole, address and signature included, is kept to `MAX_CHARACTERS`: past it the squares of a printed
code grow too small for a phone. What is cut ends with « … »; numbers and days never are.
"""

import json
from typing import Any

from permits.domain.permit import Permit

MAX_CHARACTERS = 420
# A compact JWS (RFC 7515) around its payload: « # », a header with an eight-character kid, two dots, 64 bytes signed.
_AROUND = 1 + 43 + 2 + 86
_CUT = "…"

Claims = dict[str, str | int]


def claims_of(permit: Permit) -> Claims:
    """Return number, kinds, SIRET, company, place, first and last day, hours if any, 1 if specimen.

    What the registry protects stays out, name and SIRET: the code is posted on the street. An address so long that
    nothing can be cut any more makes the code longer than `MAX_CHARACTERS`.
    """
    hidden = permit.beneficiary.protected
    claims: Claims = {
        "n": permit.number,
        "k": ", ".join(dict.fromkeys(each.label for each in permit.occupancies)),
        "s": "" if hidden else permit.beneficiary.siret,
        "c": "" if hidden else permit.beneficiary.name,
        "p": permit.occupancies[0].address,
        "f": permit.starts_on.isoformat(),
        "l": permit.ends_on.isoformat(),
    }
    if permit.daily_hours:
        claims["h"] = f"{permit.daily_hours.starts:%H:%M}-{permit.daily_hours.ends:%H:%M}"
    if permit.specimen:
        claims["x"] = 1
    return _cut(claims, other_places(permit), _room(permit.verification_url))


def other_places(permit: Permit) -> str:
    """Return how many addresses there are beside the first: « + 2 autres » after a space, or nothing."""
    others = len({each.address for each in permit.occupancies}) - 1
    return f" + {others} autre{'s' if others > 1 else ''}" if others else ""


def claims_bytes(claims: dict[str, Any]) -> bytes:
    """Return the claims as they are signed: compact JSON in UTF-8."""
    return json.dumps(claims, ensure_ascii=False, separators=(",", ":")).encode()


def _room(url: str) -> int:
    """Return how many bytes of JSON fit beside the address: Base64 writes three as four characters."""
    return (MAX_CHARACTERS - _AROUND - len(url)) * 3 // 4


def _cut(claims: Claims, more: str, room: int) -> Claims:
    """Shorten the longest of kinds, company and place until all of it fits; the count of other places stays."""
    texts = {key: str(claims[key]) for key in ("k", "c", "p")}
    cut: set[str] = set()
    while True:
        shown = {key: text.rstrip() + _CUT if key in cut else text for key, text in texts.items()}
        shown["p"] += more
        said = {key: shown.get(key, value) for key, value in claims.items()}
        longest = max(texts, key=lambda key: len(texts[key].encode()))
        if len(claims_bytes(said)) <= room or not texts[longest]:
            return said
        cut.add(longest)
        texts[longest] = texts[longest][:-1]
