"""What the sources said lately, kept in this process only: no personal data of it is ever on a disk."""

from collections import OrderedDict
from datetime import datetime, timedelta
from threading import Lock

from permits.domain.establishment import FRESH_FOR, Audience, Establishment, RegistryAnswer, Verdict, verdict_of

# What stops an applicant, or brings a person, is asked again soon: it may have been put right meanwhile.
TROUBLE_FOR = timedelta(minutes=10)
# Past that, an answer does not even fill a form.
LAST_KNOWN_FOR = timedelta(days=90)
MOST_KEPT = 10_000


class Memory:
    """The latest answer about each SIRET for each audience, the least used forgotten first; safe between threads."""

    def __init__(self, most_kept: int = MOST_KEPT) -> None:
        self._most_kept = most_kept
        self._lock = Lock()
        self._answers: OrderedDict[tuple[str, Audience], RegistryAnswer] = OrderedDict()

    def keep(self, siret: str, audience: Audience, answer: RegistryAnswer) -> None:
        with self._lock:
            self._answers[siret, audience] = answer
            self._answers.move_to_end((siret, audience))
            if len(self._answers) > self._most_kept:
                self._answers.popitem(last=False)

    def fresh(self, siret: str, audience: Audience, max_age: timedelta, now: datetime) -> RegistryAnswer | None:
        """Return an answer that may still decide: under `max_age`, and ten minutes unless all was well."""
        answer = self._recall(siret, audience)
        if answer is None:
            return None
        kept_for = FRESH_FOR if verdict_of(answer) is Verdict.OPEN else TROUBLE_FOR
        # A negative age is of a clock that was put back: it proves nothing.
        return answer if timedelta(0) <= _age(answer, now) < min(max_age, kept_for) else None

    def last_known(self, siret: str, audience: Audience, now: datetime) -> Establishment | None:
        """Return the establishment as it was last known, within ninety days; a "not found" ages in ten minutes."""
        answer = self._recall(siret, audience)
        if isinstance(answer, Establishment) and _age(answer, now) < LAST_KNOWN_FOR:
            return answer
        return None

    def _recall(self, siret: str, audience: Audience) -> RegistryAnswer | None:
        with self._lock:
            answer = self._answers.get((siret, audience))
            if answer is not None:
                self._answers.move_to_end((siret, audience))
            return answer


def _age(answer: RegistryAnswer, now: datetime) -> timedelta:
    return now - min(evidence.fetched_at for evidence in answer.evidence)
