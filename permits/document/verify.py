"""Whether a sealed file is exactly what our seal certified.

pyHanko says whether the signature holds, and would accept bytes added after it. This asks for
more: one signature only, over every byte, certified against any change, made by one certificate,
and written in the one form that we write. The bytes are looked at first, without a PDF reader: that
is quick, and what a reader could be told to look for elsewhere is not looked for. Beside the signature
there may be one time stamp, held to one form too: whoever has the file can put one there or take it away,
so it proves nothing before its authority leads to a root.
"""

import asyncio
import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

from asn1crypto import algos, cms  # type: ignore[import-untyped]
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import CertificateValidator, ValidationContext

from permits.document.chain import check_chain, leads_to
from permits.document.der import FIRST, OCTETS, SECOND, SEQUENCE, SET, der, identifier
from permits.document.errors import SealError
from permits.document.sealing.pades import DIGEST, FIELD_NAME, lower_twin, to_asn1
from permits.document.stamp import Stamp, check_stamp
from permits.domain.sealing import SealLevel

# A seal's certificate says either; authorities differ.
_KEY_USAGE = KeyUsageConstraints(key_usage={"digital_signature", "non_repudiation"}, match_all_key_usages=False)
_VERSION = b"\x02\x01\x01"
_DATA, _SIGNED_DATA = identifier("1.2.840.113549.1.7.1"), identifier("1.2.840.113549.1.7.2")
_STAMP = identifier("1.2.840.113549.1.9.16.2.14")
_DIGEST = algos.DigestAlgorithm({"algorithm": DIGEST}).dump()
_RSA, _ECDSA = (algos.SignedDigestAlgorithm({"algorithm": each}).dump() for each in ("sha256_rsa", "sha256_ecdsa"))
_PLACE = re.compile(rb"/Contents <([0-9A-F]+)>\n/ByteRange \[0 (\d+) (\d+) (\d+)\] *\n")


# The authority stamps while the act is sealed, and its clock is not ours.
_MOST_APART = timedelta(minutes=10)


@dataclass(frozen=True)
class Verified:
    """What a seal that holds proves: its level, and when it was made, by the machine's word alone at B-B.

    `carried` is the level of what the file carries; it is higher than `level` when no root proves its time stamp.
    """

    level: SealLevel
    at: datetime
    carried: SealLevel


def verify_seal(
    sealed: bytes,
    certificate: x509.Certificate,
    roots: Collection[x509.Certificate] = (),
    chain: Collection[x509.Certificate] | None = None,
) -> Verified:
    """Return what `sealed` proves, or raise SealError unless it is, to the last byte, what that certificate certified.

    The certificate is trusted as given, on the day of the time stamp that is proven, or else on the one that the seal
    itself names. `chain`, where it is known, is all that was sent with it. With `roots`, the time stamp must lead to
    one of them, and what a B-LT seal brings must show that nothing was revoked on that day; but of a seal whose own
    chain leads to none of them, one of before, no time is proven, as without roots.
    """
    try:
        given = _check_bytes(sealed, certificate, chain)
        believed = roots if _is_under(roots, given, certificate) else ()
        token = _token(given)
        stamp = _stamp(given, token, believed) if token is not None else None
        reader = PdfFileReader(BytesIO(sealed))
        signatures = list(reader.embedded_signatures)
        if len(signatures) != 1:
            raise SealError(f"{len(signatures)} signatures instead of one")
        _check_form(signatures[0])
        said = signatures[0].self_reported_timestamp
        if stamp is not None and abs(stamp.at - said) > _MOST_APART:
            raise SealError("the time stamp is not of when the seal was made")
        proven = stamp if believed else None
        at = proven.at if proven else said
        _check_signature(signatures[0], certificate, at, stamp)
        carried = _carried(reader, stamp)
        if proven is not None and carried is SealLevel.B_LT:
            _check_evidence(reader, given, proven, certificate, believed)
        return Verified(carried if proven else SealLevel.B_B, at, carried)
    except SealError:
        raise
    except Exception as error:  # a damaged file makes its reader fail in any way: the seal does not hold
        raise SealError(f"the seal can't be read: {error or type(error).__name__}") from error


def _carried(reader: PdfFileReader, stamp: Stamp | None) -> SealLevel:
    if "/DSS" not in reader.root:
        return SealLevel.B_T if stamp else SealLevel.B_B
    if stamp is None:
        raise SealError("what shows that nothing was revoked goes with a time stamp")
    return SealLevel.B_LT


def _check_bytes(
    sealed: bytes, certificate: x509.Certificate, chain: Collection[x509.Certificate] | None
) -> cms.SignedData:
    """Return the seal, which says the digest of every byte but its own, and whose own bytes leave no room."""
    places = list(_PLACE.finditer(sealed))
    if len(places) != 1:
        raise SealError(f"{len(places)} seals of our form instead of one")
    written = places[0][1]
    before, after, length = (int(number) for number in places[0].groups()[1:])
    if (before, after, length) != (places[0].start(1) - 1, places[0].end(1) + 1, len(sealed) - after):
        raise SealError("the seal does not cover the whole file")
    given = cms.ContentInfo.load(bytes.fromhex(written.decode()))["content"]
    digest = hashlib.sha256(sealed[:before] + sealed[after:]).digest()
    if _digest_in(given) != digest:
        raise SealError("the file is not what the seal was made for")
    # The gap is the only place that the digest leaves out: hexadecimal in capitals, then zeros.
    if written != _rewritten(given, certificate, chain).hex().upper().encode().ljust(len(written), b"0"):
        raise SealError("the seal is not written as we write it")
    return given


