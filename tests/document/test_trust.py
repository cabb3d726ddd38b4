"""Sealed files verified in number: under the seals that are trusted, or under what each one carries."""

import pytest

from permits.document.errors import SealError
from permits.document.seal import Pkcs12Seal
from permits.document.trust import certificate_inside, verifier
from tests.document.conftest import town_seal


@pytest.fixture(scope="module")
def other() -> Pkcs12Seal:
    return town_seal()


def test_a_file_passes_under_the_seal_in_use_or_a_former_one(
    sealed: bytes, seal: Pkcs12Seal, other: Pkcs12Seal
) -> None:
    verifier([seal.certificate])(sealed)
    verifier([other.certificate, seal.certificate])(sealed)


def test_a_file_sealed_by_somebody_else_is_refused_and_the_message_says_by_whom(
    sealed: bytes, other: Pkcs12Seal
) -> None:
    with pytest.raises(SealError, match=r"another certificate.*démonstration"):
        verifier([other.certificate])(sealed)


def test_without_a_trusted_seal_a_whole_file_passes_and_a_changed_one_is_refused(sealed: bytes) -> None:
    verify = verifier([])
    verify(sealed)

    with pytest.raises(SealError):
        verify(sealed + b"\n")


def test_the_certificate_is_the_one_of_the_seal(sealed: bytes, seal: Pkcs12Seal) -> None:
    assert certificate_inside(sealed) == seal.certificate


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7\n", b"autre chose"])
def test_what_is_not_a_sealed_file_is_refused(content: bytes) -> None:
    with pytest.raises(SealError, match="can't be read"):
        verifier([])(content)
