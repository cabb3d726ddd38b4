"""Files that somebody might send to be verified, and that nobody may ever be told are authentic. Seeded."""

import io
import random
import zipfile
import zlib
from collections.abc import Callable, Iterator

import pikepdf
from PIL import Image

HEAD = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
# A stretch of 64 MiB of zeros that can be repeated: 64 KiB or so each time.
_packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
_ZEROS = _packer.compress(bytes(64 * 1024**2)) + _packer.flush(zlib.Z_FULL_FLUSH)

Make = Callable[[random.Random, bytes], bytes]


def hostile(seed: int, count: int, true: bytes) -> Iterator[tuple[str, bytes]]:
    """Give `count` files made from a delivered one or from nothing, each with its kind, all kinds in turn."""
    chance = random.Random(seed)
    kinds = list(KINDS.items())
    for number in range(count):
        kind, make = kinds[number % len(kinds)]
        yield kind, make(chance, true)


def truncated(chance: random.Random, true: bytes) -> bytes:
    return true[: chance.randrange(len(true))]


def noisy(chance: random.Random, true: bytes) -> bytes:
    altered = bytearray(true)
    for _ in range(chance.choice((1, 10, 1000))):
        altered[chance.randrange(len(altered))] ^= 1 << chance.randrange(8)
    return bytes(altered) if altered != true else true + b"\n"


def spliced(chance: random.Random, true: bytes) -> bytes:
    start, end = sorted(chance.sample(range(len(true)), 2))
    return true[:start] + chance.randbytes(chance.randrange(100)) + true[end:]


def appended(chance: random.Random, true: bytes) -> bytes:
    return true + chance.choice((b"\n", b"%%EOF\n", b"1 0 obj\n<<>>\nendobj\n", true, chance.randbytes(500)))


def saved_again(chance: random.Random, true: bytes) -> bytes:
    return _saved(
        true, object_stream_mode=chance.choice(list(pikepdf.ObjectStreamMode)), linearize=chance.random() < 0.5
    )


def encrypted(chance: random.Random, true: bytes) -> bytes:
    return _saved(true, encryption=pikepdf.Encryption(owner="o", user=chance.choice(("", "u")), R=6))


def of_another_number(chance: random.Random, true: bytes) -> bytes:
    number = f"EX-2026-{chance.randrange(10**6):06}"
    claim = b'{"number": "%s", "verification_url": "https://x.example/v/%s"}' % (number.encode(), _code(chance))
    return HEAD + _stream(zlib.compress(claim)) + claim


def many_claims(chance: random.Random, _true: bytes) -> bytes:
    return HEAD + b"".join(b"(https://x.example/v/%s)" % _code(chance) for _ in range(chance.choice((9, 5000))))


def deep(chance: random.Random, _true: bytes) -> bytes:
    return HEAD + b"1 0 obj\n" + chance.choice((b"[", b"<<", b"(", b"<< /A [")) * chance.randrange(1000, 400_000)


def bomb(chance: random.Random, _true: bytes) -> bytes:
    return HEAD + _stream(b"\x78\xda" + _ZEROS * chance.choice((1, 1, 4)))


def bomb_in_a_bomb(chance: random.Random, _true: bytes) -> bytes:
    return HEAD + _stream(zlib.compress(_stream(b"\x78\xda" + _ZEROS * chance.randrange(1, 100))))


def many_streams(chance: random.Random, _true: bytes) -> bytes:
    body = zlib.compress(chance.randbytes(20) * 50)
    return HEAD + _stream(body) * chance.randrange(100, 20_000)


def huge_table(chance: random.Random, _true: bytes) -> bytes:
    size = chance.choice((10**9, 2**63, -1))
    return HEAD + b"xref\n0 %d\ntrailer\n<< /Size %d /Root 1 0 R /Prev 9 >>\nstartxref\n9\n%%%%EOF" % (size, size)


def many_objects(chance: random.Random, _true: bytes) -> bytes:
    return HEAD + b"".join(b"%d 0 obj\n<< /A %d 0 R >>\nendobj\n" % (n, n) for n in range(chance.randrange(1, 50_000)))


def circular(_chance: random.Random, _true: bytes) -> bytes:
    pages = b"2 0 obj\n<< /Type /Pages /Kids [2 0 R] /Parent 2 0 R /Count 1 >>\nendobj\n"
    return HEAD + b"1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n" + pages + b"trailer\n<< /Root 1 0 R >>"


def polyglot(chance: random.Random, true: bytes) -> bytes:
    return chance.choice((b"GIF89a", b"<html><script>alert(1)</script>", b"PK\x03\x04", b"MZ", b"\x00" * 9)) + true


def archive(chance: random.Random, true: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("permis.pdf", true)
    return chance.choice((b"", HEAD)) + held.getvalue()


def picture(chance: random.Random, _true: bytes) -> bytes:
    held = io.BytesIO()
    Image.new("L", (chance.randrange(1, 500), 10)).save(held, "PNG")
    return held.getvalue()


def noise(chance: random.Random, _true: bytes) -> bytes:
    return chance.choice((b"", HEAD)) + chance.randbytes(chance.choice((1, 1000, 1_000_000)))


def _saved(true: bytes, **how: object) -> bytes:
    held = io.BytesIO()
    with pikepdf.open(io.BytesIO(true)) as document:
        document.save(held, **how)  # type: ignore[arg-type]
    return held.getvalue()


def _stream(body: bytes) -> bytes:
    return b"1 0 obj\n<< /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream\nendobj\n" % (len(body), body)


def _code(chance: random.Random) -> bytes:
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return bytes(chance.choices(letters, k=22))


KINDS: dict[str, Make] = {
    make.__name__: make
    for make in (
        truncated,
        noisy,
        spliced,
        appended,
        saved_again,
        encrypted,
        of_another_number,
        many_claims,
        deep,
        bomb,
        bomb_in_a_bomb,
        many_streams,
        huge_table,
        many_objects,
        circular,
        polyglot,
        archive,
        picture,
        noise,
    )
}
