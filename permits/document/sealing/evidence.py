"""What shows that certificates were good at an instant: their paths to a root, and what was said of each."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from asn1crypto import x509 as asn1_x509  # type: ignore[import-untyped]
from pyhanko_certvalidator.path import ValidationPath

# A certificate, then those that travel with it.
Chain = tuple[asn1_x509.Certificate, ...]

# Whoever does not say when an answer is replaced has newer ones all the time (RFC 6960, 2.4). pyHanko believes it for
# half an hour, and the stamp comes after it.
AT_MOST = timedelta(minutes=20)


@dataclass(frozen=True)
class Evidence:
    """That certificates were good: the paths to their roots, the CRLs and OCSP answers about each of them."""

    paths: tuple[ValidationPath, ...] = ()
    crls: tuple[Any, ...] = ()
    ocsps: tuple[Any, ...] = ()

    def __add__(self, other: "Evidence") -> "Evidence":
        return Evidence(self.paths + other.paths, self.crls + other.crls, self.ocsps + other.ocsps)

    @property
    def valid_until(self) -> datetime:
        """The first instant at which an answer says it will have been replaced, or is too old to be believed."""
        spans = [(told["this_update"].native, told["next_update"].native) for told in self._told()]
        return min((end or start + AT_MOST for start, end in spans), default=datetime.min.replace(tzinfo=UTC))

    def _told(self) -> Iterator[Any]:
        yield from (each["tbs_cert_list"] for each in self.crls)
        for each in self.ocsps:
            yield from each.response_data["responses"]
