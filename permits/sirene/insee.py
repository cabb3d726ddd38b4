"""INSEE's Sirene API 3.11: the registry of establishments at its source, with a key.

It knows nothing of the trade register: whoever needs the third fact completes it from another source.
"""

import re
from dataclasses import replace

from pydantic import SecretStr, ValidationError

from permits.domain.establishment import Audience, Establishment, NotFound, Protected, RegistryAnswer, Source, Verdict
from permits.sirene import reasons
from permits.sirene.answer import Answer
from permits.sirene.budget import Budget
from permits.sirene.clock import Clock
from permits.sirene.errors import SourceMisconfigured, SourceUnavailable
from permits.sirene.http import CONNECT_S, READ_S, PoliteClient
from permits.sirene.insee_311 import SireneEstablishment
from permits.sirene.pace import Quota

PARSER = "insee-sirene-3.11/1"
# Thirty a minute for the public plan, as its users tell; its windows are not documented.
QUOTA = Quota(calls=30, window_s=60)


class Insee:
    """Looks a SIRET up among all the establishments; what is in partial diffusion comes masked."""

    name = Source.INSEE

    def __init__(
        self,
        base_url: str,
        key: SecretStr,
        *,
        contact: str,
        calls: int = QUOTA.calls,
        clock: Clock | None = None,
        connect_s: float = CONNECT_S,
        read_s: float = READ_S,
    ) -> None:
        self._client = PoliteClient(
            self.name,
            base_url,
            replace(QUOTA, calls=calls),
            contact=contact,
            headers={"X-INSEE-Api-Key-Integration": key.get_secret_value()},
            clock=clock,
            connect_s=connect_s,
            read_s=read_s,
        )

    def close(self) -> None:
        self._client.close()

    def lookup(self, siret: str, audience: Audience, budget: Budget) -> RegistryAnswer:
        """Return what INSEE says of this SIRET, whoever reads it; SourceError when it says nothing usable.

        One it merged into another is answered with that other one, asked in its turn.
        """
        answer = self._ask(siret, budget)
        if answer.status != 301:
            return self._read(answer, siret, siret)
        target = self._target(answer, siret)
        merged = answer.evidence(self.name, PARSER, Verdict.MERGED)
        said = self._read(self._ask(target, budget), target, siret)
        if isinstance(said, NotFound):
            raise self._unusable("merged into a SIRET that it does not hold")
        return said.model_copy(update={"evidence": (merged, *said.evidence)})

    def _ask(self, siret: str, budget: Budget) -> Answer:
        return self._client.get(f"/siret/{siret}", {}, budget, accept=frozenset({301, 403, 404}))

    def _target(self, answer: Answer, siret: str) -> str:
        """The SIRET at the end of `Location`, wherever that leads: its path is of an older API."""
        last = re.search(r"/([0-9]{14})/?$", (answer.location or "").partition("?")[0])
        if last is None or last[1] == siret:
            raise self._unusable("redirection to no other SIRET")
        return last[1]

    def _read(self, answer: Answer, siret: str, asked_siret: str) -> RegistryAnswer:
        """Return what an answer about `siret` says, as one about `asked_siret`."""
        if answer.status == 301:
            raise self._unusable("redirection after a redirection")
        said = _said(answer)
        if answer.status == 404:
            if said != 404:
                raise self._unusable("HTTP 404 which does not come from the registry")
            evidence = answer.evidence(self.name, PARSER, Verdict.NOT_FOUND)
            return NotFound(siret=asked_siret, definite=True, evidence=(evidence,))
        if answer.status == 403:
            if said != 403:
                raise SourceMisconfigured(self.name, answer.outcome)
            return Protected(siret=asked_siret, evidence=(answer.evidence(self.name, PARSER, Verdict.PROTECTED),))
        if said not in (200, None):
            raise self._unusable("HTTP 200 which says another status")
        return self._establishment(answer, siret, asked_siret)

    def _establishment(self, answer: Answer, siret: str, asked_siret: str) -> Establishment:
        try:
            read = SireneEstablishment.model_validate(_establishment_of(siret, answer))
        except ValidationError as error:
            raise self._unusable("establishment of another shape") from error
        if read.siret != siret:
            raise self._unusable("establishment of another SIRET than the one asked")
        found = read.establishment(asked_siret)
        evidence = answer.evidence(self.name, PARSER, found.state, read.updated_at)
        return found.model_copy(update={"evidence": (evidence,)})

    def _unusable(self, what: str) -> SourceUnavailable:
        return SourceUnavailable(self.name, f"{reasons.UNUSABLE}: {what}")


def _said(answer: Answer) -> object:
    """The status written in the body: what tells an answer of the registry from one of a gateway before it."""
    header = answer.document.get("header")
    return header.get("statut") if isinstance(header, dict) else None


def _establishment_of(siret: str, answer: Answer) -> object:
    """The establishment; for a few SIRET it comes in a list."""
    alone, several = answer.document.get("etablissement"), answer.document.get("etablissements")
    if alone is not None or not isinstance(several, list):
        return alone
    about_it = [one for one in several if isinstance(one, dict) and one.get("siret") == siret]
    return about_it[0] if len(about_it) == 1 else None
