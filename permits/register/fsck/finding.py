"""What the check of the register can find, and how it is told."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

# Beyond this many of one code they are counted and no longer kept: a ruined book must not fill the memory.
_MOST_KEPT = 1000


class Code(StrEnum):
    """What can be wrong with a book: stable names, for programs."""

    SCHEMA = "schema"  # not the newest: nothing else could be checked
    UNREADABLE = "unreadable"  # a part of the book that could not be read through
    GUARD_MISSING = "guard-missing"  # a constraint, trigger, function… of the schema is gone
    GUARD_UNKNOWN = "guard-unknown"  # one is there that no migration makes
    GUARD_ALTERED = "guard-altered"
    GUARD_DISABLED = "guard-disabled"
    CHECKPOINT = "checkpoint"  # the book doesn't follow the checkpoint it was shown
    CHAIN_POSITION = "chain-position"
    CHAIN_HASH = "chain-hash"
    CHAIN_LINK = "chain-link"
    CHAIN_HEAD = "chain-head"
    CHAIN_EVENT = "chain-event"  # an entry that can't follow those before it
    COUNTER = "counter"
    NUMBER_HOLE = "number-hole"
    ACT_MISSING = "act-missing"
    ACT_UNKNOWN = "act-unknown"
    ACT_PAYLOAD = "act-payload"
    ACT_COLUMN = "act-column"
    ACT_STATE = "act-state"
    ACT_LATE = "act-late"  # reserved for too long
    FEE = "fee"
    DAYS = "days"
    DOCUMENT_MISSING = "document-missing"
    DOCUMENT_ALTERED = "document-altered"
    DOCUMENT_UNKNOWN = "document-unknown"
    COPY_MISSING = "copy-missing"  # of an archive copy
    COPY_ALTERED = "copy-altered"
    COPY_UNKNOWN = "copy-unknown"
    SEAL = "seal"
    KEY_MISSING = "key-missing"  # a certificate of a seal, or a key of the codes
    KEY_ALTERED = "key-altered"
    KEY_UNKNOWN = "key-unknown"
    NOTIFICATION = "notification"
    FOOTPRINT = "footprint"
    OVERLAP = "overlap"
    APPLICATION_MISSING = "application-missing"
    APPLICATION_UNKNOWN = "application-unknown"
    APPLICATION_ALTERED = "application-altered"
    DECISION_ALTERED = "decision-altered"
    EVIDENCE_MISSING = "evidence-missing"
    EVIDENCE_ALTERED = "evidence-altered"
    NOT_ERASED = "not-erased"  # the chain says that it was
    RULEBOOK_MISSING = "rulebook-missing"
    RULEBOOK_ALTERED = "rulebook-altered"
    RULEBOOK_STEP = "rulebook-step"  # how one came into force is not what the chain tells
    EVIDENCE_STALE = "evidence-stale"  # older than a day when the machine granted
    WAIT_MISSING = "wait-missing"  # an application waits, and has no place in the queue
    WAIT_UNKNOWN = "wait-unknown"  # a place in the queue that no waiting application has
    SWITCH = "switch"
    CLIENT = "client"
    REFERENCE = "reference"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: its code, the number or identifier of what it is about, and a French sentence."""

    code: Code
    what: str
    message: str


@dataclass
class Findings:
    """All that is wrong: counted by code, the first of each kept."""

    counts: Counter[Code] = field(default_factory=Counter)
    _kept: list[Finding] = field(default_factory=list)

    def add(self, code: Code, what: object, message: str) -> None:
        """Note one more."""
        self.counts[code] += 1
        if self.counts[code] <= _MOST_KEPT:
            self._kept.append(Finding(code, str(what), message))

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._kept)

    def __bool__(self) -> bool:
        return bool(self._kept)

    def __len__(self) -> int:
        return self.counts.total()
