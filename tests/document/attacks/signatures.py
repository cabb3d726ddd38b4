"""More than one signature, or one of another key: sneaky signatures, time-stamps, seals that look like ours."""

from datetime import UTC, datetime, timedelta
from io import BytesIO

from asn1crypto import keys  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import PdfSignatureMetadata, PdfSigner, PdfTimeStamper
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from permits.document.sealing.pades import certify, to_asn1
from permits.document.sealing.pkcs12 import HeldKeySigner
from permits.document.sealing.seal import Seal
from tests.document.attacks.target import (
    Target,
    changed_catalog,
    dictionary,
    name,
    number,
    numbers,
    signature_field,
    text,
    updated,
)
from tests.document.conftest import town_seal


def of_the_same_name(seal: Seal) -> HeldKeySigner:
    """Return another key, whose certificate copies every word of the seal's: names, number, dates and uses."""
    ours, now = seal.certificate, datetime.now(UTC)
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    if isinstance(ours.public_key(), rsa.RSAPublicKey):
        key = rsa.generate_private_key(65537, 2048)
    else:
        key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder(ours.issuer, ours.subject, key.public_key(), ours.serial_number)
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(ours.not_valid_after_utc)
    for extension in ours.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    return HeldKeySigner(key, builder.sign(key, SHA256()), ())


class _Unruly(PdfSigner):
    """Signs a certified file that forbids it, as an attacker's own program would."""

    def _enforce_certification_constraints(self, reader: PdfFileReader) -> None:
        pass


def _signed_again(target: Target, seal: Seal, field: str = "Seconde", *, visible: bool = False) -> bytes:
    box = (0, 0, 595, 842) if visible else None
    metadata = PdfSignatureMetadata(field_name=field, md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES)
    writer = IncrementalPdfFileWriter(BytesIO(target.sealed), strict=False)
    signer = _Unruly(metadata, seal.key.signer, new_field_spec=SigFieldSpec(field, on_page=0, box=box))
    return bytes(signer.sign_pdf(writer).getvalue())


def signed_again_by_another(target: Target) -> bytes:
    return _signed_again(target, town_seal())


def signed_again_over_the_page(target: Target) -> bytes:
    """A sneaky signature: what it shows covers the page."""
    return _signed_again(target, town_seal(), visible=True)


def signed_again_by_the_seal(target: Target) -> bytes:
    return _signed_again(target, target.seal)


def sealed_by_another(target: Target) -> bytes:
    return town_seal().seal(target.pdf).content


def sealed_by_another_of_the_same_name(target: Target) -> bytes:
    return certify(target.pdf, of_the_same_name(target.seal))


def sealed_by_another_showing_our_certificate(target: Target) -> bytes:
    """Another key signs, and sends our certificate along as if it were the signer's."""
    other = of_the_same_name(target.seal)
    store = SimpleCertificateStore()  # type: ignore[no-untyped-call]
    other._signing_cert, other._cert_registry = to_asn1(target.seal.certificate), store
    return certify(target.pdf, other)


def only_approved(target: Target) -> bytes:
    """The key of the seal, on a signature that certifies nothing."""
    return _with_settings(target, certify=False)


def changes_allowed(target: Target) -> bytes:
    return _with_settings(target, docmdp_permissions=MDPPerm.ANNOTATE)


def old_kind_of_signature(target: Target) -> bytes:
    return _with_settings(target, subfilter=SigSeedSubFilter.ADOBE_PKCS7_DETACHED)


def _with_settings(target: Target, **changes: object) -> bytes:
    settings: dict[str, object] = {
        "field_name": "Cachet",
        "md_algorithm": "sha256",
        "subfilter": SigSeedSubFilter.PADES,
        "certify": True,
        "docmdp_permissions": MDPPerm.NO_CHANGES,
    }
    metadata = PdfSignatureMetadata(**(settings | changes))  # type: ignore[arg-type]
    writer = IncrementalPdfFileWriter(BytesIO(target.pdf))
    return bytes(PdfSigner(metadata, target.seal.key.signer).sign_pdf(writer).getvalue())


def signature_of_another_permit(target: Target) -> bytes:
    """The signature that the same key made of another file."""
    other = target.seal.seal(target.pdf.replace(b"%PDF-1.7\n", b"%PDF-1.7\r", 1)).content
    return target.with_signature(Target(target.pdf, other, target.seal).signature.dump())


def time_stamp_added(target: Target) -> bytes:
    """A document time-stamp, which ISO 32000-2 lets anybody add after P 1."""
    key, now = rsa.generate_private_key(65537, 2048), datetime.now(UTC)
    subject = x509.Name.from_rfc4514_string("CN=Horodatage inconnu")
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 1).add_extension(usage, True)
    certificate = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    signer = HeldKeySigner(key, certificate.sign(key, SHA256()), ())
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    stamper = DummyTimeStamper(signer.signing_cert, keys.PrivateKeyInfo.load(der))
    writer = IncrementalPdfFileWriter(BytesIO(target.sealed), strict=False)
    return bytes(PdfTimeStamper(stamper).timestamp_pdf(writer, "sha256").getvalue())


def certification_taken_away(target: Target) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        del changed_catalog(writer)["/Perms"]

    return updated(target.sealed, change)


def certification_loosened(target: Target) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        signature = signature_field(writer)["/V"]
        signature["/Reference"][0]["/TransformParams"][name("/P")] = number(3)
        writer.mark_update(signature_field(writer).raw_get("/V").reference)

    return updated(target.sealed, change)


def seal_field_renamed(target: Target) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        signature_field(writer)[name("/T")] = text("Signature1")

    return updated(target.sealed, change)


def seal_shown_over_the_page(target: Target) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        signature_field(writer)[name("/Rect")] = numbers(0, 0, 595, 842)

    return updated(target.sealed, change)


def seal_field_repeated(target: Target) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        form = writer.root["/AcroForm"]
        copy = dictionary(FT=name("/Sig"), T=text("Copie"), V=form["/Fields"][0].raw_get("/V"))
        form["/Fields"].append(writer.add_object(copy))
        writer.mark_update(writer.root.raw_get("/AcroForm").reference)

    return updated(target.sealed, change)


def seal_field_emptied(target: Target) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        del signature_field(writer)["/V"]

    return updated(target.sealed, change)


ATTACKS = (
    signed_again_by_another,
    signed_again_over_the_page,
    signed_again_by_the_seal,
    sealed_by_another,
    sealed_by_another_of_the_same_name,
    sealed_by_another_showing_our_certificate,
    only_approved,
    changes_allowed,
    old_kind_of_signature,
    signature_of_another_permit,
    time_stamp_added,
    certification_taken_away,
    certification_loosened,
    seal_field_renamed,
    seal_shown_over_the_page,
    seal_field_repeated,
    seal_field_emptied,
)
