"""What the open source says, and what is made of it."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
import respx

from permits.domain.establishment import Establishment, NotFound, Source, Standing
from permits.sirene.errors import SourceMisconfigured, SourceUnavailable
from tests.sirene.answers import bent, recorded, search
from tests.sirene.asking import Alone

SIRET = "48744469700428"
MASK = "[NON-DIFFUSIBLE]"
ROW = "results__0__matching_etablissements__0__"


class OpenSource:
    """The open source as one test wants it."""

    def __init__(self, network: respx.MockRouter, source: Alone) -> None:
        self.route = network.get("https://recherche.test/search")
        self._source = source

    def answers(self, **changes: object) -> Establishment:
        """Look the SIRET up in the answer bent so."""
        self.route.respond(200, json=bent(search(), **changes))
        found = self._source.lookup(SIRET)
        assert isinstance(found, Establishment)
        return found


@pytest.fixture
def source(network: respx.MockRouter, recherche: Alone) -> OpenSource:
    return OpenSource(network, recherche)


def test_an_open_establishment_of_a_registered_company(source: OpenSource) -> None:
    found = source.answers()
    assert found.name == "ESSOR ENERGIES"
    assert found.address == ("22 RUE MAISON BLANCHE", "24330 BOULAZAC ISLE MANOIRE")
    assert (found.commune_code, found.activity_code, found.legal_form) == ("24053", "4321A", "5499")
    assert (found.is_open, found.unit_is_active) == (True, True)
    assert (found.standing, found.partially_diffusible) == (Standing.REGISTERED, False)
    assert found.evidence[0].source == Source.RECHERCHE_ENTREPRISES
    assert found.evidence[0].source_updated_at == datetime(2026, 5, 17, 10, 9, 16, tzinfo=UTC)


def test_the_question_is_the_siret_and_the_two_hidden_registers(source: OpenSource) -> None:
    source.answers()
    asked = source.route.calls.last.request.url.params
    assert dict(asked) == {"q": SIRET, "include_admin": "bodacc,immatriculation"}


def test_the_row_of_the_siret_is_read_never_the_head_office(source: OpenSource) -> None:
    found = source.answers(**{f"{ROW}etat_administratif": "F", f"{ROW}date_fermeture": "2024-06-30"})
    assert (found.is_open, found.closed_on) == (False, date(2024, 6, 30))


def test_a_head_office_alone_is_not_the_establishment_asked(source: OpenSource, recherche: Alone) -> None:
    body = recorded("recherche-entreprises/search-356000000.http-200.json")
    assert body["results"][0]["siege"]["siret"] == "35600000000048"
    source.route.respond(200, json=body)
    answer = recherche.lookup("35600000000048")
    assert isinstance(answer, NotFound)
    assert not answer.definite


def test_a_row_of_another_siret_is_not_the_one_asked(source: OpenSource, recherche: Alone) -> None:
    source.route.respond(200, json=search())
    assert isinstance(recherche.lookup("48744469700436"), NotFound)


def test_an_empty_answer_is_no_proof(source: OpenSource, recherche: Alone) -> None:
    source.route.respond(200, json=recorded("recherche-entreprises/search-12345678900003.http-200.json"))
    answer = recherche.lookup("12345678900003")
    assert isinstance(answer, NotFound)
    assert not answer.definite
    assert answer.evidence[0].source == Source.RECHERCHE_ENTREPRISES


def test_a_recorded_closed_and_struck_off_company(source: OpenSource, recherche: Alone) -> None:
    source.route.respond(200, json=recorded("recherche-entreprises/search-88087814500015.http-200.json"))
    found = recherche.lookup("88087814500015")
    assert isinstance(found, Establishment)
    assert (found.is_open, found.closed_on) == (False, date(2022, 10, 22))
    assert (found.unit_is_active, found.unit_ceased_on) == (False, date(2022, 10, 22))
    assert (found.standing, found.standing_since) == (Standing.STRUCK_OFF, date(2022, 11, 14))


@pytest.mark.parametrize(
    ("sample", "name", "address"),
    [
        ("search-130025265", "DIRECTION INTERMINISTERIELLE DU NUMERIQUE", ("20 AVENUE DE SEGUR", "75007 PARIS")),
        ("search-300025764", None, ()),
        ("search-351556394", "FINASSUR", ("RUELLE ALBERT CAMUS 1 IMPASSE DES CAMISARDS", "97420 LE PORT")),
        (
            "search-356000000",
            "LA POSTE",
            ("DIRECTION GENERALE DE LA POSTE 9 RUE DU COLONEL PIERRE AVIA", "75015 PARIS"),
        ),
        ("search-48744469700428", "ESSOR ENERGIES", ("22 RUE MAISON BLANCHE", "24330 BOULAZAC ISLE MANOIRE")),
        ("search-88087814500015", "GANYMEDE", ("128 RUE LA BOETIE", "75008 PARIS 8")),
    ],
)
def test_every_recorded_company_is_read(
    source: OpenSource, recherche: Alone, sample: str, name: str | None, address: tuple[str, ...]
) -> None:
    body = recorded(f"recherche-entreprises/{sample}.http-200.json")
    unit = body["results"][0]
    # Asked by SIREN, the source leaves the rows out; asked by that SIRET, it gives this very row.
    unit["matching_etablissements"] = unit["matching_etablissements"] or [unit["siege"]]
    source.route.respond(200, json=body)
    found = recherche.lookup(unit["siege"]["siret"])
    assert isinstance(found, Establishment)
    assert (found.name, found.address) == (name, address)
    assert found.partially_diffusible == (name is None)


def test_a_masked_person_has_neither_name_nor_address(source: OpenSource) -> None:
    found = source.answers(
        results__0__nom_complet=MASK,
        results__0__nom_raison_sociale=MASK,
        results__0__statut_diffusion="P",
        **{f"{ROW}adresse": MASK, f"{ROW}code_postal": MASK, f"{ROW}statut_diffusion_etablissement": "P"},
    )
    assert (found.name, found.address, found.partially_diffusible) == (None, (), True)
    assert found.commune_code == "24053"


@pytest.mark.parametrize("path", ["results__0__statut_diffusion", f"{ROW}statut_diffusion_etablissement"])
@pytest.mark.parametrize("status", ["P", "N", None])
def test_partial_diffusion_anywhere_protects_the_whole(source: OpenSource, path: str, status: str | None) -> None:
    assert source.answers(**{path: status}).partially_diffusible


@pytest.mark.parametrize(
    ("address", "postcode", "lines"),
    [
        ("128 RUE LA BOETIE 75008 PARIS 8", "75008", ("128 RUE LA BOETIE", "75008 PARIS 8")),
        ("LE BOURG 24330 BOULAZAC", "99999", ("LE BOURG 24330 BOULAZAC",)),
        ("24330 BOULAZAC", "24330", ("24330 BOULAZAC",)),
        ("10 RUE DU 24330 24330 BOULAZAC", "24330", ("10 RUE DU 24330", "24330 BOULAZAC")),
        ("128 RUE LA BOETIE 75008 PARIS 8", None, ("128 RUE LA BOETIE 75008 PARIS 8",)),
        (None, "24330", ()),
    ],
)
def test_the_address_is_cut_before_its_postcode(
    source: OpenSource, address: str | None, postcode: str | None, lines: tuple[str, ...]
) -> None:
    assert source.answers(**{f"{ROW}adresse": address, f"{ROW}code_postal": postcode}).address == lines


@pytest.mark.parametrize(
    ("changes", "standing", "since"),
    [
        ({"immatriculation__date_radiation": "2025-11-03"}, Standing.STRUCK_OFF, date(2025, 11, 3)),
        ({"bodacc__radiation": {"est_radie": True, "date": "2025-11-04"}}, Standing.STRUCK_OFF, date(2025, 11, 4)),
        ({"bodacc__radiation": {"est_radie": False, "date": None}}, Standing.REGISTERED, None),
        (
            {"bodacc__procedure_collective": {"statut": "sauvegarde", "date": "2026-02-17"}},
            Standing.INSOLVENCY,
            date(2026, 2, 17),
        ),
        ({"bodacc__procedure_collective": {"statut": None, "date": "2020-01-01"}}, Standing.REGISTERED, None),
        ({"bodacc": None}, Standing.REGISTERED, None),
        ({"immatriculation": None}, Standing.NOT_REGISTERED, None),
        ({"immatriculation": None, "bodacc": None}, Standing.NOT_REGISTERED, None),
        # The shape of an earlier version, and no shape at all: not heard.
        ({"bodacc": {"est_radie_rcs": False, "procedure_collective_nature": None}}, Standing.UNKNOWN, None),
        ({"immatriculation": "oui"}, Standing.UNKNOWN, None),
        ({"immatriculation__date_radiation": "2025-11-03", "bodacc": "?"}, Standing.STRUCK_OFF, date(2025, 11, 3)),
    ],
)
def test_the_standing_is_well_only_if_both_registers_were_heard(
    source: OpenSource, changes: dict[str, object], standing: Standing, since: date | None
) -> None:
    found = source.answers(**{f"results__0__{path}": value for path, value in changes.items()})
    assert (found.standing, found.standing_since) == (standing, since)


@pytest.mark.parametrize("absent", [["bodacc"], ["immatriculation"], ["bodacc", "immatriculation"]])
def test_a_register_that_is_absent_from_the_answer_leaves_the_standing_unknown(
    source: OpenSource, recherche: Alone, absent: list[str]
) -> None:
    body = search()
    for key in absent:
        del body["results"][0][key]
    source.route.respond(200, json=body)
    found = recherche.lookup(SIRET)
    assert isinstance(found, Establishment)
    assert found.standing == Standing.UNKNOWN


def test_the_hidden_parameter_may_be_refused_one_day(source: OpenSource, recherche: Alone) -> None:
    plain: dict[str, Any] = search()
    del plain["results"][0]["bodacc"], plain["results"][0]["immatriculation"]
    refusal = respx.MockResponse(400, json={"erreur": "Veuillez indiquer des champs valides"})
    source.route.side_effect = [refusal, respx.MockResponse(200, json=plain)]
    found = recherche.lookup(SIRET)
    assert isinstance(found, Establishment)
    assert (found.name, found.standing) == ("ESSOR ENERGIES", Standing.UNKNOWN)
    assert dict(source.route.calls.last.request.url.params) == {"q": SIRET}


def test_a_question_refused_twice_is_our_mistake(source: OpenSource, recherche: Alone) -> None:
    source.route.respond(400, json={"erreur": "…"})
    with pytest.raises(SourceMisconfigured):
        recherche.lookup(SIRET)


@pytest.mark.parametrize("body", [{}, {"results": None}, {"results": [{}]}, {"erreur": "…"}])
def test_another_shape_is_unusable_not_empty(source: OpenSource, recherche: Alone, body: dict[str, Any]) -> None:
    source.route.respond(200, json=body)
    with pytest.raises(SourceUnavailable):
        recherche.lookup(SIRET)


@pytest.mark.parametrize("status", [404, 429, 500, 502, 503])
def test_an_outage_is_never_an_empty_answer(source: OpenSource, recherche: Alone, status: int) -> None:
    source.route.respond(status, html="<h1>…</h1>")
    with pytest.raises((SourceUnavailable, SourceMisconfigured)):
        recherche.lookup(SIRET)
