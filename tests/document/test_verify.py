"""What is a seal of ours and what is not. Those who change a sealed file are met in `attacks`."""

import time
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, PdfSigner, fields
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter

from permits.document.errors import SealError
from permits.document.sealing.pkcs12 import HeldKeySigner
from permits.document.sealing.seal import Seal
from permits.document.verify import verify_seal
from tests.document.conftest import town_seal


def refuse(content: bytes, seal: Seal) -> None:
    with pytest.raises(SealError):
        verify_seal(content, seal.certificate)


def test_the_untouched_file_passes(sealed: bytes, seal: Seal) -> None:
    verify_seal(sealed, seal.certificate)


def test_an_unsealed_file_is_refused(pdf: bytes, seal: Seal) -> None:
    refuse(pdf, seal)


def test_another_certificate_is_refused(pdf: bytes, sealed: bytes, seal: Seal) -> None:
    other = town_seal()
    refuse(sealed, other)
    refuse(other.seal(pdf).content, seal)


def signed(pdf: bytes, seal: Seal, **changes: object) -> bytes:
    """Sign with the right key, but not as the seal does."""
    settings: dict[str, object] = {
        "field_name": "Cachet",
        "md_algorithm": "sha256",
        "subfilter": SigSeedSubFilter.PADES,
        "certify": True,
        "docmdp_permissions": MDPPerm.NO_CHANGES,
    }
    metadata = PdfSignatureMetadata(**(settings | changes))  # type: ignore[arg-type]
    signer = seal.key.signer
    assert isinstance(signer, HeldKeySigner)
    output = PdfSigner(metadata, signer=signer).sign_pdf(IncrementalPdfFileWriter(BytesIO(pdf)))
    return bytes(output.getvalue())


def test_the_same_signing_without_a_change_passes(pdf: bytes, seal: Seal) -> None:
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
def test_a_signature_of_our_key_that_is_no_seal_is_refused(changes: dict[str, object], pdf: bytes, seal: Seal) -> None:
    refuse(signed(pdf, seal, **changes), seal)


def test_two_signatures_are_refused(pdf: bytes, seal: Seal) -> None:
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    fields.append_signature_field(writer, SigFieldSpec("Autre"))
    output = BytesIO()
    writer.write(output)
    once = signed(output.getvalue(), seal, field_name="Autre", certify=False)
    refuse(signed(once, seal, certify=False), seal)


def test_it_still_verifies_once_the_certificate_has_expired(pdf: bytes) -> None:
    """The seal's own date counts, not today's: permits outlive certificates."""
    seal = town_seal(since=timedelta(hours=1), valid_for=timedelta(hours=1, seconds=1.5))
    sealed = seal.seal(pdf).content
    time.sleep(max(0, (seal.expires_at - datetime.now(UTC)).total_seconds()) + 0.1)
    with pytest.raises(SealError, match="a expiré le"):
        seal.seal(pdf)
    verify_seal(sealed, seal.certificate)
