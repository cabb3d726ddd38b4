"""What the audit chain tells: heard entry by entry, it says all that the book must hold, and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from permits.domain.act import ENDS, ActKind, ActState
from permits.domain.calendar import paris_day

Entry = dict[str, Any]

_ANSWERS = (ActKind.PERMIT, ActKind.EXTENSION, ActKind.CORRECTION)
_BY_THE_MACHINE = (ActKind.PERMIT, ActKind.EXTENSION)


class Misfit(Exception):
    """This entry can't follow those before it; says why, in French."""


@dataclass(slots=True)
class ActStory:
    """What the chain tells of one act. Digests are bytes; `ended_by` and `cites` are numbers."""

    id: str
    kind: str
    application: str
    payload: bytes
    taken_by: str | None
    cites: str | None
    reserved_at: datetime
    state: ActState = ActState.RESERVED
    issued_at: datetime | None = None
    document: bytes | None = None
    level: str = "B-B"
    stamp_deferred: bool = False
    ended_by: str | None = None
    reason: bytes | None = None
    notification: bytes | None = None
    notified_at: datetime | None = None


@dataclass(slots=True)
class CopyStory:
    """What the chain tells of one archive copy, known by its SHA-256."""

    act: str
    level: str
    made_from: str
    made_at: datetime
    renew_before: str | None


@dataclass(frozen=True)
class KeyStory:
    """What the chain tells of the certificate of a seal or of a key of the codes, and since when it was used."""

    digest: bytes
    at: datetime


@dataclass(slots=True)
class ApplicationStory:
    """What the chain tells of one application; all but the first three are None while it waits."""

    filed: bytes
    outcome: str
    number: str | None = None
    facts: bytes | None = None
    evidence: bytes | None = None
    decision: bytes | None = None
    rulebook: str | None = None
    decided_at: datetime | None = None


@dataclass(slots=True)
class Turn:
    """One turn of a switch; `stops` when issuing is halted by it, or a source left alone."""

    stops: bool
    digest: bytes
    at: datetime


@dataclass(frozen=True)
class StepStory:
    """One step of a rulebook, as the chain tells it."""

    step: str
    sealed: bytes
    rulebook: str
    at: datetime


