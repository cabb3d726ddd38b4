"""A source asked alone, as the directory asks it: one look-up, one budget."""

from dataclasses import dataclass

from permits.domain.establishment import Audience, RegistryAnswer
from permits.sirene.budget import Budget
from permits.sirene.clock import Clock
from permits.sirene.directory import RegistrySource


@dataclass(frozen=True)
class Alone:
    """One source, each look-up with a whole budget of its own."""

    source: RegistrySource
    clock: Clock

    def lookup(self, siret: str, audience: Audience = Audience.AUTHORITY) -> RegistryAnswer:
        return self.source.lookup(siret, audience, Budget(self.clock))

    def close(self) -> None:
        self.source.close()
