"""The certificates that travel with a signature: no signature protects them, so each must be held by the next."""

from collections.abc import Collection, Iterable
from typing import Any

from asn1crypto import cms  # type: ignore[import-untyped]
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature

from permits.document.errors import SealError


def check_chain(
    leaf: asn1_x509.Certificate, sent: Iterable[Any], anchors: Collection[x509.Certificate]
) -> x509.Certificate:
    """Return the last certificate of the chain that was sent, `leaf` first.

    Raises SealError unless what was sent is `leaf` and the chain above it, each certificate once, to the last byte.
    With anchors, it leads to one of them. Without, one that did not sign itself is taken as it is.
    """
    waiting = [_read(each) for each in sent]
    current = _read(leaf)
    if current not in waiting:
        raise SealError("the signer's certificate was not sent")
    waiting.remove(current)
    while waiting:
        issuer = next((each for each in waiting if _issued(current, each)), None)
        if issuer is None:
            raise SealError("a certificate was sent that is not of the chain")
        waiting.remove(issuer)
        current = issuer
    if anchors and not leads_to(current, anchors):
        raise SealError("the chain does not lead to a trusted root")
    if not anchors and current.issuer == current.subject and not _issued(current, current):
        raise SealError("the root that was sent is damaged")
    return current


def leads_to(last: x509.Certificate, anchors: Collection[x509.Certificate]) -> bool:
    """Tell whether the last certificate of a chain is one of the anchors, or issued by one."""
    return last in anchors or any(_issued(last, anchor) for anchor in anchors)


def in_a_set(certificates: Iterable[object]) -> cms.CertificateSet:
    """Return certificates as a signature carries them, in the one order that DER gives a set."""
    return cms.CertificateSet([cms.CertificateChoices("certificate", each) for each in certificates])


def _read(certificate: Any) -> x509.Certificate:
    # A last bit that is zero may be called unused: the signature still holds, on other bytes.
    if certificate["signature_value"].contents[0] != 0:
        raise SealError("a certificate was sent that is not in DER")
    return x509.load_der_x509_certificate(certificate.dump())


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
