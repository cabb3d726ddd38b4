"""What the State's company registry says of one SIRET, and the proof of having asked.

Three separate facts are kept: the establishment is open or closed, its legal unit is active or has
ceased, and the trade register holds it, has struck it off, or records insolvency proceedings.
"""

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from permits.domain.model import Value
from permits.domain.siret import siren_of

# Evidence is under 24 hours old when a decision is recorded: an hour is kept for deciding and sealing.
FRESH_FOR = timedelta(hours=23)


class Source(StrEnum):
    """A registry that can be asked."""

    API_ENTREPRISE = "api-entreprise"
    RECHERCHE_ENTREPRISES = "recherche-entreprises"
    INSEE = "insee"

    @property
    def label(self) -> str:
        """Its name in French, and who holds what it says."""
        return _SOURCE_LABELS[self]


_SOURCE_LABELS = {
    Source.API_ENTREPRISE: "API Entreprise (DINUM ; INSEE, greffes des tribunaux de commerce)",
    Source.RECHERCHE_ENTREPRISES: "API Recherche d’entreprises (DINUM ; INSEE, INPI)",
    Source.INSEE: "API Sirene (INSEE)",
}


class Audience(StrEnum):
    """Who will read what a registry says: it may be asked for no more than that."""

    AUTHORITY = "authority"  # the administration that decides, or an agent of it
    PUBLIC = "public"  # a form or a partner: only what may be shown to everybody


class Standing(StrEnum):
    """What the trade register says of the legal unit."""

    REGISTERED = "registered"
    NOT_REGISTERED = "not_registered"  # public bodies, associations: nothing to be struck off from
    STRUCK_OFF = "struck_off"
    INSOLVENCY = "insolvency"
    UNKNOWN = "unknown"


class Verdict(StrEnum):
    """What a registry's answer comes to, in a word."""

    OPEN = "open"
    CLOSED = "closed"
    CEASED = "ceased"
    STRUCK_OFF = "struck_off"
    INSOLVENCY = "insolvency"
    MERGED = "merged"
    PROTECTED = "protected"
    NOT_FOUND = "not_found"
    DISPUTED = "disputed"

    @property
    def label(self) -> str:
        """The same in French."""
        return _VERDICT_LABELS[self]


_VERDICT_LABELS = {
    Verdict.OPEN: "ouvert",
    Verdict.CLOSED: "fermé",
    Verdict.CEASED: "entreprise cessée",
    Verdict.STRUCK_OFF: "entreprise radiée",
    Verdict.INSOLVENCY: "procédure collective",
    Verdict.MERGED: "fusionné avec un autre SIRET",
    Verdict.PROTECTED: "protégé",
    Verdict.NOT_FOUND: "non trouvé",
    Verdict.DISPUTED: "sources en désaccord",
}


_SAID: dict[str, str] = {
    **{verdict.value: label for verdict, label in _VERDICT_LABELS.items()},
    Standing.REGISTERED: "entreprise inscrite, sans procédure collective",
    Standing.NOT_REGISTERED: "entreprise qui n’est pas inscrite au registre du commerce",
    Standing.UNKNOWN: "rien d’une radiation ni d’une procédure collective",
}


class Evidence(Value):
    """One answer of a registry: where it came from, when, what it said in a word, and the digest of its bytes.

    `said` is a word of Verdict, or of Standing for a trade register.
    """

    source: Source
    fetched_at: datetime
    sha256: str
    parser: str
    said: str | None = None
    request_id: str | None = None
    source_updated_at: datetime | None = None

    @property
    def told(self) -> str | None:
        """What it said, in French; None for an answer kept before that was noted."""
        return None if self.said is None else _SAID.get(self.said, self.said)


class Unheard(Value):
    """A source that said nothing when it was needed, and why in a technical word."""

    source: Source
    at: datetime
    reason: str


class Establishment(Value):
    """One establishment (never its head office), as its registry described it.

    `name` is None when the registry masked it. `address` is in postal lines, empty when masked.
    `partially_diffusible` data is never shown in public. `disagreement` tells in French what two sources
    say of it that can't both be true.
    """

    siret: str
    name: str | None
    address: tuple[str, ...]
    commune_code: str | None = None
    activity_code: str | None = None
    legal_form: str | None = None
    is_open: bool
    closed_on: date | None = None
    unit_is_active: bool
    unit_ceased_on: date | None = None
    standing: Standing
    standing_since: date | None = None
    partially_diffusible: bool = False
    asked_siret: str
    disagreement: str | None = None
    evidence: tuple[Evidence, ...]
    unheard: tuple[Unheard, ...] = ()

    @property
    def siren(self) -> str:
        return siren_of(self.siret)

    @property
    def was_merged(self) -> bool:
        """True when the registry answered for another SIRET than the one asked (duplicates merged by INSEE)."""
        return self.siret != self.asked_siret

    @property
    def is_at_work(self) -> bool:
        """True when the establishment is open and its legal unit has not ceased."""
        return self.is_open and self.unit_is_active

    @property
    def state(self) -> Verdict:
        """What Sirene says of it, the trade register left aside."""
        if self.was_merged:
            return Verdict.MERGED
        if not self.is_open:
            return Verdict.CLOSED
        return Verdict.OPEN if self.unit_is_active else Verdict.CEASED

    @property
    def is_about_a_person(self) -> bool:
        """True for a sole trader (INSEE legal form 1…), and when the legal form is not known."""
        return self.legal_form is None or self.legal_form.startswith("1")


class NotFound(Value):
    """The registry answered that it does not hold this SIRET.

    `definite` is False for a source that only searches what may be shown to everybody: its empty
    answer is not a proof of non-existence.
    """

    siret: str
    definite: bool
    evidence: tuple[Evidence, ...]
    unheard: tuple[Unheard, ...] = ()
    is_about_a_person: ClassVar[bool] = False


class Protected(Value):
    """The registry holds this SIRET and may not tell more (HTTP 451 or 403 about that unit)."""

    siret: str
    evidence: tuple[Evidence, ...]
    unheard: tuple[Unheard, ...] = ()
    is_about_a_person: ClassVar[bool] = True


RegistryAnswer = Establishment | NotFound | Protected


def verdict_of(answer: RegistryAnswer) -> Verdict:
    """Return what an answer comes to."""
    if isinstance(answer, NotFound):
        return Verdict.NOT_FOUND
    if isinstance(answer, Protected):
        return Verdict.PROTECTED
    if answer.disagreement is not None:
        return Verdict.DISPUTED
    if answer.state is Verdict.OPEN and answer.standing in (Standing.STRUCK_OFF, Standing.INSOLVENCY):
        return Verdict(answer.standing)
    return answer.state


class RegistryUnavailable(Exception):
    """No registry answered: nothing is known of this SIRET for now.

    `reasons` holds one short technical line a source, for staff; `retry_after` is what the source asked for.
    `was_asked` is False when no source could even be asked: another SIRET would fare no better.
    """

    def __init__(
        self, reasons: tuple[str, ...], retry_after: timedelta | None = None, *, was_asked: bool = True
    ) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons
        self.retry_after = retry_after
        self.was_asked = was_asked
