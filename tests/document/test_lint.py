"""Each defect the lint must catch, made on purpose: a lint that passes everything fails here."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest

from permits.document.lint import lint
from permits.document.mentions import ALGORITHM, ALWAYS
from permits.document.permit_mentions import MANDATORY_WORDS
from permits.document.print import print_act
from permits.domain.application import Insurance
from permits.domain.decision import Citation
from permits.domain.permit import DailyWindow, KeptFor, Permit
from tests.document.pages import blank_templates, defects_of, templates_with
from tests.document.sample import (
    AUTHORITY,
    BENEFICIARY,
    FEE,
    KEPT,
    SIGNATORY,
    fee_line,
    occupancy,
    prescription,
    sample_permit,
)


def test_a_whole_document_passes(pdf: bytes, permit: Permit) -> None:
    lint(pdf, permit)


def test_the_longest_document_passes() -> None:
    permit = sample_permit(
        occupancies=tuple(occupancy(address=f"{n} rue {'très longue ' * 15}") for n in range(1, 11)),
        prescriptions=tuple(prescription(n, f"Prescription {n}. " + "Rien ne dépasse. " * 20) for n in range(1, 26)),
        beneficiary=BENEFICIARY.model_copy(update={"name": "COMPAGNONS " * 18}),
    )
    lint(print_act(permit), permit)


FEE_CHANGED = FEE.model_copy(update={"total": Decimal("44.24")})
(FETCHED,) = sample_permit().fetched_data
LINE_CHANGED = FEE.model_copy(
    update={"lines": (FEE.lines[0], fee_line("Frais de dossier", "1 dossier × 6,00 €", "1", "dossier", "6", "8.24"))}
)


@pytest.mark.parametrize(
    ("changes", "defect"),
    [
        ({"number": "EX-2027-000002"}, "numéro de l’acte"),
        ({"beneficiary": BENEFICIARY.model_copy(update={"siret": "73282932000075"})}, "bénéficiaire"),
        ({"beneficiary": BENEFICIARY.model_copy(update={"name": "AUTRE"})}, "bénéficiaire"),
        ({"beneficiary": BENEFICIARY.model_copy(update={"address": ("AILLEURS",)})}, "adresse du bénéficiaire"),
        ({"application_id": "D-0000-0000"}, "demande"),
        ({"answers": "D-0000-0000"}, "demande"),
        ({"fetched_data": (FETCHED.model_copy(update={"data": "chiffre d’affaires"}),)}, "donnée obtenue"),
        *(({"kept": KEPT.model_copy(update={period: 60})}, "durée de conservation") for period in KeptFor.model_fields),
        ({"worksite": "Autre chantier"}, "chantier"),
        ({"starts_on": date(2027, 3, 2)}, "période"),
        ({"ends_on": date(2027, 3, 2)}, "fin de l’autorisation"),
        ({"decided_at": datetime(2027, 2, 18, 9, tzinfo=UTC)}, "auteur de l’acte"),
        ({"daily_hours": DailyWindow(starts=time(8), ends=time(19))}, "horaires"),
        ({"occupancies": (occupancy(label="benne"),)}, "objet"),
        ({"occupancies": (occupancy(address="16 rue du Four"),)}, "emplacement"),
        ({"occupancies": (occupancy(area_m2=Decimal("6.60")),)}, "surface"),
        ({"occupancies": (occupancy(pieces=2),)}, "objet"),
        ({"occupancies": (occupancy(vehicle_tonnes=Decimal("12")),)}, "objet"),
        ({"occupancies": (occupancy(length_m=Decimal("9.00")),)}, "dimensions"),
        ({"occupancies": (occupancy(width_m=Decimal("1.00")),)}, "dimensions"),
        ({"occupancies": (occupancy(height_m=None),)}, "surface"),
        ({"occupancies": (occupancy(footway_clear_width_m=Decimal("1.40")),)}, "passage piéton"),
        ({"daily_hours": None}, "horaires"),
        ({"daily_hours": None}, "dates, en tête"),
        ({"ends_on": date(2027, 3, 13)}, "durée"),
        ({"payer_siret": "55208131766522"}, "redevable"),
        ({"insurance": Insurance(insurer="Autre", policy="RC-1")}, "contrat d’assurance"),
        ({"urbanism_file": "DP 1"}, "dossier d’urbanisme"),
        (
            {"fetched_data": (FETCHED.model_copy(update={"source_updated_at": datetime(2027, 1, 7, tzinfo=UTC)}),)},
            "donnée obtenue",
        ),
        ({"visas": (Citation(text="le code civil"),)}, "visa"),
        ({"considerations": ("la rue est large",)}, "considérant"),
        ({"prescriptions": (prescription(1, "Rien n’est éclairé."),)}, "prescription"),
        ({"fee": FEE_CHANGED}, "total de la redevance"),
        ({"fee": LINE_CHANGED}, "ligne de redevance"),
        ({"fee": FEE.model_copy(update={"lines": ()})}, "redevance"),
        ({"fee": FEE.model_copy(update={"tariff": "Tarif 2025"})}, "version du tarif"),
        ({"payment_terms": "À terme échu."}, "modalités de paiement"),
        ({"algorithm_contact": "ailleurs"}, "accès aux règles"),
        ({"signatory": SIGNATORY.model_copy(update={"first_name": "Maël"})}, "auteur de l’acte"),
        ({"signatory": SIGNATORY.model_copy(update={"name": "Réelle"})}, "auteur de l’acte"),
        ({"signatory": SIGNATORY.model_copy(update={"quality": "maire"})}, "auteur de l’acte"),
        ({"signatory": SIGNATORY.model_copy(update={"quality": "maire"})}, "auteur en tête de l’acte"),
        ({"signatory": SIGNATORY.model_copy(update={"service": "Service Finances"})}, "auteur de l’acte"),
        ({"signatory": SIGNATORY.model_copy(update={"delegation": "arrêté n° 2"})}, "délégation"),
        ({"appeal": sample_permit().appeal.model_copy(update={"court": "tribunal de Rennes"})}, "juridiction"),
        ({"appeal": sample_permit().appeal.model_copy(update={"authority": "le préfet"})}, "recours gracieux"),
        (
            {"authority": AUTHORITY.model_copy(update={"data_protection_contact": "x@y.example"})},
            "contact pour les données",
        ),
        ({"authority": AUTHORITY.model_copy(update={"name": "Commune d’Ailleurs"})}, "autorité"),
        ({"verification_url": "https://ailleurs.example/v/1"}, "adresse de vérification"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_document_that_says_something_else_is_caught(changes: dict[str, object], defect: str, pdf: bytes) -> None:
    assert any(each.startswith(f"{defect} :") for each in defects_of(pdf, sample_permit(**changes)))


def test_an_amount_is_not_found_inside_a_larger_one(pdf: bytes) -> None:
    """The document shows 144,24 €; a payload of 44,24 € must not be satisfied by its last digits."""
    assert "total de la redevance : « Total 44,24\u00a0€ » manque" in defects_of(pdf, sample_permit(fee=FEE_CHANGED))


@pytest.fixture(scope="module")
def defects_of_a_blank_page(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    templates = blank_templates(tmp_path_factory.mktemp("blank"), "arrete.html")
    return defects_of(print_act(sample_permit(), templates), sample_permit())


WORDS = ALWAYS | ALGORITHM | MANDATORY_WORDS


@pytest.mark.parametrize("mention", WORDS)
def test_a_missing_mention_is_caught(mention: str, defects_of_a_blank_page: list[str]) -> None:
    assert f"{mention} : « {WORDS[mention]} » manque" in defects_of_a_blank_page


@pytest.mark.parametrize("mention", ["acte d’essai", "donnée obtenue", "durée de conservation", "accès aux règles"])
def test_a_missing_mention_of_its_own_words_is_caught(mention: str, defects_of_a_blank_page: list[str]) -> None:
    assert any(each.startswith(f"{mention} : ") for each in defects_of_a_blank_page)


def test_a_specimen_that_does_not_say_so_on_each_page_is_caught(defects_of_a_blank_page: list[str]) -> None:
    assert "le mot SPÉCIMEN manque sur une page" in defects_of_a_blank_page


def add_open_action(document: pikepdf.Pdf) -> None:
    document.Root.OpenAction = pikepdf.Array([document.pages[0].obj, pikepdf.Name.Fit])


def add_javascript(document: pikepdf.Pdf) -> None:
    action = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")
    document.Root.Names.JavaScript = pikepdf.Dictionary(Names=pikepdf.Array(["x", action]))


def add_page_action(document: pikepdf.Pdf) -> None:
    document.pages[0].obj.AA = pikepdf.Dictionary(O=pikepdf.Dictionary(S=pikepdf.Name.Named, N=pikepdf.Name.Print))


def add_form(document: pikepdf.Pdf) -> None:
    document.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array())


def add_layers(document: pikepdf.Pdf) -> None:
    document.Root.OCProperties = pikepdf.Dictionary(OCGs=pikepdf.Array(), D=pikepdf.Dictionary())


def _link(document: pikepdf.Pdf) -> pikepdf.Object:
    return next(note for page in document.pages for note in page.obj.get("/Annots", []))


def change_link(document: pikepdf.Pdf) -> None:
    _link(document).A.URI = "https://evil.example/"


def make_link_launch(document: pikepdf.Pdf) -> None:
    _link(document).A = pikepdf.Dictionary(S=pikepdf.Name.Launch, F="calc.exe")


def make_link_go_to_a_file(document: pikepdf.Pdf) -> None:
    _link(document).A = pikepdf.Dictionary(S=pikepdf.Name.GoToR, F="other.pdf")


def add_note(document: pikepdf.Pdf) -> None:
    note = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.FreeText, Rect=[0, 0, 9, 9], Contents="x")
    document.pages[0].obj.Annots = document.make_indirect(pikepdf.Array([note]))


def add_attachment(document: pikepdf.Pdf) -> None:
    document.attachments["second.json"] = b"{}"


def remove_attachment(document: pikepdf.Pdf) -> None:
    del document.attachments["permis.json"]


def change_attachment(document: pikepdf.Pdf) -> None:
    for each in document.objects:
        if isinstance(each, pikepdf.Stream) and each.get("/Type") == "/EmbeddedFile":
            each.write(each.read_bytes().replace(b"144.24", b"144.25"))


def remove_font_file(document: pikepdf.Pdf) -> None:
    descriptor = next(each for each in document.objects
                      if isinstance(each, pikepdf.Dictionary) and each.get("/Type") == "/FontDescriptor")  # fmt: skip
    for key in ("/FontFile2", "/FontFile3"):
        if key in descriptor:
            del descriptor[key]


def take_a_stream_from_a_file(document: pikepdf.Pdf) -> None:
    stream = document.make_stream(b"")
    stream.F = "other.bin"
    document.Root.Extra = stream


@pytest.mark.parametrize(
    ("tamper", "defect"),
    [
        (add_open_action, "action à l’ouverture (/OpenAction)"),
        (add_javascript, "JavaScript (/JS)"),
        (add_page_action, "action automatique (/AA)"),
        (add_form, "formulaire (/AcroForm)"),
        (add_layers, "calques masquables (/OCProperties)"),
        (change_link, "lien vers https://evil.example/"),
        (make_link_launch, "action /Launch"),
        (make_link_go_to_a_file, "action /GoToR"),
        (add_note, "annotation /FreeText"),
        (add_attachment, "pièces jointes : ['permis.json', 'second.json'] au lieu de permis.json seul"),
        (remove_attachment, "pièces jointes : [] au lieu de permis.json seul"),
        (change_attachment, "permis.json n’est pas le contenu enregistré de l’acte"),
        (remove_font_file, "police non incorporée"),
        (take_a_stream_from_a_file, "données prises dans un autre fichier"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_part_that_has_no_place_is_caught(
    tamper: Callable[[pikepdf.Pdf], None], defect: str, pdf: bytes, permit: Permit
) -> None:
    output = BytesIO()
    with pikepdf.open(BytesIO(pdf)) as document:
        tamper(document)
        document.save(output)
    assert any(each.startswith(defect) for each in defects_of(output.getvalue(), permit))


def test_an_encrypted_file_is_caught(pdf: bytes, permit: Permit) -> None:
    output = BytesIO()
    with pikepdf.open(BytesIO(pdf)) as document:
        document.save(output, encryption=pikepdf.Encryption(owner="secret", user=""))
    assert "le fichier est chiffré" in defects_of(output.getvalue(), permit)


def test_a_sealed_file_is_not_taken_for_a_fresh_one(sealed: bytes, permit: Permit) -> None:
    assert "formulaire (/AcroForm)" in defects_of(sealed, permit)


@pytest.mark.parametrize("keep", [0, 5, 4000, -2000])
def test_a_cut_file_is_caught(keep: int, pdf: bytes, permit: Permit) -> None:
    assert defects_of(pdf[:keep], permit)


def test_rewriting_alone_is_no_defect(pdf: bytes, permit: Permit) -> None:
    """The control of the tests above: what they change is what is caught."""
    output = BytesIO()
    with pikepdf.open(BytesIO(pdf)) as document:
        document.save(output)
    lint(output.getvalue(), permit)


def test_the_lint_reads_the_page_not_the_payload(tmp_path: Path) -> None:
    """A page that keeps every figure in its attachment and none in sight is caught."""
    templates = templates_with(tmp_path, "permit.fee.total|money(permit.fee.currency)", "permit.fee.total")
    defects = defects_of(print_act(sample_permit(), templates), sample_permit())
    assert defects == [
        "montant, en tête : « Redevance 144,24\u00a0€ » manque",
        "total de la redevance : « Total 144,24\u00a0€ » manque",
    ]
