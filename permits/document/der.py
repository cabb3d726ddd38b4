"""DER, written by hand: a few microseconds where asn1crypto, which can also read it, takes milliseconds."""

from asn1crypto import core  # type: ignore[import-untyped]

OCTETS, SEQUENCE, SET = 0x04, 0x30, 0x31
FIRST, SECOND = 0xA0, 0xA1  # context-specific and constructed: [0] and [1]


def der(tag: int, *parts: bytes) -> bytes:
    """Return the parts under a tag, their length in its shortest form."""
    body = b"".join(parts)
    if len(body) < 0x80:
        return bytes((tag, len(body))) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


def identifier(dotted: str) -> bytes:
    """Return an object identifier."""
    return bytes(core.ObjectIdentifier(dotted).dump())
