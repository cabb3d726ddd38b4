"""Whether a sealed file is exactly what our seal certified.

pyHanko says whether the signature holds, and would accept bytes added after it. This asks for
more: one signature only, over every byte, certified against any change, made by one certificate,
and written in the one form that we write.
"""

from io import BytesIO

from asn1crypto import algos, cms  # type: ignore[import-untyped]
from cryptography import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from permits.document.errors import SealError
from permits.document.signer import DIGEST, FIELD_NAME, to_asn1

# A seal's certificate says either; authorities differ.
_KEY_USAGE = KeyUsageConstraints(key_usage={"digital_signature", "non_repudiation"}, match_all_key_usages=False)


def verify_seal(sealed: bytes, certificate: x509.Certificate) -> None:
    """Raise SealError unless `sealed` is, to the last byte, what the seal of `certificate` certified.

    The certificate is trusted as given, on the day that the seal itself names.
    """
    try:
        reader = PdfFileReader(BytesIO(sealed))
        signatures = list(reader.embedded_signatures)
        if len(signatures) != 1:
            raise SealError(f"{len(signatures)} signatures instead of one")
        _check_form(signatures[0], sealed, certificate)
        _check_signature(signatures[0], certificate)
    except SealError:
        raise
    except Exception as error:  # a damaged file makes its reader fail in any way: the seal does not hold
        raise SealError(f"the seal can't be read: {error or type(error).__name__}") from error


def _check_form(signature: EmbeddedPdfSignature, sealed: bytes, certificate: x509.Certificate) -> None:
    """The signature covers all bytes but itself, forbids any change, and its own bytes leave no room."""
    if signature.field_name != FIELD_NAME or signature.sig_object.get("/SubFilter") != "/ETSI.CAdES.detached":
        raise SealError("the signature is not a seal of ours")
    if signature.docmdp_level is not MDPPerm.NO_CHANGES:
        raise SealError("the seal does not forbid changes")
    start, before, after, length = (int(number) for number in signature.byte_range)
    if start != 0 or after + length != len(sealed):
        raise SealError("the seal does not cover the whole file")
    # The gap is the only place the digest leaves out: hexadecimal in capitals, then zeros.
    written = _rewritten(signature, certificate).hex().upper().encode()
    if sealed[before:after] != b"<" + written.ljust(after - before - 2, b"0") + b">":
        raise SealError("the seal is not written as we write it")


def _rewritten(signature: EmbeddedPdfSignature, certificate: x509.Certificate) -> bytes:
    """Return the signature as the signer writes it around the parts that are protected by the key.

    The certificates sent along are taken as they are: only the signer's own is protected.
    """
    given, info, ours = signature.signed_data, signature.signer_info, to_asn1(certificate)
    digest = algos.DigestAlgorithm({"algorithm": DIGEST})
    identity = cms.IssuerAndSerialNumber({"issuer": ours.issuer, "serial_number": ours.serial_number})
    signer = {
        "version": "v1",
        "sid": cms.SignerIdentifier({"issuer_and_serial_number": identity}),
        "digest_algorithm": digest,
        "signature_algorithm": info["signature_algorithm"],
        "signed_attrs": info["signed_attrs"],
        "signature": info["signature"],
    }
    content = {
        "version": "v1",
        "digest_algorithms": cms.DigestAlgorithms((digest,)),
        "encap_content_info": {"content_type": "data"},
        "certificates": given["certificates"],
        "signer_infos": [cms.SignerInfo(signer)],
    }
    whole = {"content_type": cms.ContentType("signed_data"), "content": cms.SignedData(content)}
    return bytes(cms.ContentInfo(whole).dump())


def _check_signature(signature: EmbeddedPdfSignature, certificate: x509.Certificate) -> None:
    expected = to_asn1(certificate)
    if signature.signer_cert.dump() != expected.dump():
        raise SealError("the seal is of another certificate")
    trust = ValidationContext(trust_roots=[expected], allow_fetching=False, moment=signature.self_reported_timestamp)
    status = validate_pdf_signature(signature, trust, key_usage_settings=_KEY_USAGE, skip_diff=True)
    if not (status.intact and status.valid and status.trusted):
        raise SealError("the signature does not hold")
    if status.coverage is not SignatureCoverageLevel.ENTIRE_FILE:
        raise SealError("the seal does not cover the whole file")
