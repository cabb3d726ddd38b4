"""What proves the date of a seal to others: a time-stamp authority, and what shows that nothing was revoked."""

from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from datetime import UTC, datetime

from asn1crypto import x509 as asn1_x509  # type: ignore[import-untyped]
from cryptography import x509

from permits.document.errors import StampFailed
from permits.document.sealing.evidence import Chain, Evidence
from permits.document.sealing.pades import to_asn1
from permits.document.sealing.revocation import CertificateRevoked, RevocationSources
from permits.document.sealing.signer import KeySigner
from permits.document.sealing.tsa import ForeseenStamps, Known, TimeStampAuthority


def _now() -> datetime:
    return datetime.now(UTC)


class Stamping:
    """An authority that stamps, and the roots to which its chain and the seal's must lead.

    Without roots nobody is asked about revocation: seals are B-T at best.
    """

    def __init__(
        self,
        authority: TimeStampAuthority,
        roots: Collection[x509.Certificate] = (),
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self.authority = authority
        self.roots = tuple(roots)
        self._sources = RevocationSources(roots, clock) if roots else None

    def ready(self, chains: Iterable[Chain]) -> tuple[ForeseenStamps, Evidence | None]:
        """Return what stamps one file, and what shows that the authority's certificate is good, and those of its seals.

        These are the first ones of each chain. No evidence when a source does not answer. Raises CertificateRevoked for
        one of the chains, which comes first, and StampFailed when the authority does not answer, or is revoked itself.
        """
        if self._sources is None:
            return ForeseenStamps(self.authority, self.authority.known()), None
        found = [*map(self._sources.evidence, chains)]
        known, about_authority = self._good_authority(self._sources)
        found.append(about_authority)
        evidence = None if None in found else sum((each for each in found if each), Evidence())
        return ForeseenStamps(self.authority, known), evidence

    def _good_authority(self, sources: RevocationSources) -> tuple[Known, Evidence | None]:
        """Return what is known of the authority, and shows that its certificate is good.

        One that is revoked may have been replaced since.
        """
        known = self.authority.known()
        with suppress(CertificateRevoked):
            return known, sources.evidence(known.chain)
        self.authority.forget(known)
        known = self.authority.known()
        try:
            return known, sources.evidence(known.chain)
        except CertificateRevoked as error:
            self.authority.rest()
            raise StampFailed(f"the authority's certificate is revoked: {error}") from error

    def is_revoked(self, certificate: asn1_x509.Certificate) -> bool:
        """Tell whether a seal's certificate is known to be revoked; nobody is asked."""
        return self._sources is not None and self._sources.revoked(certificate)

    def close(self) -> None:
        """Close the connections."""
        self.authority.close()


def chain_of(signer: KeySigner) -> Chain:
    """Return the seal's certificate, and those known above it."""
    own = signer.signing_cert
    assert own is not None
    return (own, *map(to_asn1, signer.chain))
