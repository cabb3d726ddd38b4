"""The seal against those who change the file: each attack here must fail, and the untouched file pass."""

import time
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, PdfSigner, fields
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter

from permits.document.errors import SealError
from permits.document.seal import Pkcs12Seal
from permits.document.signer import HeldKeySigner
from permits.document.verify import verify_seal
from tests.document.conftest import town_seal

CONTENTS = b"/Contents <"


def refuse(content: bytes, seal: Pkcs12Seal) -> None:
    with pytest.raises(SealError):
        verify_seal(content, seal.certificate)


def test_the_untouched_file_passes(sealed: bytes, seal: Pkcs12Seal) -> None:
    verify_seal(sealed, seal.certificate)


@pytest.mark.parametrize("part", range(40))
def test_a_flipped_bit_anywhere_is_refused(part: int, sealed: bytes, seal: Pkcs12Seal) -> None:
    place = len(sealed) * part // 40 + part % 7
    refuse(flipped(sealed, place, 1 << part % 8), seal)


@pytest.mark.parametrize("offset", [0, 1, 6, 51, 60, 85, 500, 2739, 3149, 4000, 4600, 6000])
def test_a_flipped_bit_in_the_signature_itself_is_refused(offset: int, sealed: bytes, seal: Pkcs12Seal) -> None:
    refuse(flipped(sealed, sealed.rindex(CONTENTS) + len(CONTENTS) + offset, 1), seal)


def flipped(content: bytes, place: int, bit: int) -> bytes:
    return content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :]


def test_the_signature_written_in_other_letters_is_refused(sealed: bytes, seal: Pkcs12Seal) -> None:
    start = sealed.rindex(CONTENTS) + len(CONTENTS)
    end = sealed.index(b">", start)
    refuse(sealed[:start] + sealed[start:end].lower() + sealed[end:], seal)


def test_words_hidden_after_the_signature_are_refused(sealed: bytes, seal: Pkcs12Seal) -> None:
    end = sealed.index(b">", sealed.rindex(CONTENTS) + len(CONTENTS))
    assert sealed[end - 20 : end] == b"0" * 20
    refuse(sealed[: end - 20] + b"C0FFEE" + b"0" * 14 + sealed[end:], seal)


def updated(sealed: bytes) -> bytes:
    """Return the file with one more revision, which changes nothing in sight."""
    writer = IncrementalPdfFileWriter(BytesIO(sealed))
    writer.root["/Extra"] = generic.TextStringObject("x")
    writer.update_root()
    output = BytesIO()
    writer.write(output)
    return output.getvalue()


def test_an_incremental_update_is_refused(sealed: bytes, seal: Pkcs12Seal) -> None:
    refuse(updated(sealed), seal)


@pytest.mark.parametrize(
    "tail", [b"\n", b" ", b"\0", b"%", b"PK\x05\x06" + bytes(18)], ids=["newline", "space", "nul", "comment", "zip"]
)
def test_anything_appended_is_refused(tail: bytes, sealed: bytes, seal: Pkcs12Seal) -> None:
    refuse(sealed + tail, seal)


def test_a_second_pdf_appended_is_refused(pdf: bytes, sealed: bytes, seal: Pkcs12Seal) -> None:
    refuse(sealed + pdf, seal)
    refuse(pdf + sealed, seal)
    refuse(sealed + sealed, seal)


def test_anything_put_before_is_refused(sealed: bytes, seal: Pkcs12Seal) -> None:
    refuse(b"\n" + sealed, seal)


@pytest.mark.parametrize("kept", [0, 8, 1000, -7000, -300, -1])
def test_a_cut_file_is_refused(kept: int, sealed: bytes, seal: Pkcs12Seal) -> None:
    refuse(sealed[:kept], seal)


def test_an_unsealed_file_is_refused(pdf: bytes, seal: Pkcs12Seal) -> None:
    refuse(pdf, seal)


def test_another_certificate_is_refused(pdf: bytes, sealed: bytes, seal: Pkcs12Seal) -> None:
    other = town_seal()
    refuse(sealed, other)
    refuse(other.seal(pdf), seal)


def signed(pdf: bytes, seal: Pkcs12Seal, **changes: object) -> bytes:
    """Sign with the right key, but not as the seal does."""
    settings: dict[str, object] = {
        "field_name": "Cachet",
        "md_algorithm": "sha256",
        "subfilter": SigSeedSubFilter.PADES,
        "certify": True,
        "docmdp_permissions": MDPPerm.NO_CHANGES,
    }
    metadata = PdfSignatureMetadata(**(settings | changes))  # type: ignore[arg-type]
    signer = seal._signer
    assert isinstance(signer, HeldKeySigner)
    output = PdfSigner(metadata, signer=signer).sign_pdf(IncrementalPdfFileWriter(BytesIO(pdf)))
    return bytes(output.getvalue())


def test_the_same_signing_without_a_change_passes(pdf: bytes, seal: Pkcs12Seal) -> None:
    """The control of the tests below."""
    verify_seal(signed(pdf, seal), seal.certificate)


@pytest.mark.parametrize(
    "changes",
    [
        {"certify": False},
        {"docmdp_permissions": MDPPerm.FILL_FORMS},
        {"docmdp_permissions": MDPPerm.ANNOTATE},
        {"subfilter": SigSeedSubFilter.ADOBE_PKCS7_DETACHED},
        {"field_name": "Signature1"},
    ],
    ids=["not certified", "forms allowed", "notes allowed", "not PAdES", "another field"],
)
def test_a_signature_of_our_key_that_is_no_seal_is_refused(
    changes: dict[str, object], pdf: bytes, seal: Pkcs12Seal
) -> None:
    refuse(signed(pdf, seal, **changes), seal)


def test_two_signatures_are_refused(pdf: bytes, seal: Pkcs12Seal) -> None:
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    fields.append_signature_field(writer, SigFieldSpec("Autre"))
    output = BytesIO()
    writer.write(output)
    once = signed(output.getvalue(), seal, field_name="Autre", certify=False)
    refuse(signed(once, seal, certify=False), seal)


def test_it_still_verifies_once_the_certificate_has_expired(pdf: bytes) -> None:
    """The seal's own date counts, not today's: permits outlive certificates."""
    seal = town_seal(since=timedelta(hours=1), valid_for=timedelta(hours=1, seconds=1.5))
    sealed = seal.seal(pdf)
    time.sleep(max(0, (seal.expires_at - datetime.now(UTC)).total_seconds()) + 0.1)
    with pytest.raises(SealError, match="valid from"):
        seal.seal(pdf)
    verify_seal(sealed, seal.certificate)
