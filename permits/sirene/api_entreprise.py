"""API Entreprise (DINUM): the reference source, for administrations, with a token.

Two calls make an answer: INSEE's establishment, then the trade register's extract for the third
fact. Both share one time budget, and both must succeed: unknown is never taken for no.
"""

from dataclasses import replace
from datetime import date

from pydantic import SecretStr, ValidationError

from permits.domain.establishment import (
    Audience,
    Evidence,
    NotFound,
    Protected,
    RegistryAnswer,
    Source,
    Standing,
    Verdict,
)
from permits.sirene import reasons
from permits.sirene.answer import Answer
from permits.sirene.budget import Budget
from permits.sirene.clock import Clock
from permits.sirene.errors import NotAskedAboutThisSiret, SourceMisconfigured, SourceUnavailable
from permits.sirene.http import CONNECT_S, PoliteClient
from permits.sirene.insee_v4 import SireneAnswer
from permits.sirene.kbis import ExtractAnswer
from permits.sirene.pace import Quota

SIRENE_PARSER = "api-entreprise-insee-v4/1"
EXTRACT_PARSER = "api-entreprise-extrait-kbis-v3/1"

# All its JSON routes together, in windows of the clock's minute (datagouv/apistration, throttle.yml, April 2026).
QUOTA = Quota(calls=250, window_s=60, on_the_clock=True)

# It waits for INSEE two seconds, for others ten, and asks its callers for five.
READ_S = 5.0

# Its gate refuses unusual control digits before asking anybody, and a few real numbers have them.
_REFUSED_SIREN, _REFUSED_SIRET = "00301", "00302"
_NOT_FOUND_SUBCODE = "003"


class ApiEntreprise:
    """Looks a SIRET up with the rights of an administration.

    `recipient` is the SIRET of the public body that uses the data; `context` and `object_` tell why,
    as API Entreprise wants it on every call (`object_` in 50 characters at most). `only_diffusible` is
    for an authority whose token gives no right to protected data.
    """

    name = Source.API_ENTREPRISE

    def __init__(
        self,
        base_url: str,
        token: SecretStr,
        recipient: str,
        *,
        contact: str,
        only_diffusible: bool = False,
        context: str = "Occupation du domaine public",
        object_: str = "Demande de permis de stationnement",
        calls: int = QUOTA.calls,
        clock: Clock | None = None,
        connect_s: float = CONNECT_S,
        read_s: float = READ_S,
    ) -> None:
        if len(object_) > 50:
            raise ValueError("object_ holds 50 characters at most")
        self._recipient = recipient
        self._only_diffusible = only_diffusible
        self._why = {"context": context, "object": object_, "recipient": recipient}
        self._client = PoliteClient(
            self.name,
            base_url,
            replace(QUOTA, calls=calls),
            contact=contact,
            headers={"Authorization": f"Bearer {token.get_secret_value()}"},
            clock=clock,
            connect_s=connect_s,
            read_s=read_s,
        )

    def close(self) -> None:
        self._client.close()

    def lookup(self, siret: str, audience: Audience, budget: Budget) -> RegistryAnswer:
        """Return what the State says of this SIRET; SourceError when it says nothing usable.

        For the public, and for an authority without the right to protected data, the route of what may be shown
        to everybody is asked: it hides some, so that what it does not find may exist.
        """
        if siret == self._recipient:
            raise NotAskedAboutThisSiret(self.name, reasons.RECIPIENT)
        diffusible = self._only_diffusible or audience is Audience.PUBLIC
        path = f"/v4/insee/sirene/etablissements/{'diffusibles/' if diffusible else ''}{siret}"
        answer = self._client.get(path, self._why, budget, accept=frozenset({404, 422, 451}))
        if answer.status != 200:
            return self._without_establishment(siret, answer, is_whole=not diffusible)
        try:
            sirene = SireneAnswer.model_validate(answer.document)
        except ValidationError as error:
            raise self._unusable("establishment of another shape") from error
        if not sirene.is_about(siret):
            raise self._unusable("establishment of another SIRET than the one asked")
        establishment = sirene.establishment(siret)
        evidence = answer.evidence(self.name, SIRENE_PARSER, establishment.state, sirene.updated_at)
        if not establishment.is_at_work:
            return establishment.model_copy(update={"evidence": (evidence,)})
        standing, since, extract = self._ask_trade_register(establishment.siren, budget)
        return establishment.model_copy(
            update={"standing": standing, "standing_since": since, "evidence": (evidence, extract)}
        )

    def _without_establishment(self, siret: str, answer: Answer, *, is_whole: bool) -> NotFound | Protected:
        if answer.status == 451:
            evidence = answer.evidence(self.name, SIRENE_PARSER, Verdict.PROTECTED)
            return Protected(siret=siret, evidence=(evidence,))
        evidence = answer.evidence(self.name, SIRENE_PARSER, Verdict.NOT_FOUND)
        if answer.status == 404 and answer.error_code.endswith(_NOT_FOUND_SUBCODE):
            return NotFound(siret=siret, definite=is_whole, evidence=(evidence,))
        if answer.error_code == _REFUSED_SIRET:
            return NotFound(siret=siret, definite=False, evidence=(evidence,))
        if answer.status == 422:
            raise SourceMisconfigured(self.name, answer.outcome)
        raise self._unusable("HTTP 404 which does not come from the registry")

    def _ask_trade_register(self, siren: str, budget: Budget) -> tuple[Standing, date | None, Evidence]:
        path = f"/v3/infogreffe/rcs/unites_legales/{siren}/extrait_kbis"
        answer = self._client.get(path, self._why, budget, accept=frozenset({404, 422}))
        standing, since = self._standing(siren, answer)
        return standing, since, answer.evidence(self.name, EXTRACT_PARSER, standing)

    def _standing(self, siren: str, answer: Answer) -> tuple[Standing, date | None]:
        if answer.status == 404:
            if not answer.error_code.endswith(_NOT_FOUND_SUBCODE):
                raise self._unusable("HTTP 404 which does not come from the trade register")
            return Standing.NOT_REGISTERED, None
        if answer.status == 422:
            if answer.error_code != _REFUSED_SIREN:
                raise SourceMisconfigured(self.name, answer.outcome)
            return Standing.UNKNOWN, None
        try:
            extract = ExtractAnswer.model_validate(answer.document)
        except ValidationError as error:
            raise self._unusable("extract of another shape") from error
        if extract.siren != siren:
            raise self._unusable("extract of another SIREN than the one asked")
        return extract.standing

    def _unusable(self, what: str) -> SourceUnavailable:
        return SourceUnavailable(self.name, f"{reasons.UNUSABLE}: {what}")
