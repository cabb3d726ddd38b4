"""Sealed files verified in number: under the seals that are trusted, or under what each one carries."""

import pytest

from permits.document.errors import SealError
from permits.document.sealing.seal import Seal
from permits.document.trust import Verifier, certificate_inside
from permits.domain.sealing import SealLevel
from tests.document.conftest import town_seal

B_B = SealLevel.B_B


@pytest.fixture(scope="module")
def other() -> Seal:
    return town_seal()


def test_a_file_passes_under_the_seal_in_use_or_a_former_one(sealed: bytes, seal: Seal, other: Seal) -> None:
    Verifier([(seal.certificate, ())]).check(sealed, B_B)
    Verifier([(other.certificate, None), (seal.certificate, None)]).check(sealed, B_B)


def test_a_file_sealed_by_somebody_else_is_refused_and_the_message_says_by_whom(sealed: bytes, other: Seal) -> None:
    with pytest.raises(SealError, match=r"another certificate.*démonstration"):
        Verifier([(other.certificate, ())]).check(sealed, B_B)


def test_a_file_whose_chain_or_level_is_not_the_one_known_is_refused(sealed: bytes, seal: Seal, other: Seal) -> None:
    with pytest.raises(SealError, match="not written as we write it"):
        Verifier([(seal.certificate, (other.certificate,))]).check(sealed, B_B)
    with pytest.raises(SealError, match="is B-B, and was B-T"):
        Verifier([(seal.certificate, ())]).check(sealed, SealLevel.B_T)


def test_without_a_trusted_seal_a_whole_file_passes_and_a_changed_one_is_refused(sealed: bytes) -> None:
    verifier = Verifier([])
    verifier.check(sealed, B_B)

    with pytest.raises(SealError):
        verifier.check(sealed + b"\n", B_B)


def test_the_certificate_is_the_one_of_the_seal(sealed: bytes, seal: Seal) -> None:
    assert certificate_inside(sealed) == seal.certificate


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7\n", b"autre chose"])
def test_what_is_not_a_sealed_file_is_refused(content: bytes) -> None:
    with pytest.raises(SealError, match="can't be read"):
        Verifier([]).check(content, B_B)
