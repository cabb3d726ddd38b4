"""A stranger's file is read in a process that can do nothing else, and not for long."""

import sys
import threading
import time
import zlib
from typing import Any

import pytest

from permits.document.quarantine import READER, Quarantine, ask
from permits.document.stranger import MEMORY_BYTES, read
from permits.domain.claim import MOST_CLAIMS, Claim
from permits.domain.permit import PressBusy
from tests.document.sample import VERIFICATION_URL

CODE = VERIFICATION_URL.rsplit("/", 1)[1]
# Inflates to 64 MiB, as often as it is repeated.
_packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
ZEROS = _packer.compress(bytes(64 * 1024**2)) + _packer.flush(zlib.Z_FULL_FLUSH)
BOMB = b"%PDF-1.7\nstream\n\x78\xda" + ZEROS * 6

LOCKED = f"from permits.document.confined import lock_in; lock_in({MEMORY_BYTES}, 1); "


def doing(code: str) -> tuple[str, ...]:
    """Return the command of a reader that does this instead of reading."""
    return (*READER[:-2], "-c", code)


def test_a_sealed_permit_claims_its_own_code_and_number(sealed: bytes) -> None:
    assert Quarantine().read(sealed) == Claim(is_pdf=True, codes=(CODE,), numbers=("EX-2027-000001",))


def test_a_permit_with_one_byte_changed_still_claims_them(sealed: bytes) -> None:
    changed = sealed[:-20] + b"?" + sealed[-19:]

    assert Quarantine().read(changed).codes == (CODE,)


@pytest.mark.parametrize(
    ("content", "is_pdf"), [(b"", False), (b"%PDF-", True), (b"PK\x03\x04", False), (b" %PDF-1.7", False)]
)
def test_what_claims_nothing_claims_nothing(content: bytes, is_pdf: bool) -> None:
    assert Quarantine().read(content) == Claim(is_pdf=is_pdf)


def test_a_claim_cut_between_two_pieces_is_still_seen() -> None:
    for before in range(64 * 1024 - 70, 64 * 1024 + 10):
        held = zlib.compress(b" " * before + VERIFICATION_URL.encode() + b" " * 1000)
        assert read(b"%PDF-1.7 stream\n" + held)["codes"] == [CODE], before


def test_only_so_many_claims_are_heard() -> None:
    many = b" ".join(b"/v/%022d" % number for number in range(100))

    assert Quarantine().read(many).codes == tuple(f"{number:022}" for number in range(MOST_CLAIMS))


def test_a_bomb_is_cut_short_and_goes_on_without_a_limit() -> None:
    begun = time.monotonic()
    assert Quarantine(seconds=0.3).read(BOMB) == Claim(is_pdf=True, is_whole=False)
    assert time.monotonic() - begun < 1

    # Negative control: left alone, the same bomb takes longer than that.
    begun = time.monotonic()
    assert ask(READER, BOMB, 30).startswith(b'{"is_pdf": true')
    assert time.monotonic() - begun > 0.3


@pytest.mark.parametrize(
    "deed",
    [
        f"bytes({MEMORY_BYTES})",
        "open('/etc/passwd')",
        "import socket; socket.socket()",
        "import os; assert os.waitpid(os.posix_spawn('/bin/true', ['true'], {}), 0)[1] == 0",
    ],
    ids=["memory", "file", "socket", "program"],
)
def test_the_reader_can_reach_nothing(deed: str) -> None:
    """Each deed is possible before the limits are set: that is the negative control."""
    told = "print('done', flush=True); os._exit(0)"
    preloaded = "import os, socket; "

    assert ask(doing(f"{preloaded}{deed}; {told}"), b"", 10).startswith(b"done")
    assert ask(doing(f"{preloaded}{LOCKED}{deed}; {told}"), b"", 10) == b""


def test_a_reader_that_spins_is_ended_by_the_system_even_if_nobody_waits() -> None:
    begun = time.monotonic()

    assert ask(doing(LOCKED + "\nwhile True: pass"), b"", 30) == b""
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize(
    "answer", ["", "{}", '{"is_pdf": true, "codes": ["x"]}', '{"is_pdf": true, "state": 1}', "x" * 99]
)
def test_an_answer_that_is_not_a_claim_is_not_believed(answer: str) -> None:
    lying = Quarantine(reader=(sys.executable, "-c", f"print({answer!r})"))

    assert lying.read(b"%PDF-1.7") == Claim(is_pdf=True, is_whole=False)


def test_an_endless_answer_is_not_listened_to() -> None:
    flood = Quarantine(reader=(sys.executable, "-c", "while True: print('x' * 10000)"))

    assert not flood.read(b"").is_whole


def test_beyond_its_places_the_next_file_is_sent_away_at_once() -> None:
    quarantine = Quarantine(places=1, reader=(sys.executable, "-c", "import time; time.sleep(9)"), seconds=0.6)
    read: list[Any] = []
    first = threading.Thread(target=lambda: read.append(quarantine.read(b"")))
    first.start()
    time.sleep(0.2)
    begun = time.monotonic()
    with pytest.raises(PressBusy):
        quarantine.read(b"")
    assert time.monotonic() - begun < 0.5
    first.join()
    assert read == [Claim(is_pdf=False, is_whole=False)]
    assert not quarantine.read(b"").is_whole
