"""How far a seal proves when it was made, and how late its time stamp may be."""

from datetime import datetime, timedelta
from enum import StrEnum

from permits.domain.permit import SealingStopped

MOST_DEFERRED = timedelta(hours=4)
# The authority is asked again every minute by the job that stamps what waits.
_RETRY_AFTER_S = 120


class SealLevel(StrEnum):
    """The level of a seal (ETSI EN 319 142-1).

    B-B has the machine's word for its date; B-T a time stamp; B-LT what shows besides that no certificate was
    revoked; B-LTA, which only archive copies have, a stamp over all of it.
    """

    B_B = "B-B"
    B_T = "B-T"
    B_LT = "B-LT"
    B_LTA = "B-LTA"


# A time stamp is renewed this long before its certificate ends, or when a quarter of a shorter time is left.
RENEW_AHEAD = timedelta(days=90)


def renewal(stamped_at: datetime, certificate_ends: datetime) -> datetime:
    """Return the instant before which an archive copy is stamped anew: well before its stamp's certificate ends."""
    return certificate_ends - min(RENEW_AHEAD, (certificate_ends - stamped_at) / 4)


def check_deferral(oldest: datetime | None, at: datetime) -> None:
    """Raise SealingStopped when `oldest`, delivered without the stamp it should have, has waited for four hours."""
    if oldest is not None and at - oldest >= MOST_DEFERRED:
        raise SealingStopped(
            "Des actes attendent leur horodatage depuis quatre heures : aucun n’est délivré jusqu’à ce qu’ils l’aient.",
            _RETRY_AFTER_S,
        )