def _digest_in(given: cms.SignedData) -> bytes:
    attributes = given["signer_infos"][0]["signed_attrs"]
    (value,) = [each["values"][0].native for each in attributes if each["type"].native == "message_digest"]
    return bytes(value)


def _rewritten(
    given: cms.SignedData, certificate: x509.Certificate, chain: Collection[x509.Certificate] | None
) -> bytes:
    """Return the signature as the signer writes it (RFC 5652, section 5) around the parts that something protects.

    The key protects those that are signed, each certificate sent along the one below where the chain is not known; a
    time stamp is checked apart.
    """
    info, ours, token = given["signer_infos"][0], to_asn1(certificate), _token(given)
    signer = der(
        SEQUENCE,
        _VERSION,
        der(SEQUENCE, ours.issuer.dump(), ours["tbs_certificate"]["serial_number"].dump()),
        _DIGEST,
        der(FIRST, info["signed_attrs"].contents),
        _RSA if isinstance(certificate.public_key(), rsa.RSAPublicKey) else _ECDSA,
        der(OCTETS, lower_twin(info["signature"].native, certificate)),
        der(SECOND, der(SEQUENCE, _STAMP, der(SET, token.dump()))) if token is not None else b"",
    )
    content = der(
        SEQUENCE,
        _VERSION,
        der(SET, _DIGEST),
        der(SEQUENCE, _DATA),
        der(FIRST, *sorted(_sent_with(ours, given, chain))),
        der(SET, signer),
    )
    return der(SEQUENCE, _SIGNED_DATA, der(FIRST, content))


def _sent_with(
    ours: asn1_x509.Certificate, given: cms.SignedData, chain: Collection[x509.Certificate] | None
) -> set[bytes]:
    """Return the certificates that were sent, or, where the chain is known, those that must have been."""
    if chain is not None:
        return {ours.dump(), *(each.public_bytes(Encoding.DER) for each in chain)}
    check_chain(ours, _sent(given), ())
    return {each.dump() for each in _sent(given)}


def _is_under(roots: Collection[x509.Certificate], given: cms.SignedData, certificate: x509.Certificate) -> bool:
    """Tell whether the seal's chain leads to a root; one that was sent alone is trusted whoever issued it."""
    sent = _sent(given)
    return bool(roots) and (len(sent) == 1 or leads_to(check_chain(to_asn1(certificate), sent, ()), roots))


def _sent(given: cms.SignedData) -> list[asn1_x509.Certificate]:
    return [each.chosen for each in given["certificates"]]


def _token(given: cms.SignedData) -> Any | None:
    """Return the time stamp beside the signature, None when there is nothing beside it."""
    beside = given["signer_infos"][0]["unsigned_attrs"]
    if not beside:
        return None
    (attribute,) = beside
    if attribute["type"].native != "signature_time_stamp_token":
        raise SealError("something else than a time stamp is beside the signature")
    (token,) = attribute["values"]
    return token


def _stamp(given: cms.SignedData, token: Any, roots: Collection[x509.Certificate]) -> Stamp:
    """Return what the time stamp says of the signature's value."""
    value = given["signer_infos"][0]["signature"].native
    return asyncio.run(check_stamp(token, lambda digest: hashlib.new(digest, value).digest(), roots))


def _check_form(signature: EmbeddedPdfSignature) -> None:
    """A reader finds the same seal, which forbids any change."""
    if signature.field_name != FIELD_NAME or signature.sig_object.get("/SubFilter") != "/ETSI.CAdES.detached":
        raise SealError("the signature is not a seal of ours")
    if signature.docmdp_level is not MDPPerm.NO_CHANGES:
        raise SealError("the seal does not forbid changes")


def _check_signature(
    signature: EmbeddedPdfSignature, certificate: x509.Certificate, at: datetime, stamp: Stamp | None
) -> None:
    expected = to_asn1(certificate)
    if signature.signer_cert.dump() != expected.dump():
        raise SealError("the seal is of another certificate")
    if not expected.not_valid_before <= at <= expected.not_valid_after:
        raise SealError("the seal is of a day on which its certificate was not valid")
    trust = ValidationContext(trust_roots=[expected], allow_fetching=False, moment=at)
    # The stamp was checked: its own certificates are trusted here, so that it is not looked for elsewhere.
    stamps = ValidationContext(trust_roots=stamp.chain, allow_fetching=False, moment=stamp.at) if stamp else None
    status = validate_pdf_signature(signature, trust, stamps, key_usage_settings=_KEY_USAGE, skip_diff=True)
    if not (status.intact and status.valid and status.trusted):
        raise SealError("the signature does not hold")
    if status.coverage is not SignatureCoverageLevel.ENTIRE_FILE:
        raise SealError("the seal does not cover the whole file")


def _check_evidence(
    reader: PdfFileReader,
    given: cms.SignedData,
    stamp: Stamp,
    certificate: x509.Certificate,
    roots: Collection[x509.Certificate],
) -> None:
    """What the file brings shows that the seal's and the stamp's certificates were good when it was stamped."""
    settings = {
        "trust_roots": [to_asn1(root) for root in roots],
        "other_certs": [*_sent(given), *stamp.chain],
        "moment": stamp.at,
        "revocation_mode": "require",
        # What was said after the stamp holds for it too: authorities' clocks differ by seconds.
        "retroactive_revinfo": True,
    }
    trust = DocumentSecurityStore.read_dss(reader).as_validation_context(settings)

    async def validate() -> None:
        for leaf in (to_asn1(certificate), stamp.certificate):
            validator = CertificateValidator(leaf, validation_context=trust)
            await validator.async_validate_usage(set())  # type: ignore[no-untyped-call]

    asyncio.run(validate())