@dataclass
class Story:
    """The book as the chain tells it, up to the last entry heard. Acts are known by their number."""

    acts: dict[str, ActStory] = field(default_factory=dict)
    copies: dict[str, CopyStory] = field(default_factory=dict)
    # By kind ("seal" or "code") and name.
    keys: dict[tuple[str, str], KeyStory] = field(default_factory=dict)
    withdrawn: set[tuple[str, str]] = field(default_factory=set)
    applications: dict[str, ApplicationStory] = field(default_factory=dict)
    counters: dict[tuple[str, int], int] = field(default_factory=dict)
    turns: list[Turn] = field(default_factory=list)
    source_turns: list[Turn] = field(default_factory=list)
    steps: list[StepStory] = field(default_factory=list)
    # When each row that the purge erased was, by table and by identifier.
    erased: dict[str, dict[str, datetime]] = field(default_factory=dict)

    def hear(self, event: str, at: datetime, entry: Entry) -> None:
        """Take one more entry into account; raises Misfit, and goes on without it."""
        told = _EVENTS.get(event)
        if told is None:
            raise Misfit(f"l’événement « {event} » n’est pas connu")
        try:
            told(self, at, entry)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Misfit(f"l’entrée « {event} » est mal formée ({error})") from error

    def _received(self, at: datetime, entry: Entry) -> None:
        if entry["application"] in self.applications:
            raise Misfit(f"la demande {entry['application']} est déjà reçue")
        waiting = ApplicationStory(filed=_digest(entry["application_sha256"]), outcome="awaiting_registry")
        self.applications[entry["application"]] = waiting

    def _referred(self, at: datetime, entry: Entry) -> None:
        if "act" in entry:
            raise Misfit(f"la demande {entry['application']} est transmise et reçoit pourtant un numéro")
        self.applications[entry["application"]] = self._decided("referred", at, entry)

    def _granted(self, at: datetime, entry: Entry) -> None:
        kind = ActKind(entry["kind"])
        if kind not in _ANSWERS:
            raise Misfit(f"{entry['act']} accorde une demande et serait un acte « {kind} »")
        if kind in _BY_THE_MACHINE and self.turns and self.turns[-1].stops:
            raise Misfit(f"{entry['act']} est accordé alors que la délivrance est suspendue")
        decided = self._decided("granted", at, entry)
        self._number(at, entry)
        decided.number = entry["act"]
        self.applications[entry["application"]] = decided

    def _reserved(self, at: datetime, entry: Entry) -> None:
        kind, known = ActKind(entry["kind"]), self.applications.get(entry["application"])
        if kind in _ANSWERS or known is None:
            raise Misfit(f"{entry['act']} ne répond à aucune demande, ou n’est pas une décision")
        if kind is ActKind.REFUSAL and (known.outcome != "referred" or known.number is not None):
            raise Misfit(f"{entry['act']} refuse une demande qui n’est pas transmise, ou qui a sa réponse")
        if kind is not ActKind.REFUSAL:
            self._act(entry["cites"], ActState.ISSUED)
        self._number(at, entry)
        if kind is ActKind.REFUSAL:
            known.number = entry["act"]

    def _issued(self, at: datetime, entry: Entry) -> None:
        act = self._act(entry["act"], ActState.RESERVED)
        act.document = _digest(entry["document_sha256"])
        # What was issued before seals had levels says nothing of them.
        act.level, act.stamp_deferred = entry.get("level", "B-B"), entry.get("stamp_deferred", False)
        act.state, act.issued_at = ActState.ISSUED, at

    def _archived(self, at: datetime, entry: Entry) -> None:
        act, made_from = self.acts[entry["act"]], entry["made_from"]
        earlier = self.copies.get(made_from)
        if (act.document is None or act.document.hex() != made_from) and (not earlier or earlier.act != entry["act"]):
            raise Misfit(f"une copie d’archive de {entry['act']} ne continue aucun de ses fichiers")
        renewal = entry["renew_before"]
        self.copies[_digest(entry["copy_sha256"]).hex()] = CopyStory(
            entry["act"], _text(entry["level"]), made_from, at, None if renewal is None else _text(renewal)
        )

    def _key_recorded(self, at: datetime, entry: Entry) -> None:
        name = _text(entry["kind"]), _text(entry["key"])
        if name in self.keys:
            raise Misfit(f"la clé {name[1][:12]} est déjà connue")
        self.keys[name] = KeyStory(_digest(entry["key_sha256"]), at)

    def _key_withdrawn(self, at: datetime, entry: Entry) -> None:
        name = _text(entry["kind"]), _text(entry["key"])
        if name not in self.keys or name in self.withdrawn:
            raise Misfit(f"la clé {name[1][:12]} n’est pas connue, ou est déjà retirée")
        datetime.fromisoformat(_text(entry["revoked_at"]))
        self.withdrawn.add(name)

    def _annulled(self, at: datetime, entry: Entry) -> None:
        act = self._act(entry["act"], ActState.RESERVED)
        act.reason = _digest(entry["reason_sha256"])
        act.state = ActState.ANNULLED
        if act.kind == ActKind.REFUSAL:  # what could not be sealed refused nothing
            self.applications[act.application].number = None

    def _ended(self, state: ActState, entry: Entry) -> None:
        act, ending = self._act(entry["act"], ActState.ISSUED), self._act(entry["by_act"], ActState.ISSUED)
        if ENDS.get(ActKind(ending.kind)) is not state or (ending.cites or entry["act"]) != entry["act"]:
            raise Misfit(f"{entry['by_act']} ne peut pas faire de {entry['act']} un acte « {state} »")
        act.state, act.ended_by = state, entry["by_act"]

    def _notified(self, at: datetime, entry: Entry) -> None:
        act = self.acts[entry["act"]]
        if act.issued_at is None or act.notification is not None:
            raise Misfit(f"{entry['act']} n’est pas délivré, ou est déjà notifié")
        act.notification, act.notified_at = _digest(entry["notification_sha256"]), at

    def _turned(self, stops: bool, at: datetime, entry: Entry) -> None:
        self.turns.append(Turn(stops, _digest(entry["switch_sha256"]), at))

    def _source_turned(self, stops: bool, at: datetime, entry: Entry) -> None:
        self.source_turns.append(Turn(stops, _digest(entry["switch_sha256"]), at))

    def _rulebook(self, step: str, at: datetime, entry: Entry) -> None:
        if (step == "adopted") == bool(self.steps):
            raise Misfit("un registre sans règlement en adopte un, et c’est le seul")
        self.steps.append(StepStory(step, _digest(entry["step_sha256"]), _text(entry["rulebook"]), at))

    def _erased(self, at: datetime, entry: Entry) -> None:
        # A log is erased by the line, and nothing names its lines: only how many is told.
        names = [_text(name) for name in entry.get("ids", ())]
        self.erased.setdefault(_text(entry["table"]), {}).update(dict.fromkeys(names, at))

    def _decided(self, outcome: str, at: datetime, entry: Entry) -> ApplicationStory:
        """Return what is known of the application once decided."""
        known, filed = self.applications.get(entry["application"]), _digest(entry["application_sha256"])
        if known is not None and (known.outcome != "awaiting_registry" or known.filed != filed):
            raise Misfit(f"la demande {entry['application']} est déjà décidée, ou n’est plus celle qui a été reçue")
        return ApplicationStory(
            filed=filed,
            outcome=outcome,
            facts=_digest(entry["facts_sha256"]),
            evidence=_digest(entry["evidence_sha256"]),
            decision=_digest(entry["decision_sha256"]),
            rulebook=_text(entry["rulebook"]),
            decided_at=at,
        )

    def _number(self, at: datetime, entry: Entry) -> None:
        """Take the number of a new act: the one that follows in its series and year."""
        series, year, number = split(entry["act"])
        last = self.counters.get((series, year), 0)
        self.counters[series, year] = number  # even out of turn: one break is told once
        if number != last + 1 or year != paris_day(at).year or entry["act"] != label_of(series, year, number):
            raise Misfit(f"{entry['act']} ne suit pas le numéro {last} de la série {series} de {year}")
        self.acts[entry["act"]] = ActStory(
            id=entry["id"],
            kind=ActKind(entry["kind"]),
            application=entry["application"],
            payload=_digest(entry["payload_sha256"]),
            taken_by=entry["by"],
            cites=entry.get("cites"),
            reserved_at=at,
        )

    def _act(self, number: str, state: ActState) -> ActStory:
        act = self.acts[number]
        if act.state is not state:
            raise Misfit(f"{number} est « {act.state} », pas « {state} »")
        return act


