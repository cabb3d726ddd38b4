"""The seal: proves which organisation made a file, and that not a byte of it changed since.

It is the seal of an organisation, not the signature of a person. A demonstration seal says so in
its own certificate.
"""

import logging
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509

from permits.document.errors import SealError, StampFailed
from permits.document.sealing.keys import SealingKey, expires_soon, is_demo, out_of_validity
from permits.document.sealing.pades import certify
from permits.document.sealing.revocation import CertificateRevoked
from permits.document.sealing.stamping import Stamping, chain_of
from permits.document.sealing.tsa import NewStampCertificate
from permits.domain.sealing import SealLevel

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SealedPdf:
    """A sealed file and the level of its seal; `stamp_deferred` when it should have had a time stamp, and has none."""

    content: bytes
    level: SealLevel
    stamp_deferred: bool = False


class Seal:
    """Seals files with one key, and with what proves their date where there is any.

    `roots` are those to which its chain leads: those of the stamping where there is one, none where none is known.
    """

    def __init__(
        self, key: SealingKey, stamping: Stamping | None = None, roots: Collection[x509.Certificate] = ()
    ) -> None:
        self.key = key
        self.stamping = stamping
        self.roots = stamping.roots if stamping else tuple(roots)
        # That of the last seal made, None before the first.
        self.last_level: SealLevel | None = None

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate that every sealed file carries."""
        return self.key.certificate

    @property
    def is_demo(self) -> bool:
        """True when the certificate itself says that it proves nothing."""
        return is_demo(self.certificate)

    @property
    def expires_at(self) -> datetime:
        """The last instant at which a seal can be made."""
        return self.certificate.not_valid_after_utc

    def why_not(self, at: datetime) -> str | None:
        """Return, in a French sentence, why no act may be sealed at that instant; None when it may."""
        if self.stamping is not None and self.stamping.is_revoked(self.key.signer.signing_cert):
            return "Le certificat du cachet est révoqué."
        return out_of_validity(self.certificate, at)

    def warn_of_expiry(self, at: datetime) -> None:
        """Put a warning in the log when the certificate is to be renewed, 60 days ahead: a renewal takes weeks."""
        if expires_soon(self.certificate, at):
            log.warning("the certificate of the seal expires soon", extra={"expires_at": self.expires_at.isoformat()})

    def seal(self, pdf: bytes) -> SealedPdf:
        """Return `pdf` followed by its seal in one revision, or raise SealError.

        Without its time stamp, when the authority does not give one: that can be added later, in an archive copy.
        """
        if (reason := self.why_not(datetime.now(UTC))) is not None:
            raise SealError(reason)
        sealed = self._sealed(pdf)
        self.last_level = sealed.level
        return sealed

    def _sealed(self, pdf: bytes) -> SealedPdf:
        if self.stamping is None:
            return SealedPdf(certify(pdf, self.key.signer), SealLevel.B_B)
        try:
            with suppress(NewStampCertificate):
                return self._stamped(pdf, self.stamping)
            return self._stamped(pdf, self.stamping)
        except StampFailed as failure:
            log.warning("sealed without a time stamp", extra={"reason": str(failure)})
            return SealedPdf(certify(pdf, self.key.signer), SealLevel.B_B, stamp_deferred=True)

    def renew_evidence(self) -> bool:
        """Ask whether the seal is revoked when the last answer is old, so that no act waits for that.

        Return whether the sources answer, for the seal and for the authority that stamps.
        """
        if self.stamping is None:
            return False
        try:
            _, evidence = self.stamping.ready([chain_of(self.key.signer)])
            return evidence is not None
        except CertificateRevoked:
            return True
        except StampFailed as failure:
            log.warning("no evidence for the seal", extra={"reason": str(failure)})
            return False

    def _stamped(self, pdf: bytes, stamping: Stamping) -> SealedPdf:
        stamps, evidence = stamping.ready([chain_of(self.key.signer)])
        content = certify(pdf, self.key.signer, stamps, evidence)
        return SealedPdf(content, SealLevel.B_T if evidence is None else SealLevel.B_LT)

    def close(self) -> None:
        """Give back the key, and close what stamps."""
        self.key.close()
        if self.stamping is not None:
            self.stamping.close()
