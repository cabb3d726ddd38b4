"""What a registry's HTTP answer says, whatever the registry."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from permits.domain.establishment import Evidence, Source

# Past that, the wait is a mistake of some proxy rather than a request of the registry.
_LONGEST_WAIT_S = 24 * 3600


@dataclass(frozen=True)
class Answer:
    """One HTTP answer: `document` is its JSON object, {} when the body is not one. Its bytes are not kept."""

    status: int
    document: Mapping[str, object]
    is_json: bool
    sha256: str
    fetched_at: datetime
    request_id: str | None
    retry_after: timedelta | None
    location: str | None = None

    @property
    def error_code(self) -> str:
        """The code of the first error of API Entreprise, "" when there is none."""
        code = _first_error(self.document).get("code")
        return code if isinstance(code, str) and re.fullmatch(r"[0-9]{3,5}", code) else ""

    @property
    def outcome(self) -> str:
        """One short line for staff and logs, as `HTTP 502 01001`."""
        return f"HTTP {self.status} {self.error_code}".strip()

    def evidence(self, source: Source, parser: str, said: str, updated_at: datetime | None = None) -> Evidence:
        """Return the proof of this answer; `said` is what was understood of it, in a word of Verdict or Standing."""
        return Evidence(
            source=source,
            fetched_at=self.fetched_at,
            sha256=self.sha256,
            parser=parser,
            said=said,
            request_id=self.request_id,
            source_updated_at=updated_at,
        )


def read_answer(status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> Answer:
    """Return what an answer says, digest of its body included."""
    document = _json_object(body)
    return Answer(
        status=status,
        document=document or {},
        is_json=document is not None,
        sha256=hashlib.sha256(body).hexdigest(),
        fetched_at=now,
        request_id=_short_ascii(headers.get("x-request-id")),
        retry_after=_wait_asked(headers.get("retry-after"), document or {}, now),
        location=_short_ascii(headers.get("location")),
    )


def _json_object(body: bytes) -> dict[str, object] | None:
    try:
        document = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _first_error(document: Mapping[str, object]) -> dict[str, object]:
    errors = document.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    return first if isinstance(first, dict) else {}


def _wait_asked(header: str | None, document: Mapping[str, object], now: datetime) -> timedelta | None:
    """The wait named by `Retry-After` (seconds or HTTP date), else by `meta.retry_in` of the first error."""
    seconds: float | None = None
    if header is None:
        meta = _first_error(document).get("meta")
        retry_in = meta.get("retry_in") if isinstance(meta, dict) else None
        seconds = retry_in if isinstance(retry_in, int | float) else None
    elif header.strip().isdecimal():
        seconds = float(header)
    else:
        try:
            seconds = (parsedate_to_datetime(header).astimezone(UTC) - now).total_seconds()
        except (ValueError, OverflowError):
            return None
    return None if seconds is None else timedelta(seconds=min(max(seconds, 0), _LONGEST_WAIT_S))


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _short_ascii(text: str | None) -> str | None:
    """A header fit for a log line and a stored proof."""
    return text[:200] if text and text.isascii() and text.isprintable() else None