_EVENTS: dict[str, Callable[[Story, datetime, Entry], None]] = {
    "received": Story._received,
    "referred": Story._referred,
    "granted": Story._granted,
    "reserved": Story._reserved,
    "issued": Story._issued,
    "archived": Story._archived,
    "key_recorded": Story._key_recorded,
    "key_withdrawn": Story._key_withdrawn,
    "annulled": Story._annulled,
    "abrogated": lambda story, _, entry: story._ended(ActState.ABROGATED, entry),
    "withdrawn": lambda story, _, entry: story._ended(ActState.WITHDRAWN, entry),
    "superseded": lambda story, _, entry: story._ended(ActState.SUPERSEDED, entry),
    "notified": Story._notified,
    "halted": lambda story, at, entry: story._turned(True, at, entry),
    "resumed": lambda story, at, entry: story._turned(False, at, entry),
    "source_off": lambda story, at, entry: story._source_turned(True, at, entry),
    "source_on": lambda story, at, entry: story._source_turned(False, at, entry),
    "rulebook_adopted": lambda story, at, entry: story._rulebook("adopted", at, entry),
    "rulebook_proposed": lambda story, at, entry: story._rulebook("proposed", at, entry),
    "rulebook_published": lambda story, at, entry: story._rulebook("published", at, entry),
    "erased": Story._erased,
}


def split(label: str) -> tuple[str, int, int]:
    """Return the series, the year and the number that a label shows; ValueError when it shows none."""
    series, year, number = label.rsplit("-", 2)
    return series, int(year), int(number)


def label_of(series: str, year: int, number: int) -> str:
    """Return the label of a number, as `give_number` writes it."""
    return f"{series}-{year}-{number:06d}"


def _text(told: Any) -> str:
    """Return a text as it is told; TypeError for anything else."""
    if not isinstance(told, str):
        raise TypeError("un texte est attendu")
    return told


def _digest(told: str) -> bytes:
    """Return a SHA-256 told in hexadecimal, in half the memory; ValueError for anything else."""
    digest = bytes.fromhex(told)
    if len(digest) != 32 or digest.hex() != told:
        raise ValueError("une empreinte SHA-256 est attendue")
    return digest
