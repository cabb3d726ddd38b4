"""What the three registries also answer, and no recorded answer shows: people, foreign places, holes, absurd values.

Fictional throughout. Whatever does not decide may be missing, null or senseless; what decides may not.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import respx
from pydantic import SecretStr

from permits.domain.establishment import Audience, RegistryAnswer, Source, Standing
from permits.sirene.api_entreprise import ApiEntreprise
from permits.sirene.budget import Budget
from permits.sirene.directory import RegistrySource
from permits.sirene.insee import Insee
from permits.sirene.recherche_entreprises import RechercheEntreprises
from tests.sirene.answers import bent, error, establishment, extract, search
from tests.sirene.clock import StoppedClock
from tests.sirene.sirene_311 import address, period, person, sirene, unit
from tests.sirene.words import found, told

CONTACT = "mailto:test@exemple.example"
SIRET = "99999001300024"
SIREN = SIRET[:9]

Body = dict[str, Any]
Bend = Callable[[object], Body]

API, OPEN, INSEE = Source.API_ENTREPRISE, Source.RECHERCHE_ENTREPRISES, Source.INSEE


def reference_body(**changes: object) -> Body:
    """What API Entreprise says of our establishment, with some leaves changed."""
    ours = bent(establishment(), data__siret=SIRET, data__unite_legale__siren=SIREN)
    return bent(ours, **{f"data__{path}": value for path, value in changes.items()})


def person_body(**changes: object) -> Body:
    """The same of a natural person, whose company attributes are null."""
    names = {"prenom_usuel": "CAMILLE", "prenom_1": "CAMILLE", "nom_usage": None, "nom_naissance": "EXEMPLE"}
    theirs: dict[str, object] = {
        "unite_legale__type": "personne_physique",
        "unite_legale__personne_morale_attributs": None,
        "unite_legale__personne_physique_attributs": names,
        "unite_legale__forme_juridique": {"code": "1000", "libelle": "Entrepreneur individuel"},
    }
    return reference_body(**(theirs | changes))


def extract_body(**changes: object) -> Body:
    return bent(extract(), **{f"data__{path}": value for path, value in ({"siren": SIREN} | changes).items()})


def without(body: Body, *path: str) -> Body:
    """The same, without the key at the end of a path."""
    copy = json.loads(json.dumps(body))
    node = copy
    for key in path[:-1]:
        node = node[int(key)] if key.isdecimal() else node[key]
    del node[path[-1]]
    return copy  # type: ignore[no-any-return]


def search_body(unit_changes: Body | None = None, **row: object) -> Body:
    """What the open source says of our establishment."""
    body = search()
    [result] = body["results"]
    result["matching_etablissements"][0] |= {"siret": SIRET, **row}
    result |= {"siren": SIREN, **(unit_changes or {})}
    return body


class Registries:
    """The three clients, each of which hears one body."""

    def __init__(self, network: respx.MockRouter, stopped: StoppedClock) -> None:
        self._stopped = stopped
        common: dict[str, Any] = {"contact": CONTACT, "clock": stopped.clock}
        self.sources: dict[Source, RegistrySource] = {
            API: ApiEntreprise("https://api.test", SecretStr("jeton"), "21299999900015", **common),
            INSEE: Insee("https://insee.test", SecretStr("clef"), **common),
            OPEN: RechercheEntreprises("https://open.test", **common),
        }
        self.routes = {
            API: network.get(path__regex=r"/v4/.*"),
            INSEE: network.get(host="insee.test"),
            OPEN: network.get(host="open.test"),
        }
        self.extract = network.get(path__regex=r"/v3/.*").respond(200, json=extract_body())

    def ask(self, source: Source, body: Body | bytes) -> RegistryAnswer:
        # As bytes: a lone surrogate travels escaped, as it would on the wire.
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.routes[source].respond(200, content=content)
        # A second later each time, so that no quota is spent.
        self._stopped.elapsed_s += 1
        return self.sources[source].lookup(SIRET, Audience.AUTHORITY, Budget(self._stopped.clock))

    def told(self, source: Source, body: Body | bytes) -> str:
        return told(lambda: self.ask(source, body))


@pytest.fixture
def registries(network: respx.MockRouter, stopped: StoppedClock) -> Iterator[Registries]:
    registries = Registries(network, stopped)
    yield registries
    for source in registries.sources.values():
        source.close()


def test_the_plain_bodies_of_this_page_are_read(registries: Registries) -> None:
    assert registries.told(API, reference_body()) == "ouvert, immatriculé"
    assert registries.told(INSEE, sirene()) == "ouvert"
    assert registries.told(OPEN, search_body()) == "ouvert, immatriculé"


@pytest.mark.parametrize(
    ("source", "body", "words", "name"),
    [
        (API, person_body(), "ouvert, immatriculé", "CAMILLE EXEMPLE"),
        (API, person_body(etat_administratif="F"), "fermé", "CAMILLE EXEMPLE"),
        (
            API,
            person_body(etat_administratif="F", date_fermeture=1719698400, unite_legale__etat_administratif="C"),
            "fermé le 30/06/2024, entreprise cessée",
            "CAMILLE EXEMPLE",
        ),
        (API, person_body(unite_legale__personne_physique_attributs=None), "ouvert, immatriculé, nom masqué", None),
        (API, reference_body(unite_legale__personne_physique_attributs=None), "ouvert, immatriculé", "SOCIETE"),
        (API, reference_body(unite_legale__personne_morale_attributs=None), "ouvert, immatriculé, nom masqué", None),
        (INSEE, sirene(uniteLegale=person()), "ouvert", "CAMILLE EXEMPLE"),
        (
            INSEE,
            sirene(uniteLegale=person(etatAdministratif="C"), periodesEtablissement=[period("F", "2024-06-30")]),
            "fermé le 30/06/2024, entreprise cessée",
            "CAMILLE EXEMPLE",
        ),
        (
            OPEN,
            search_body({"nom_complet": "CAMILLE EXEMPLE", "nom_raison_sociale": None, "nature_juridique": "1000"}),
            "ouvert, immatriculé",
            "CAMILLE EXEMPLE",
        ),
        (
            OPEN,
            search_body(
                {"nom_complet": "CAMILLE EXEMPLE", "nom_raison_sociale": None, "etat_administratif": "C"},
                etat_administratif="F",
                date_fermeture="2024-06-30",
            ),
            "fermé le 30/06/2024, entreprise cessée, immatriculé",
            "CAMILLE EXEMPLE",
        ),
    ],
)
def test_a_person_and_a_company_need_not_carry_what_the_other_has(
    registries: Registries, source: Source, body: Body, words: str, name: str | None
) -> None:
    assert registries.told(source, body) == words
    assert (found(registries.ask(source, body)).name or "").startswith(name or "")


def masked_person() -> Body:
    """A person in partial diffusion on the public route: all that is theirs is masked."""
    lines = {"l1": "[ND]", "l2": "[ND]", "l3": "", "l4": "[ND]", "l5": "", "l6": "[ND]", "l7": "FRANCE"}
    partly = "partiellement_diffusible"
    return person_body(
        status_diffusion=partly,
        unite_legale__status_diffusion=partly,
        unite_legale__personne_physique_attributs=dict.fromkeys(PERSON, "[ND]"),
        adresse__status_diffusion=partly,
        adresse__acheminement_postal=lines,
    )


PERSON = ("prenom_usuel", "prenom_1", "nom_usage", "nom_naissance")
NAMES = ("nom", "nomUsage", "prenom1", "prenomUsuel")
HIDDEN = dict.fromkeys(("numeroVoie", "typeVoie", "libelleVoie", "codePostal", "complementAdresse"), "[ND]")
MASKED = "[NON-DIFFUSIBLE]"


@pytest.mark.parametrize(
    ("source", "body"),
    [
        (API, masked_person()),
        (
            INSEE,
            sirene(
                statutDiffusionEtablissement="P",
                uniteLegale=person(
                    statutDiffusion="P", nom="[ND]", nomUsage="[ND]", prenom1="[ND]", prenomUsuel="[ND]"
                ),
                adresseEtablissement=address(**HIDDEN),
            ),
        ),
        (
            OPEN,
            search_body(
                {"nom_complet": MASKED, "nom_raison_sociale": MASKED, "statut_diffusion": "P"},
                statut_diffusion_etablissement="P",
                adresse=MASKED,
                code_postal=MASKED,
                latitude=MASKED,
                liste_enseignes=[MASKED],
            ),
        ),
    ],
)
def test_a_masked_person_has_neither_name_nor_address_but_a_commune(
    registries: Registries, source: Source, body: Body
) -> None:
    said = found(registries.ask(source, body))
    assert (said.name, said.address, said.partially_diffusible) == (None, (), True)
    assert said.commune_code
    assert "[" not in repr(said.model_dump(exclude={"evidence"}))


ABROAD = {"l3": "", "l4": "1 EXAMPLE STREET", "l5": None, "l6": "EXAMPLETOWN", "l7": "ROYAUME-UNI"}


@pytest.mark.parametrize(
    ("source", "body", "lines", "commune"),
    [
        (
            API,
            reference_body(adresse__acheminement_postal=ABROAD, adresse__code_commune=None),
            ("1 EXAMPLE STREET", "EXAMPLETOWN", "ROYAUME-UNI"),
            None,
        ),
        (
            OPEN,
            search_body(adresse="1 EXAMPLE STREET EXAMPLETOWN ROYAUME-UNI", code_postal=None, commune=None),
            ("1 EXAMPLE STREET EXAMPLETOWN ROYAUME-UNI",),
            None,
        ),
        (API, reference_body(adresse__acheminement_postal=None), (), "93066"),
        (API, reference_body(adresse=None), (), None),
        (OPEN, search_body(adresse=None, code_postal=None, commune=None), (), None),
        (INSEE, sirene(adresseEtablissement=None), (), None),
    ],
)
def test_a_place_abroad_or_untold_is_no_reason_to_fail(
    registries: Registries, source: Source, body: Body, lines: tuple[str, ...], commune: str | None
) -> None:
    said = found(registries.ask(source, body))
    assert (said.address, said.commune_code) == (lines, commune)


ABSURD_SECONDS = [0.5, 1719698400000, 1e300, -(10**400), True, "1719698400", [], {}, 253402300800]
ABSURD_DAYS = [
    "0001-01-01",
    "9999-12-31",
    "2024-02-30",
    "",
    "demain",
    20240630,
    1.5,
    [],
    {},
    "1900-01-01",
    "٢٠٢٤-٠٦-٣٠",
]


@pytest.mark.parametrize("absurd", ABSURD_SECONDS, ids=lambda value: repr(value)[:20])
def test_an_absurd_instant_is_no_day_in_the_reference(registries: Registries, absurd: object) -> None:
    body = reference_body(etat_administratif="F", date_fermeture=absurd)
    body["meta"]["date_derniere_mise_a_jour"] = absurd
    said = found(registries.ask(API, body))
    assert (said.is_open, said.closed_on, said.evidence[0].source_updated_at) == (False, None, None)


def test_a_whole_number_written_as_a_float_is_a_day(registries: Registries) -> None:
    body = reference_body(etat_administratif="F", date_fermeture=1719698400.0)
    assert registries.told(API, body) == "fermé le 30/06/2024"


@pytest.mark.parametrize("absurd", ABSURD_DAYS, ids=lambda value: repr(value)[:20])
def test_an_absurd_day_is_no_day_in_the_others(registries: Registries, absurd: object) -> None:
    closed = sirene(
        periodesEtablissement=[period("F", None) | {"dateDebut": absurd}],
        dateDernierTraitementEtablissement=absurd,
        uniteLegale=unit(dateDernierTraitement=None),
    )
    searched = search_body(
        {"etat_administratif": "C", "date_fermeture": absurd, "date_mise_a_jour": absurd},
        etat_administratif="F",
        date_fermeture=absurd,
    )
    for source, body in ((INSEE, closed), (OPEN, searched)):
        said = found(registries.ask(source, body))
        assert (said.is_open, said.closed_on, said.unit_ceased_on) == (False, None, None)
        # The day on which INSEE writes what it does not know may be that of a treatment.
        assert absurd == "1900-01-01" or said.evidence[0].source_updated_at is None


HOSTILE = {
    "control": "ACME\u0007 SAS",
    "nul": "ACME\u0000",
    "bidi": "ACME \u202eSAS",
    "invisible": "A\u200bCME",
    "surrogate": "ACME \ud800",
    "ten-kilobytes": "A" * 10_240,
    "blank": " \t ",
    "number": 42,
    "list": ["ACME"],
    "object": {"fr": "ACME"},
}


def named(source: Source, name: object) -> Body:
    if source == API:
        return reference_body(unite_legale__personne_morale_attributs={"raison_sociale": name, "sigle": name})
    if source == INSEE:
        return sirene(uniteLegale=unit(denomination=name, sigle=name))
    return search_body({"nom_raison_sociale": name, "nom_complet": name})


@pytest.mark.parametrize("source", [API, INSEE, OPEN])
@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_name_is_no_name(registries: Registries, source: Source, name: object) -> None:
    said = found(registries.ask(source, named(source, name)))
    assert (said.name, said.is_open) == (None, True)


@pytest.mark.parametrize("source", [API, INSEE, OPEN])
def test_markup_in_a_name_is_text_like_any_other(registries: Registries, source: Source) -> None:
    """Printable characters: whoever shows a name escapes it."""
    name = "<script>alert(1)</script> & FILS {{ 7*7 }}"
    assert found(registries.ask(source, named(source, name))).name == name


@pytest.mark.parametrize("source", [API, INSEE, OPEN])
@pytest.mark.parametrize("line", [HOSTILE["control"], HOSTILE["bidi"], HOSTILE["ten-kilobytes"]])
def test_a_hostile_line_hides_the_whole_address(registries: Registries, source: Source, line: object) -> None:
    bodies = {
        API: reference_body(adresse__acheminement_postal__l4=line),
        INSEE: sirene(adresseEtablissement=address(libelleVoie=line)),
        OPEN: search_body(adresse=line),
    }
    assert found(registries.ask(source, bodies[source])).address == ()


SENSELESS = [None, 7, ["x"], {"x": 1}, True]


@pytest.mark.parametrize("value", SENSELESS, ids=repr)
def test_what_does_not_decide_may_be_senseless(registries: Registries, value: object) -> None:
    reference = reference_body(
        status_diffusion=value,
        adresse__code_commune=value,
        unite_legale__forme_juridique={"code": value},
        activite_principale_naf_rev2={"code": value},
    )
    insee = sirene(
        statutDiffusionEtablissement=value,
        uniteLegale=unit(categorieJuridique=value, statutDiffusion=value),
        adresseEtablissement=address(codeCommune=value),
        nombrePeriodesEtablissement=value,
    )
    searched = search_body(
        {"nature_juridique": value, "statut_diffusion": value, "complements": value, "siege": value},
        activite_principale=value,
        commune=value,
        statut_diffusion_etablissement=value,
    )
    for source, body in ((API, reference), (INSEE, insee), (OPEN, searched)):
        said = found(registries.ask(source, body))
        assert (said.is_open, said.partially_diffusible) == (True, True)
        assert (said.legal_form, said.commune_code) == (None, None)


@pytest.mark.parametrize(
    ("source", "body"),
    [
        (API, without(reference_body(), "data", "etat_administratif")),
        (API, without(reference_body(), "data", "unite_legale")),
        (API, without(reference_body(), "data", "unite_legale", "etat_administratif")),
        (API, without(reference_body(), "data", "siret")),
        (API, reference_body(siret=99999001300024)),
        (API, reference_body(siret=99999001300024.0)),
        (API, reference_body(etat_administratif="C")),
        (API, {"data": None}),
        (API, {"data": []}),
        (API, {"data": [reference_body()["data"]], "links": {}, "meta": {}}),
        (INSEE, without(sirene(), "etablissement", "periodesEtablissement")),
        (INSEE, without(sirene(), "etablissement", "uniteLegale")),
        (INSEE, {"header": None, "etablissement": []}),
        (OPEN, search_body(etat_administratif=None)),
        (OPEN, search_body({"etat_administratif": "F"})),
        (OPEN, {"results": [None]}),
        (OPEN, {"results": {}}),
    ],
)
def test_what_decides_may_not(registries: Registries, source: Source, body: Body) -> None:
    assert registries.told(source, body).startswith("erreur : unusable answer")


@pytest.mark.parametrize(
    "body",
    [
        {"results": []},
        search_body({"matching_etablissements": None}),
        search_body({"matching_etablissements": []}),
        without(search_body(), "results", "0", "matching_etablissements"),
    ],
)
def test_an_empty_list_of_the_open_source_proves_nothing(registries: Registries, body: Body) -> None:
    assert registries.told(OPEN, body) == "non trouvé"


def test_an_answer_without_meta_is_still_about_its_own_siret(registries: Registries) -> None:
    assert registries.told(API, {"data": reference_body()["data"]}) == "ouvert, immatriculé"
    assert registries.told(API, reference_body() | {"meta": None}) == "ouvert, immatriculé"
    other = reference_body(siret="99999018700018")
    assert registries.told(API, other | {"meta": None}).startswith("erreur : unusable answer")


@pytest.mark.parametrize(
    ("body", "standing"),
    [
        (extract_body(observations=[]), Standing.REGISTERED),
        (extract_body(observations=None), Standing.UNKNOWN),
        (without(extract_body(), "data", "observations"), Standing.UNKNOWN),
        (without(extract_body(date_radiation="2025-11-03"), "data", "observations"), Standing.STRUCK_OFF),
        (extract_body(observations=[{"numero": None, "libelle": None, "date": None}]), Standing.REGISTERED),
        (extract_body(observations=[{"libelle": "Liquidation judiciaire", "date": 20}]), Standing.INSOLVENCY),
        (extract_body(personne_physique=None, personne_morale=None, capital=None), Standing.REGISTERED),
    ],
)
def test_an_extract_says_no_more_than_it_holds(registries: Registries, body: Body, standing: Standing) -> None:
    registries.extract.respond(200, json=body)
    assert found(registries.ask(API, reference_body())).standing == standing


def test_a_person_whom_the_trade_register_does_not_hold_is_not_registered(registries: Registries) -> None:
    registries.extract.respond(404, json=error("02003"))
    assert registries.told(API, person_body()) == "ouvert, non immatriculé"


@pytest.mark.parametrize(
    "number", ["1" * 5000, "1e999", "-1e999", "NaN", "Infinity"], ids=["endless", "huge", "tiny", "nan", "infinite"]
)
def test_no_number_is_fatal(registries: Registries, number: str) -> None:
    for source, body in (
        (API, reference_body(date_fermeture="#")),
        (INSEE, sirene(dateDernierTraitementEtablissement="#")),
        (OPEN, search_body(date_fermeture="#")),
    ):
        said = registries.told(source, json.dumps(body).replace('"#"', number).encode())
        assert said.startswith(("ouvert", "erreur : unusable answer"))
