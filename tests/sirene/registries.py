"""Each source as the tests meet it: well-formed answers about one company, and the client that asks for them."""

from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from permits.sirene.api_entreprise import ApiEntreprise
from permits.sirene.clock import Clock
from permits.sirene.directory import RegistrySource
from permits.sirene.insee import Insee
from permits.sirene.recherche_entreprises import RechercheEntreprises
from tests.fakes import SIRET
from tests.sirene.answers import RECIPIENT, TOKEN, bent, establishment, extract, search
from tests.sirene.conftest import CONTACT
from tests.sirene.misbehaving import Answer
from tests.sirene.sirene_311 import refusal, sirene

SIREN = SIRET[:9]
OTHER = "99999002100019"


@dataclass(frozen=True)
class Kind:
    """One source: the stages of a look-up in their order, by the start of their path, and a client.

    `grounds` are the rules that bring its company before a person when all is well; none when it is granted.
    """

    name: str
    stages: dict[str, Answer]
    grounds: frozenset[str] = frozenset()

    def client(self, url: str, clock: Clock, **patience: Any) -> RegistrySource:
        """Return its client; `connect_s` and `read_s` may be shortened."""
        client: ApiEntreprise | Insee | RechercheEntreprises
        if self.name == "api-entreprise":
            client = ApiEntreprise(url, SecretStr(TOKEN), RECIPIENT, contact=CONTACT, clock=clock, **patience)
        elif self.name == "insee":
            client = Insee(url, SecretStr(TOKEN), contact=CONTACT, clock=clock, **patience)
        else:
            client = RechercheEntreprises(url, contact=CONTACT, clock=clock, **patience)
        for _ in range(100):
            # As after a hundred calls, which its quota would make last: it may make the most of its retries.
            client._client._retries.earn()
        return client


def of(siret: str) -> dict[str, Any]:
    """What API Entreprise says of an open establishment."""
    return bent(establishment(), data__siret=siret, data__unite_legale__siren=siret[:9])


def found(siret: str) -> dict[str, Any]:
    """What the open source says of it."""
    return bent(
        search(),
        results__0__siren=siret[:9],
        results__0__matching_etablissements__0__siret=siret,
        results__0__matching_etablissements__0__etat_administratif="A",
        results__0__etat_administratif="A",
    )


def registered(siren: str) -> dict[str, Any]:
    """The extract of a company in good standing."""
    return bent(extract(), data__siren=siren, data__observations=[])


API_ENTREPRISE = Kind(
    "api-entreprise",
    {
        "/v4/insee/sirene/etablissements/": (200, of(SIRET), {}),
        "/v3/infogreffe/rcs/unites_legales/": (200, registered(SIREN), {}),
    },
)
RECHERCHE = Kind("recherche-entreprises", {"/search": (200, found(SIRET), {})})
# It tells nothing of the trade register.
INSEE = Kind("insee", {f"/siret/{SIRET}": (200, sirene(), {})}, frozenset({"SIRET-STANDING"}))
INSEE_MERGED = Kind(
    "insee",
    {
        f"/siret/{SIRET}": (301, refusal(301), {"Location": f"https://elsewhere.test/sirene/siret/{OTHER}"}),
        f"/siret/{OTHER}": (200, sirene(siret=OTHER), {}),
    },
    frozenset({"SIRET-CERTAIN", "SIRET-STANDING"}),
)
