"""Asking whether certificates are revoked: when it is needed, and no more often than the answers last."""

import asyncio
import logging
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import aiohttp
import httpx
from asn1crypto import x509 as asn1_x509  # type: ignore[import-untyped]
from cryptography import x509
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import RevokedError
from pyhanko_certvalidator.fetchers.aiohttp_fetchers import AIOHttpFetcherBackend

from permits.document.errors import SealError
from permits.document.sealing.evidence import Chain, Evidence
from permits.document.sealing.pades import to_asn1
from permits.document.sealing.within import within

log = logging.getLogger(__name__)

REQUEST_S, TOGETHER_S = 2.0, 5.0
# Of one answer; the list of a large authority has a few.
MOST_BYTES = 16 * 1024**2
# A revocation is learnt within the hour, however long the answers say that they are valid.
FRESH_FOR = timedelta(hours=1)
REST = timedelta(seconds=30)


class CertificateRevoked(SealError):
    """The authority that issued a certificate has revoked it."""


@dataclass
class _Known:
    """What was last learnt of one certificate, and when to ask again."""

    ask_again_at: datetime
    evidence: Evidence | None = None
    revoked: CertificateRevoked | None = None


class RevocationSources:
    """The CRLs and OCSP responders that certificates name. Safe to use from many threads; one asks at a time."""

    def __init__(self, roots: Collection[x509.Certificate], clock: Callable[[], datetime]) -> None:
        self._roots = [to_asn1(root) for root in roots]
        self._clock = clock
        self._known: dict[bytes, _Known] = {}
        self._lock = threading.Lock()

    def evidence(self, chain: Chain) -> Evidence | None:
        """Return what shows that the first of these certificates is good, None when nobody could be asked.

        Raises CertificateRevoked.
        """
        known = self._what_is_known(chain)
        if known.revoked is not None:
            raise known.revoked
        if known.evidence is not None and self._clock() < known.evidence.valid_until:
            return known.evidence
        return None

    def _what_is_known(self, chain: Chain) -> _Known:
        known = self._known.get(chain[0].sha256)
        if known is not None and not self._is_old(known):
            return known
        # While somebody asks, what is known already still serves the others.
        if not self._lock.acquire(blocking=known is None):
            assert known is not None
            return known
        try:
            known = self._known.get(chain[0].sha256)
            if known is None or self._is_old(known):
                known = self._known[chain[0].sha256] = self._ask(chain, known)
            return known
        finally:
            self._lock.release()

    def _is_old(self, known: _Known) -> bool:
        return self._clock() >= known.ask_again_at

    def revoked(self, certificate: asn1_x509.Certificate) -> bool:
        """Tell whether this certificate is known to be revoked; nobody is asked."""
        known = self._known.get(certificate.sha256)
        return known is not None and known.revoked is not None

    def _ask(self, chain: Chain, before: _Known | None) -> _Known:
        at = self._clock()
        try:
            evidence = within(TOGETHER_S, lambda: asyncio.run(_fetch(chain, self._roots)))
        except RevokedError as error:
            log.error("a certificate is revoked", extra={"reason": str(error)})
            return _Known(at + FRESH_FOR, revoked=CertificateRevoked("le certificat est révoqué"))
        except Exception as error:  # a source may fail in any way
            log.warning("revocation can't be told", extra={"reason": f"{type(error).__name__}: {error}"})
            # What was revoked stays so until somebody says otherwise.
            kept = before or _Known(at)
            return _Known(at + REST, kept.evidence, kept.revoked)
        return _Known(min(evidence.valid_until, at + FRESH_FOR), evidence)


async def _fetch(chain: Chain, roots: list[asn1_x509.Certificate]) -> Evidence:
    async with _session() as session:
        backend = AIOHttpFetcherBackend(session, per_request_timeout=REQUEST_S)
        context = ValidationContext(
            trust_roots=roots,
            other_certs=chain[1:],
            allow_fetching=True,
            revocation_mode="require",
            fetchers=backend.get_fetchers(),
        )
        validator = CertificateValidator(chain[0], intermediate_certs=chain[1:], validation_context=context)
        path = await validator.async_validate_usage(set())  # type: ignore[no-untyped-call]
        return Evidence((path,), tuple(context.crls), tuple(context.ocsps))


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=httpx.create_ssl_context()),
        headers={"Accept-Encoding": "identity"},
        auto_decompress=False,
        response_class=_Bounded,
    )


class _Bounded(aiohttp.ClientResponse):
    """An answer that is read to a limit, and refused when it is compressed although that was not asked."""

    async def read(self) -> bytes:
        body = bytearray()
        if self._body is None:
            if self.headers.get("Content-Encoding", "identity") != "identity":
                raise aiohttp.ClientPayloadError("the answer is compressed")
            async for part in self.content.iter_any():
                body += part
                if len(body) > MOST_BYTES:
                    self.close()
                    raise aiohttp.ClientPayloadError("the answer is too long")
            self._body = bytes(body)
        return self._body
