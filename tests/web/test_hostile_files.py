"""Hostile files sent to be verified: no crash, an answer in two seconds, a bounded reader, none called authentic."""

import io
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pikepdf
import pytest

from permits.document.press import Press
from permits.document.quarantine import READER, ask
from permits.document.sealing.demo import load_demo_seal, make_demo_seal
from permits.document.stranger import MEMORY_BYTES
from tests.web.conftest import Api
from tests.web.hostile_files import KINDS, hostile

SEED = 20261124
BAND = re.compile(r'data-band="(\w+)"')


@pytest.fixture
def true(api: Api, tmp_path_factory: pytest.TempPathFactory) -> Iterator[bytes]:
    """A file that was really printed, sealed and delivered."""
    directory = tmp_path_factory.mktemp("seal")
    make_demo_seal(directory)
    press = Press(load_demo_seal(directory), workers=1)
    context = api.client.app.state.context  # type: ignore[attr-defined]
    press.start()
    api.client.app.state.context = replace(  # type: ignore[attr-defined]
        context, desk=replace(context.desk, press=press)
    )
    sha256 = api.post().json()["permit"]["document_sha256"]
    press.close()
    yield api.office.register.document(sha256)


def verdict_on(api: Api, content: bytes) -> tuple[str, float]:
    """Send a file as a form does; return what the page says it is, and the seconds it took."""
    begun = time.perf_counter()
    response = api.client.post("/verifier", files={"file": ("permis.pdf", content, "application/pdf")})
    took = time.perf_counter() - begun
    assert response.status_code == (200 if content else 400), response.status_code
    band = BAND.search(response.text)
    assert band is not None
    assert band[1] in ("other", "unknown", "refused") or "Document authentique" in response.text
    return band[1], took


def judge(api: Api, true: bytes, count: int) -> tuple[Counter[str], float]:
    """Send so many hostile files; return how many of each verdict there were, and the longest wait."""
    told: Counter[str] = Counter()
    longest = 0.0
    for kind, content in hostile(SEED, count, true):
        band, took = verdict_on(api, content)
        assert band in ("other", "unknown", "refused"), kind
        assert took <= 2, f"{kind}: {took:.2f} s"
        told[band] += 1
        longest = max(longest, took)
    # Negative control: in the same run the true file is told authentic, and its state with it.
    assert verdict_on(api, true)[0] == "specimen"
    return told, longest


# What the reader does, then the most memory it held: told by the system, by a file opened before nothing can be.
MEASURED = (
    "from permits.document import stranger; status = open('/proc/self/status'); stranger.main(); print(status.read())"
)


def memory_of(content: bytes) -> int:
    """Return the most memory (bytes, resident) that the reader of a file held."""
    told = ask((*READER[:-2], "-c", MEASURED), content, 10).decode()
    held = re.search(r"VmHWM:\s+(\d+) kB", told)
    assert held is not None, told
    return int(held[1]) * 1024


def test_two_hundred_hostile_files_are_answered_and_none_is_authentic(api: Api, true: bytes) -> None:
    told, _ = judge(api, true, 200)

    # What was made from the true file still claims its number; the rest claims nothing that we know.
    assert told["other"] > 30 and told["unknown"] > 100


def test_the_reader_of_any_kind_stays_well_within_its_memory() -> None:
    blank = io.BytesIO()
    document = pikepdf.new()
    document.add_blank_page()
    document.save(blank)
    held = {kind: memory_of(content) for kind, content in hostile(SEED, len(KINDS), blank.getvalue())}

    assert held.keys() == KINDS.keys()
    assert max(held.values()) < MEMORY_BYTES / 2, held


@pytest.mark.proof
def test_ten_thousand_hostile_files(api: Api, true: bytes) -> None:
    told, longest = judge(api, true, 10_000)

    print(f"10 000 hostile files: {dict(told)}, the longest answered in {longest:.2f} s")


@pytest.mark.proof
def test_the_memory_of_the_reader_of_a_thousand(true: bytes) -> None:
    most = max(memory_of(content) for _, content in hostile(SEED + 1, 1000, true))

    assert most < MEMORY_BYTES
    print(f"the reader of 1 000 hostile files held at most {most / 1024**2:.0f} MiB of {MEMORY_BYTES // 1024**2}")
