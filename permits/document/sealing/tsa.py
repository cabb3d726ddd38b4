"""A time-stamp authority (RFC 3161) over HTTP: asked for a short while, left to rest after a failure."""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
from asn1crypto import cms, tsp  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from pydantic import SecretStr
from pyhanko.sign.timestamps import TimeStamper

from permits.document.errors import StampFailed
from permits.document.sealing.evidence import Chain
from permits.document.sealing.pades import DIGEST
from permits.document.sealing.within import within
from permits.document.stamp import check_stamp, in_one_form

log = logging.getLogger(__name__)

TIME_LIMIT_S = 2.0
# During an outage one permit in this time waits for the authority; the others are sealed without it at once.
REST_S = 30.0
_MOST_BYTES = 64 * 1024
# Beyond this one of the two clocks is wrong, and a false date is worse than none.
_MOST_APART = timedelta(minutes=5)
_TYPE = "application/timestamp-reply"


class NewStampCertificate(StampFailed):
    """The authority has just stamped with another certificate, or sent others along: ask again, now they are known."""


@dataclass(frozen=True)
class Known:
    """The latest token of an authority, and the certificates that came with it, its own first."""

    token: cms.ContentInfo
    chain: Chain

    def foresees(self, other: "Known") -> bool:
        """Tell whether another token has the same certificates, and about the same length."""
        same = [each.dump() for each in self.chain] == [each.dump() for each in other.chain]
        return same and len(other.token.dump()) <= len(self.token.dump()) * 5 // 4


class TimeStampAuthority:
    """Stamps digests; what it answers is verified before use. Safe to use from many threads, each of which waits."""

    def __init__(
        self,
        url: str,
        *,
        authorization: SecretStr | None = None,
        roots: Collection[x509.Certificate] = (),
        time_limit: float = TIME_LIMIT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url, self._authorization, self._roots = url, authorization, roots
        self._time_limit, self._clock = time_limit, clock
        self._rests_until = clock()
        self._client = httpx.Client(timeout=time_limit)
        self._latest: Known | None = None

    @property
    def is_resting(self) -> bool:
        """True after a failure: it is not asked for a while."""
        return self._clock() < self._rests_until

    def known(self) -> Known:
        """Return what is known of the authority, which is asked where nothing is; raises StampFailed.

        Of a certificate that has expired, nothing is known any more.
        """
        known = self._latest
        if known is None or known.chain[0].not_valid_after <= datetime.now(UTC):
            known = asyncio.run(self.stamp(Hash(SHA256()).finalize()))
        return known

    def forget(self, known: Known) -> None:
        """Have the authority asked anew, unless something else is known of it already."""
        if self._latest is known:
            self._latest = None

    def rest(self) -> None:
        """Leave it alone for a while."""
        self._rests_until = self._clock() + REST_S

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    async def stamp(self, digest: bytes) -> Known:
        """Return a token over a SHA-256 digest, which holds; raises StampFailed."""
        if self.is_resting:
            raise StampFailed("the time-stamp authority is left to rest")
        nonce = secrets.randbits(64)
        imprint = {"hash_algorithm": {"algorithm": DIGEST}, "hashed_message": digest}
        request = tsp.TimeStampReq({"version": 1, "message_imprint": imprint, "nonce": nonce, "cert_req": True})
        try:
            answer = within(self._time_limit, partial(self._ask, request.dump()))
            token = in_one_form(_granted(answer, nonce))
            stamp = await check_stamp(token, {DIGEST: digest}.__getitem__, self._roots)
            if abs(datetime.now(UTC) - stamp.at) > _MOST_APART:
                raise ValueError(f"the authority says that it is {stamp.at.isoformat()}")
        except Exception as error:  # an answer may be wrong in any way
            self.rest()
            log.warning("no time stamp", extra={"reason": f"{type(error).__name__}: {error}", "rest_s": REST_S})
            raise StampFailed(f"no time stamp: {error}") from error
        self._latest = Known(token, stamp.chain)
        return self._latest

    def _ask(self, request: bytes) -> bytes:
        headers = {"Content-Type": "application/timestamp-query", "Accept": _TYPE, "Accept-Encoding": "identity"}
        if self._authorization is not None:
            headers["Authorization"] = self._authorization.get_secret_value()
        answer = b""
        with self._client.stream("POST", self._url, content=request, headers=headers) as response:
            response.raise_for_status()
            # Raw: what is compressed although that was not asked is nothing.
            for part in response.iter_raw():
                answer += part
                if len(answer) > _MOST_BYTES:
                    raise ValueError("the answer is too long")
        return answer


class ForeseenStamps(TimeStamper):
    """The stamps of an authority as pyHanko asks for them, for one file: room was made for what is known of them."""

    def __init__(self, authority: TimeStampAuthority, known: Known) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._authority, self._known = authority, known

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> cms.ContentInfo:
        """Return a token that holds, or raise StampFailed; NewStampCertificate when it is not what was foreseen."""
        now = await self._authority.stamp(message_digest)
        if not self._known.foresees(now):
            raise NewStampCertificate("the authority's token is of another form than before")
        return now.token

    async def async_dummy_response(self, md_algorithm: str) -> cms.ContentInfo:
        """Return a token of this authority, to know its size."""
        return self._known.token


def _granted(answer: bytes, nonce: int) -> Any:
    """Return the token of an answer; ValueError when there is none, or when it answers another request."""
    response = tsp.TimeStampResp.load(answer, strict=True)
    if response["status"]["status"].native not in ("granted", "granted_with_mods"):
        raise ValueError(f"the authority answers {response['status']['status'].native}")
    token = response["time_stamp_token"]
    if token["content"]["encap_content_info"]["content"].parsed["nonce"].native != nonce:
        raise ValueError("the answer is to another request")
    return token
