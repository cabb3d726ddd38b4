"""API Entreprise (DINUM): the reference source, for administrations, with a token.

Two calls make an answer: INSEE's establishment, then the trade register's extract for the third
fact. Both share one time budget, and both must succeed: unknown is never taken for no.
"""

from datetime import date

from pydantic import SecretStr, ValidationError

from permits.domain.establishment import Evidence, NotFound, Protected, RegistryAnswer, Source, Standing
from permits.sirene.answer import Answer
from permits.sirene.errors import SourceMisconfigured, SourceUnavailable
from permits.sirene.http import BUDGET_S, Clock, PoliteClient
from permits.sirene.insee_v4 import SireneAnswer
from permits.sirene.kbis import ExtractAnswer

SIRENE_PARSER = "api-entreprise-insee-v4/1"
EXTRACT_PARSER = "api-entreprise-extrait-kbis-v3/1"

# Its gate refuses unusual control digits before asking anybody, and a few real numbers have them.
_REFUSED_SIREN, _REFUSED_SIRET = "00301", "00302"
_NOT_FOUND_SUBCODE = "003"


class ApiEntreprise:
    """Looks a SIRET up with the rights of an administration.

    `recipient` is the SIRET of the public body that uses the data; `context` and `object_` tell why,
    as API Entreprise wants it on every call (`object_` in 50 characters at most).
    """

    name = Source.API_ENTREPRISE

    def __init__(
        self,
        base_url: str,
        token: SecretStr,
        recipient: str,
        *,
        contact: str,
        context: str = "Occupation du domaine public",
        object_: str = "Demande de permis de stationnement",
        clock: Clock | None = None,
        budget_s: float = BUDGET_S,
    ) -> None:
        if len(object_) > 50:
            raise ValueError("object_ holds 50 characters at most")
        self._why = {"context": context, "object": object_, "recipient": recipient}
        self._client = PoliteClient(
            self.name,
            base_url,
            contact=contact,
            headers={"Authorization": f"Bearer {token.get_secret_value()}"},
            clock=clock,
            budget_s=budget_s,
        )

    def close(self) -> None:
        self._client.close()

    def lookup(self, siret: str) -> RegistryAnswer:
        """Return what the State says of this SIRET; SourceError when it says nothing usable."""
        deadline = self._client.deadline()
        path = f"/v4/insee/sirene/etablissements/{siret}"
        answer = self._client.get(path, self._why, deadline, accept=frozenset({404, 422, 451}))
        if answer.status != 200:
            return self._without_establishment(siret, answer)
        try:
            sirene = SireneAnswer.model_validate(answer.document)
        except ValidationError as error:
            raise self._unusable("establishment of another shape") from error
        if not sirene.is_about(siret):
            raise self._unusable("establishment of another SIRET than the one asked")
        evidence = answer.evidence(self.name, SIRENE_PARSER, sirene.updated_at)
        establishment = sirene.establishment(siret, evidence)
        if not sirene.is_at_work:
            return establishment
        standing, since, extract = self._ask_trade_register(establishment.siren, deadline)
        return establishment.model_copy(
            update={"standing": standing, "standing_since": since, "evidence": (evidence, extract)}
        )

    def _without_establishment(self, siret: str, answer: Answer) -> NotFound | Protected:
        evidence = (answer.evidence(self.name, SIRENE_PARSER),)
        if answer.status == 451:
            return Protected(siret=siret, evidence=evidence)
        if answer.status == 404 and answer.error_code.endswith(_NOT_FOUND_SUBCODE):
            return NotFound(siret=siret, definite=True, evidence=evidence)
        if answer.error_code == _REFUSED_SIRET:
            return NotFound(siret=siret, definite=False, evidence=evidence)
        if answer.status == 422:
            raise SourceMisconfigured(self.name, answer.outcome)
        raise self._unusable("HTTP 404 which does not come from the registry")

    def _ask_trade_register(self, siren: str, deadline: float) -> tuple[Standing, date | None, Evidence]:
        path = f"/v3/infogreffe/rcs/unites_legales/{siren}/extrait_kbis"
        answer = self._client.get(path, self._why, deadline, accept=frozenset({404, 422}))
        evidence = answer.evidence(self.name, EXTRACT_PARSER)
        if answer.status == 404:
            if not answer.error_code.endswith(_NOT_FOUND_SUBCODE):
                raise self._unusable("HTTP 404 which does not come from the trade register")
            return Standing.NOT_REGISTERED, None, evidence
        if answer.status == 422:
            if answer.error_code != _REFUSED_SIREN:
                raise SourceMisconfigured(self.name, answer.outcome)
            return Standing.UNKNOWN, None, evidence
        try:
            extract = ExtractAnswer.model_validate(answer.document)
        except ValidationError as error:
            raise self._unusable("extract of another shape") from error
        if extract.siren != siren:
            raise self._unusable("extract of another SIREN than the one asked")
        standing, since = extract.standing
        return standing, since, evidence

    def _unusable(self, what: str) -> SourceUnavailable:
        return SourceUnavailable(self.name, f"unusable answer: {what}")
