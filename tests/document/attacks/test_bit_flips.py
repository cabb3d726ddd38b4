"""One bit is changed in a sealed permit: its seal does not hold, and nobody knows the file."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
from asn1crypto import x509 as asn1_x509  # type: ignore[import-untyped]
from cryptography import x509

from permits.document.sealing.pades import to_asn1
from tests.document.attacks.conftest import SEALS
from tests.document.attacks.readers import cryptography_holds
from tests.document.attacks.recorded import known_among, record
from tests.document.attacks.target import Target, flipped
from tests.document.conftest import town_seal
from tests.fakes import FakeOffice

PARTS = 2


def spoilt(target: Target, place: int) -> bytes:
    """Return the permit with one bit changed at that byte: each of the eight in its turn, at every stride."""
    return flipped(target.sealed, place, 1 << (place + place // 16) % 8)


def accepted(target: Target, places: Iterable[int]) -> list[int]:
    """Return the bytes at which a changed bit is not refused by the seal."""
    return [place for place in places if not target.refuses(spoilt(target, place))]


def test_a_bit_at_every_sixteenth_byte_is_refused(target_of: Callable[[str], Target]) -> None:
    target = target_of("RSA-3072")
    assert not target.refuses(target.sealed)
    assert accepted(target, range(7, len(target.sealed), 16)) == []


def test_nor_does_a_bit_pass_in_the_certificates_sent_along(pdf: bytes) -> None:
    """The last of them is held by whoever knows the root; without one it is taken as it is."""
    target, _ = with_root(pdf)
    assert not target.refuses(target.sealed)
    assert accepted(target, range(*target.gap, 16)) == []


def test_nor_does_a_last_bit_pass_that_is_called_unused(pdf: bytes) -> None:
    """Its signature would still hold, on other bytes."""
    target, root = with_root(pdf)
    while root.dump()[-1] & 1:
        target, root = with_root(pdf)
    whole, value = target.signature.dump(), root["signature_value"]
    renamed = value.dump().replace(value.contents, b"\1" + value.contents[1:])
    assert target.refuses(target.with_signature(whole.replace(value.dump(), renamed)))


def with_root(pdf: bytes) -> tuple[Target, asn1_x509.Certificate]:
    """Return the permit under a seal that sends its root along, and that root."""
    seal = town_seal(with_chain=True)
    target = Target(pdf, seal.seal(pdf).content, seal)
    sent = [each.chosen for each in target.signature["content"]["certificates"]]
    (root,) = [each for each in sent if each.dump() != to_asn1(seal.certificate).dump()]
    return replace(target, roots=(x509.load_der_x509_certificate(root.dump()),)), root


def test_the_digest_and_the_signature_alone_would_let_some_pass(target_of: Callable[[str], Target]) -> None:
    """The control: a bit in the padding changes nothing that cryptography looks at."""
    target = target_of("RSA-3072")
    places = range(target.gap[1] - 8, target.gap[1])
    assert any(cryptography_holds(spoilt(target, place), [target.seal.certificate]) for place in places)
    assert accepted(target, places) == []


@pytest.mark.proof
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("kind", SEALS)
def test_a_bit_at_every_byte_is_refused(
    kind: str, part: int, office: FakeOffice, target_of: Callable[[str], Target]
) -> None:
    target = target_of(kind)
    record(office, target.sealed)
    places = range(part, len(target.sealed), PARTS)
    known = sum(
        known_among(office, (spoilt(target, place) for place in places[start : start + 5000]))
        for start in range(0, len(places), 5000)
    )
    passed = accepted(target, places)
    beside, trusted = places[:: 64 // PARTS], target.roots or (target.seal.certificate,)
    weak = sum(cryptography_holds(spoilt(target, place), trusted) for place in beside)
    print(f"{kind}, part {part + 1} of {PARTS}: {len(places)} bytes, {len(passed)} accepted by the seal, {known} known")
    print(f"  beside, digest and signature alone: {weak} of {len(beside)} accepted")
    assert (passed, known) == ([], 0)
    assert known_among(office, [target.sealed]) == 1
    assert weak > 0
