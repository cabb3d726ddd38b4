"""The key of a seal, wherever it lies: a file, a hardware module, a remote trust service."""

from datetime import datetime, timedelta
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from permits.document.sealing.signer import KeySigner
from permits.domain.calendar import PARIS
from permits.domain.french import day_text, hour_text

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class SealingKey(Protocol):
    """What signs in the name of an organisation. Safe to use from many threads."""

    @property
    def kind(self) -> str:
        """Where the key lies, in French."""

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate that every sealed file carries."""

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """The certificates above it, as far as they are known."""

    @property
    def signer(self) -> KeySigner:
        """What pyHanko signs with; it carries the certificate and its chain."""

    def close(self) -> None:
        """Give back what the key holds open."""


def is_demo(certificate: x509.Certificate) -> bool:
    """True when the certificate itself says that it proves nothing."""
    units = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    return any("SPÉCIMEN" in str(unit.value) for unit in units)


WARNED_AHEAD = timedelta(days=60)


def expires_soon(certificate: x509.Certificate, at: datetime) -> bool:
    """Tell, from 60 days ahead, that the certificate is to be renewed."""
    return certificate.not_valid_after_utc - at <= WARNED_AHEAD


def out_of_validity(certificate: x509.Certificate, at: datetime) -> str | None:
    """Return, in a French sentence, why nothing can be sealed at that instant; None when it can."""
    if at < certificate.not_valid_before_utc:
        return f"Le certificat du cachet ne vaut qu’à partir du {_moment(certificate.not_valid_before_utc)}."
    if at > certificate.not_valid_after_utc:
        return f"Le certificat du cachet a expiré le {_moment(certificate.not_valid_after_utc)}."
    return None


def _moment(at: datetime) -> str:
    local = at.astimezone(PARIS)
    return f"{day_text(local.date())} à {hour_text(local.time())}"
