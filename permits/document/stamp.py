"""Whether a time stamp (RFC 3161) is, to the last byte, what its authority signed of certain bytes.

Only part of a token is protected by its signature; the rest is held to one way of writing it.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asn1crypto import cms, tsp  # type: ignore[import-untyped]
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from pyhanko.sign.validation.generic_cms import get_signing_cert_attr, validate_tst_signed_data
from pyhanko_certvalidator import ValidationContext

from permits.document.chain import check_chain, in_a_set
from permits.document.errors import SealError
from permits.document.sealing.pades import lower_twin, to_asn1

# Parameters of an algorithm that needs none: both are in use.
_NO_PARAMETERS = (b"", b"\x05\x00")


@dataclass(frozen=True)
class Stamp:
    """When an authority saw some bytes, by which certificate; `chain` holds those sent along, its own first."""

    at: datetime
    certificate: asn1_x509.Certificate
    chain: tuple[asn1_x509.Certificate, ...]


def in_one_form(token: cms.ContentInfo) -> cms.ContentInfo:
    """Return a token as we keep it, with all that its authority signed; nothing of it is verified."""
    signed = token["content"]
    return cms.ContentInfo.load(_rewritten(signed, _signer(signed, [each.chosen for each in signed["certificates"]])))


async def check_stamp(token: Any, digest_of: Callable[[str], bytes], roots: Collection[x509.Certificate] = ()) -> Stamp:
    """Return what the token says, or raise SealError unless it stamps the digest that `digest_of` an algorithm gives.

    With no roots, its chain is held together and leads nowhere in particular.
    """
    try:
        return await _check_stamp(token, digest_of, roots)
    except SealError:
        raise
    except Exception as error:  # a damaged token makes its reader fail in any way
        raise SealError(f"the time stamp can't be read: {error or type(error).__name__}") from error


async def _check_stamp(token: Any, digest_of: Callable[[str], bytes], roots: Collection[x509.Certificate]) -> Stamp:
    signed = token["content"]
    sent = [each.chosen for each in signed["certificates"]]
    leaf = _signer(signed, sent)
    if _rewritten(signed, leaf) != token.dump():
        raise SealError("the time stamp is not written as it should be")
    check_chain(leaf, sent, roots)
    told = signed["encap_content_info"]["content"].parsed
    assert isinstance(told, tsp.TSTInfo)
    at: datetime = told["gen_time"].native
    if not leaf.not_valid_before <= at <= leaf.not_valid_after:
        raise SealError("the time stamp is of a day on which its certificate was not valid")
    anchors = [to_asn1(root) for root in roots] or sent
    trust = ValidationContext(trust_roots=anchors, other_certs=sent, allow_fetching=False, moment=at)
    status = await validate_tst_signed_data(signed, trust, digest_of)
    if not (status["intact"] and status["valid"] and status["validation_path"] is not None):
        raise SealError("the time stamp does not hold")
    others = tuple(each for each in sent if each.dump() != leaf.dump())
    return Stamp(at, leaf, (leaf, *others))


def _signer(signed: Any, sent: list[asn1_x509.Certificate]) -> asn1_x509.Certificate:
    """Return the certificate that the token is signed with; pyHanko compares it with the digest in the signed part."""
    (info,) = signed["signer_infos"]
    if get_signing_cert_attr(info["signed_attrs"]) is None:
        raise SealError("the time stamp does not name its certificate")
    identity = info["sid"].chosen
    for each in sent:
        if each.issuer.dump() == identity["issuer"].dump() and each.serial_number == identity["serial_number"].native:
            return each
    raise SealError("the time stamp does not bring its certificate")


def _rewritten(signed: Any, leaf: asn1_x509.Certificate) -> bytes:
    """Return the token written around the parts that its signature and its certificates protect."""
    (info,) = signed["signer_infos"]
    (digest,) = signed["digest_algorithms"]
    if digest["algorithm"].native != info["digest_algorithm"]["algorithm"].native:
        raise SealError("the time stamp names two digests")
    identity = cms.IssuerAndSerialNumber({"issuer": leaf.issuer, "serial_number": leaf.serial_number})
    signer = {
        "version": "v1",
        "sid": cms.SignerIdentifier({"issuer_and_serial_number": identity}),
        "digest_algorithm": _plain(info["digest_algorithm"]),
        "signed_attrs": info["signed_attrs"],
        "signature_algorithm": _plain(info["signature_algorithm"]),
        "signature": lower_twin(info["signature"].native, x509.load_der_x509_certificate(leaf.dump())),
    }
    content = {
        "version": "v3",
        "digest_algorithms": cms.DigestAlgorithms((_plain(digest),)),
        "encap_content_info": {
            "content_type": "tst_info",
            "content": signed["encap_content_info"]["content"],
        },
        "certificates": in_a_set(each.chosen for each in signed["certificates"]),
        "signer_infos": [cms.SignerInfo(signer)],
    }
    whole = {"content_type": cms.ContentType("signed_data"), "content": cms.SignedData(content)}
    return bytes(cms.ContentInfo(whole).dump())


def _plain(algorithm: Any) -> Any:
    """Return the algorithm as it is written, which must be without parameters."""
    if algorithm["parameters"].dump() not in _NO_PARAMETERS:
        raise SealError("the time stamp is made with an algorithm that is not known here")
    return algorithm
