"""Each defect that the lint must catch in a refusal, an abrogation or a withdrawal, made on purpose."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from permits.document.lint import lint
from permits.document.mentions import ALGORITHM, ALWAYS
from permits.document.print import print_act
from permits.domain.decision import Citation
from permits.domain.permit import CitedAct, KeptFor
from permits.domain.ruling import Ruling, RulingKind
from tests.document.pages import blank_templates, defects_of, templates_with
from tests.document.sample import AUTHORITY, BENEFICIARY, KEPT, SIGNATORY, sample_permit
from tests.document.sample_acts import BREACH, CODES, FEE_TERMS, FIRST, before_its_first_day, motive, sample_ruling

REFUSAL, ABROGATION, WITHDRAWAL = RulingKind.REFUSAL, RulingKind.ABROGATION, RulingKind.WITHDRAWAL
APPEAL = sample_permit().appeal
(FETCHED,) = sample_permit().fetched_data
NEXT_DAY = datetime(2027, 2, 9, tzinfo=UTC)


@cache
def printed(kind: RulingKind) -> bytes:
    return print_act(sample_ruling(kind))


@pytest.mark.parametrize(
    "ruling", [*map(sample_ruling, RulingKind), before_its_first_day()], ids=[*RulingKind, "before its first day"]
)
def test_a_whole_ruling_passes(ruling: Ruling) -> None:
    lint(print_act(ruling), ruling)


ANY_KIND = [
    ({"number": "EX-A-2027-000009"}, "numéro de l’acte"),
    ({"beneficiary": BENEFICIARY.model_copy(update={"siret": "73282932000075"})}, "bénéficiaire"),
    ({"beneficiary": BENEFICIARY.model_copy(update={"name": "AUTRE"})}, "bénéficiaire"),
    ({"beneficiary": BENEFICIARY.model_copy(update={"address": ("AILLEURS",)})}, "adresse du bénéficiaire"),
    ({"worksite": "Autre chantier"}, "chantier"),
    ({"places": ("16 rue du Four, 29999 Exemple-Ville",)}, "emplacement"),
    ({"starts_on": date(2027, 3, 3)}, "période"),
    ({"ends_on": date(2027, 3, 30)}, "période"),
    ({"decided_at": datetime(2027, 3, 18, 9, tzinfo=UTC)}, "auteur de l’acte"),
    ({"visas": (*(Citation(text=text) for text in CODES), Citation(text="le code civil"))}, "visa"),
    ({"motives": (motive("La rue est étroite.", BREACH.citation.text),)}, "motif"),
    ({"motives": (motive(BREACH.fact, "code civil, article 1"),)}, "motif"),
    ({"hearing": "Le bénéficiaire a été reçu le 1er mars 2027."}, "procédure contradictoire"),
    ({"appeal": APPEAL.model_copy(update={"court": "tribunal de Rennes"})}, "juridiction"),
    ({"appeal": APPEAL.model_copy(update={"authority": "le préfet"})}, "recours gracieux"),
    ({"appeal": APPEAL.model_copy(update={"authority": "le préfet"})}, "recours examiné par un agent"),
    ({"authority": AUTHORITY.model_copy(update={"data_protection_contact": "x@y.eu"})}, "contact pour les données"),
    ({"authority": AUTHORITY.model_copy(update={"name": "Commune d’Ailleurs"})}, "autorité"),
    ({"signatory": SIGNATORY.model_copy(update={"first_name": "Maël"})}, "auteur de l’acte"),
    ({"signatory": SIGNATORY.model_copy(update={"name": "Réelle"})}, "auteur de l’acte"),
    ({"signatory": SIGNATORY.model_copy(update={"quality": "maire"})}, "auteur de l’acte"),
    ({"signatory": SIGNATORY.model_copy(update={"quality": "maire"})}, "auteur en tête de l’acte"),
    ({"signatory": SIGNATORY.model_copy(update={"delegation": "arrêté n° 2"})}, "délégation"),
    ({"verification_url": "https://ailleurs.example/v/1"}, "adresse de vérification"),
    ({"fetched_data": (FETCHED.model_copy(update={"source": "Infogreffe"}),)}, "donnée obtenue"),
    ({"fetched_data": (FETCHED.model_copy(update={"fetched_at": NEXT_DAY}),)}, "donnée obtenue"),
    *(({"kept": KEPT.model_copy(update={period: 60})}, "durée de conservation") for period in KeptFor.model_fields),
]  # fmt: skip


@pytest.mark.parametrize("kind", RulingKind)
@pytest.mark.parametrize(("changes", "defect"), ANY_KIND, ids=lambda value: value if isinstance(value, str) else "")
def test_a_ruling_that_says_something_else_is_caught(kind: RulingKind, changes: dict[str, Any], defect: str) -> None:
    defects = defects_of(printed(kind), sample_ruling(kind, **changes))
    assert any(each.startswith(f"{defect} :") for each in defects)


OTHER_NUMBER = CitedAct(number="EX-2027-000011", decided_on=FIRST.decided_on)
OTHER_DAY = CitedAct(number=FIRST.number, decided_on=date(2027, 2, 18))


@pytest.mark.parametrize(
    ("kind", "changes", "defects"),
    [
        (ABROGATION, {"cites": OTHER_NUMBER}, {"visa de l’acte cité", "date d’effet"}),
        (ABROGATION, {"cites": OTHER_DAY}, {"visa de l’acte cité", "date d’effet"}),
        (WITHDRAWAL, {"cites": OTHER_NUMBER}, {"visa de l’acte cité", "acte retiré"}),
        (WITHDRAWAL, {"cites": OTHER_DAY}, {"visa de l’acte cité", "acte retiré"}),
        (ABROGATION, {"effective_on": date(2027, 3, 6)}, {"date d’effet", "jours autorisés"}),
        (ABROGATION, {"effective_on": date(2027, 3, 1)}, {"date d’effet", "jours autorisés"}),
        (ABROGATION, {"starts_on": date(2027, 3, 16)}, {"jours autorisés", "période"}),
        (REFUSAL, {"application_id": "D-0000-0000"}, {"visa de la demande", "demande refusée"}),
        (REFUSAL, {"received_at": datetime(2027, 2, 18, 9, tzinfo=UTC)}, {"demande refusée"}),
        (REFUSAL, {"algorithm_contact": "ailleurs"}, {"accès aux règles"}),
        (ABROGATION, {"fee_terms": FEE_TERMS.model_copy(update={"text": "Elle reste due."})}, {"redevance"}),
        (WITHDRAWAL, {"fee_terms": FEE_TERMS.model_copy(update={"citation": BREACH.citation})}, {"redevance"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_ends_and_when_is_read_back(kind: RulingKind, changes: dict[str, Any], defects: set[str]) -> None:
    found = defects_of(printed(kind), sample_ruling(kind, **changes))
    assert {each.split(" :")[0] for each in found if "contenu enregistré" not in each} == defects


def test_an_act_that_is_ended_but_not_in_the_visas_is_caught() -> None:
    """The page is faithful: it is the payload that lacks a visa."""
    for kind, visa in ((ABROGATION, "visa de l’acte cité"), (REFUSAL, "visa de la demande")):
        ruling = sample_ruling(kind, visas=tuple(Citation(text=text) for text in CODES))
        (defect,) = defects_of(print_act(ruling), ruling)
        assert defect.startswith(f"{visa} :")


def test_a_permit_that_never_started_says_when_it_would_have() -> None:
    ruling = before_its_first_day()
    found = defects_of(print_act(ruling), ruling.model_copy(update={"starts_on": date(2027, 3, 2)}))
    assert "jours autorisés" in {each.split(" :")[0] for each in found}


def test_one_kind_is_not_taken_for_another() -> None:
    """Same number, same permit, same day: only what it does differs."""
    withdrawal = sample_ruling(WITHDRAWAL, number=sample_ruling(ABROGATION).number)
    found = {each.split(" :")[0] for each in defects_of(printed(ABROGATION), withdrawal)}
    assert {"titre de l’acte", "acte retiré"} <= found
    refusal = sample_ruling(REFUSAL, number=sample_ruling(ABROGATION).number)
    found = {each.split(" :")[0] for each in defects_of(printed(ABROGATION), refusal)}
    assert {"titre de l’acte", "demande refusée", "qualité du bénéficiaire"} <= found


def test_a_gap_in_the_payload_is_a_defect_whatever_the_page_says() -> None:
    assert "aucun motif n’est donné" in defects_of(printed(REFUSAL), sample_ruling(REFUSAL, motives=()))


@pytest.fixture(scope="module")
def blank_page(tmp_path_factory: pytest.TempPathFactory) -> Callable[[RulingKind], list[str]]:
    """Return what the lint finds wrong in a page that says nothing."""
    templates = blank_templates(tmp_path_factory.mktemp("blank"), "decision.html")

    @cache
    def defects(kind: RulingKind) -> list[str]:
        return defects_of(print_act(sample_ruling(kind), templates), sample_ruling(kind))

    return defects


EACH = [*ALWAYS, "titre de l’acte", "acte d’essai", "autorité fictive", "donnée obtenue", "durée de conservation"]
MISSING = [
    *((ABROGATION, mention) for mention in [*EACH, "remise en état", "redevance"]),
    *((WITHDRAWAL, mention) for mention in [*EACH, "remise en état", "redevance"]),
    *((REFUSAL, mention) for mention in [*EACH, *ALGORITHM, "accès aux règles"]),
]


@pytest.mark.parametrize(("kind", "mention"), MISSING)
def test_a_missing_mention_is_caught(
    kind: RulingKind, mention: str, blank_page: Callable[[RulingKind], list[str]]
) -> None:
    assert any(each.startswith(f"{mention} : ") for each in blank_page(kind))


def test_a_specimen_that_does_not_say_so_on_each_page_is_caught(
    blank_page: Callable[[RulingKind], list[str]],
) -> None:
    assert "le mot SPÉCIMEN manque sur une page" in blank_page(ABROGATION)


def test_one_wrong_word_of_the_page_is_the_only_defect(tmp_path: Path) -> None:
    """The control of the tests above: the lint reads the page, and names what is wrong there."""
    templates = templates_with(
        tmp_path, "ruling.effective_on|eve }} est", "ruling.effective_on|day }} est", "decision.html"
    )
    ruling = sample_ruling(ABROGATION)
    assert defects_of(print_act(ruling, templates), ruling) == [
        "jours autorisés : « le 15\u00a0mars\u00a02027 est le dernier jour où il autorise l’occupation. » manque"
    ]


def add_open_action(document: pikepdf.Pdf) -> None:
    document.Root.OpenAction = pikepdf.Array([document.pages[0].obj, pikepdf.Name.Fit])


def add_attachment(document: pikepdf.Pdf) -> None:
    document.attachments["permis.json"] = b"{}"


def remove_attachment(document: pikepdf.Pdf) -> None:
    del document.attachments["acte.json"]


def change_attachment(document: pikepdf.Pdf) -> None:
    for each in document.objects:
        if isinstance(each, pikepdf.Stream) and each.get("/Type") == "/EmbeddedFile":
            each.write(each.read_bytes().replace(b"2027-03-16", b"2027-03-17"))


def nothing(_document: pikepdf.Pdf) -> None:
    """The control: rewriting alone is no defect."""


def rewritten(tamper: Callable[[pikepdf.Pdf], None]) -> bytes:
    output = BytesIO()
    with pikepdf.open(BytesIO(printed(ABROGATION))) as document:
        tamper(document)
        document.save(output)
    return output.getvalue()


@pytest.mark.parametrize(
    ("tamper", "defect"),
    [
        (add_open_action, "action à l’ouverture (/OpenAction)"),
        (add_attachment, "pièces jointes : ['acte.json', 'permis.json'] au lieu de acte.json seul"),
        (remove_attachment, "pièces jointes : [] au lieu de acte.json seul"),
        (change_attachment, "acte.json n’est pas le contenu enregistré de l’acte"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_part_that_has_no_place_is_caught(tamper: Callable[[pikepdf.Pdf], None], defect: str) -> None:
    assert defect in defects_of(rewritten(tamper), sample_ruling(ABROGATION))


def test_rewriting_alone_is_no_defect() -> None:
    lint(rewritten(nothing), sample_ruling(ABROGATION))
