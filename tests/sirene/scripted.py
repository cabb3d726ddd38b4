"""Sources that say what a test tells them to."""

from datetime import UTC, datetime
from typing import Any

from permits.domain.establishment import (
    Audience,
    Establishment,
    Evidence,
    NotFound,
    Protected,
    RegistryAnswer,
    Source,
    Standing,
    Verdict,
)
from permits.sirene.budget import Budget
from permits.sirene.errors import SourceError

SIRET = "55204944776279"
NOW = datetime(2026, 9, 1, 10, 0, tzinfo=UTC)
REFERENCE, INSEE, OPEN = Source.API_ENTREPRISE, Source.INSEE, Source.RECHERCHE_ENTREPRISES


class Scripted:
    """A source that says what it was told to."""

    def __init__(self, name: Source, outcome: RegistryAnswer | SourceError) -> None:
        self.name, self.outcome = name, outcome
        self.asked: list[tuple[str, Audience]] = []
        self.closed = False

    def lookup(self, siret: str, audience: Audience, budget: Budget) -> RegistryAnswer:
        self.asked.append((siret, audience))
        if isinstance(self.outcome, SourceError):
            budget.note_failure()
            raise self.outcome
        return self.outcome

    def close(self) -> None:
        self.closed = True


def evidence(source: Source, said: Verdict, at: datetime = NOW) -> tuple[Evidence, ...]:
    return (Evidence(source=source, fetched_at=at, sha256="0" * 64, parser="p", said=said),)


def protected(source: Source) -> Protected:
    return Protected(siret=SIRET, evidence=evidence(source, Verdict.PROTECTED))


def not_found(source: Source, *, definite: bool) -> NotFound:
    return NotFound(siret=SIRET, definite=definite, evidence=evidence(source, Verdict.NOT_FOUND))


def found(source: Source, at: datetime = NOW, **changes: Any) -> Establishment:
    """An open, registered establishment."""
    shown = Establishment(
        **{
            "siret": SIRET,
            "asked_siret": SIRET,
            "name": "TOITURES DU BANC",
            "address": ("1 RUE DU BANC", "29999 EXEMPLE-VILLE"),
            "is_open": True,
            "unit_is_active": True,
            "standing": Standing.REGISTERED,
            "evidence": (),
        }
        | changes
    )
    return shown.model_copy(update={"evidence": evidence(source, shown.state, at)})
