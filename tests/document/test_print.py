import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pikepdf
import pypdfium2  # type: ignore[import-untyped]
import pytest

from permits.document.errors import PrintError
from permits.document.payload import payload_bytes
from permits.document.print import print_act
from permits.domain.permit import Permit
from tests.document.pages import codes_on, templates_with, text_of
from tests.document.sample import BENEFICIARY, FEE, SIGNATORY, VERIFICATION_URL, fee_line, sample_permit


@pytest.fixture(scope="module")
def file(pdf: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("print") / "permit.pdf"
    path.write_bytes(pdf)
    return path


@pytest.mark.parametrize(
    "said",
    [
        "Commune d’Exemple-Ville",
        "ARRÊTÉ n° EX-2027-000001 portant permis de stationnement",
        "Autorité fictive. Ses règles et ses prix sont inventés",
        "Spécimen. Acte d’essai, sans effet, quel que soit le cachet électronique qu’il porte.",
        "Maëlle Fictive, adjointe au maire déléguée à l’espace public,",
        "Vu le code de la voirie routière, notamment ses articles L. 113-2 et L. 115-1 ;",
        "Vu la demande n° D-7Q4M-2K9X reçue par téléservice le 8 février 2027 ;",
        "Considérant qu’elle laisse aux piétons un cheminement libre et ne gêne pas la circulation ;",
        "ARRÊTE Article 1er. Bénéficiaire",
        "ÉCHAFAUDAGES DE L’OUEST (SARL) SIRET 732 829 320 00074 – 12 RUE DES BÂTISSEURS, 29999 EXEMPLE-VILLE",
        "sans pouvoir céder, louer ou transmettre cette autorisation",
        "du 1er mars 2027 au 12 mars 2027, soit 12 jours calendaires, premier et dernier jours compris",
        "chaque jour de 7 h 30 à 19 h",
        "8,00 m × 1,20 m",
        "à titre précaire et révocable",
        "Un cheminement libre d’au moins 1,40 m de large",
        "[Règlement de voirie d’Exemple-Ville, art. 10 (fictif)]",
        "144,24 €",
        "Tarif appliqué : Droits de voirie 2026-2027",
        "il a déclaré le contrat RC-204-118 de l’assureur Mutuelle Imaginaire",
        "Les droits des tiers sont et demeurent réservés",
        "Décision prise sur le fondement d’un traitement algorithmique",
        "article 47 de la loi n° 78-17 du 6 janvier 1978",
        "consultée le 8 février 2027 à 9 h 12 (mise à jour le 7 février 2027)",
        "Conservation : courriel et téléphone, 12 mois après la fin du dossier ; réponse d’un registre sur une "
        "personne physique, 18 mois après la fin du dossier ; traces des appels aux registres, 36 mois ; traces "
        "des lectures du dossier, 24 mois ; demande, décision et acte, selon les règles des archives publiques. Droits",
        "Le présent arrêté est opposable à son destinataire dès sa notification (article L. 221-8 du code des "
        "relations entre le public et l’administration) ; notifié par ce téléservice, il l’est à la date de "
        "sa première consultation dans le téléservice. Est chargé",
        "Notifié par ce téléservice, cet acte est dispensé de la signature de son auteur (article L. 212-2, 1°,",
        "dans les deux mois de sa notification",
        "tribunal administratif d’Exemple (fictif)",
        "Fait à Exemple-Ville, le 8 février 2027",
        "Échelle 1:100",
    ],
)
def test_the_text_shows(said: str, file: Path, program: Callable[[str], str]) -> None:
    assert said in text_of(file, program)


def test_a_simple_permit_is_one_sheet_printed_on_both_sides_its_plan_included(pdf: bytes) -> None:
    """Its words end in the last third of the second page, and leave that to the plan."""
    document = pypdfium2.PdfDocument(pdf)
    assert len(document) == 2
    second = document[1]
    (index, _) = second.get_textpage().search("Annexe. Plan").get_next()
    _, _, _, top = second.get_textpage().get_charbox(index)
    assert 1 - top / second.get_height() < 0.79


def test_each_page_of_a_specimen_says_so(file: Path, program: Callable[[str], str]) -> None:
    assert text_of(file, program).count("SPÉCIMEN") == 2


def test_a_real_permit_says_neither_specimen_nor_fictional(
    permit: Permit, tmp_path: Path, program: Callable[[str], str]
) -> None:
    real = permit.model_copy(
        update={"specimen": False, "authority": permit.authority.model_copy(update={"fictional": False})}
    )
    path = tmp_path / "real.pdf"
    path.write_bytes(print_act(real))
    text = text_of(path, program)
    assert "specimen" not in text.casefold().replace("é", "e")
    assert "Autorité fictive" not in text
    assert "cachet électronique de l’autorité, qui en garantit l’origine et l’intégrité" in text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ends_on": date(2027, 3, 1)}, "autorisée le 1er mars 2027, soit 1 jour calendaire,"),
        ({"daily_hours": None}, "de jour comme de nuit"),
        ({"payer_siret": "55208131766522"}, "due par l’établissement de SIRET 552 081 317 66522"),
        ({"insurance": None}, "pendant toute la durée de l’occupation. À la fin"),
        ({"urbanism_file": None}, "Chantier : Ravalement de la façade sur rue."),
        ({"prescriptions": ()}, "n’est soumise à aucune autre prescription"),
        ({"fetched_data": ()}, "ne reprend aucune donnée obtenue auprès d’une autre administration"),
        ({"kept": None}, "Conservation : le temps d’instruire la demande, de contrôler l’occupation et de répondre"),
        (
            {
                "fee": FEE.model_copy(
                    update={
                        "total": Decimal(0),
                        "lines": (fee_line("Exonération", "1 occupation, gratuit", "1", "u", "0", "0"),),
                    }
                )
            },
            "Total 0,00 €",
        ),
        ({"signatory": SIGNATORY.model_copy(update={"delegation": ""})}, "Notifié par ce téléservice, cet acte est"),
        ({"beneficiary": BENEFICIARY.model_copy(update={"address": ()})}, "SIRET 732 829 320 00074 Article 2"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_may_be_absent_leaves_whole_sentences(
    changes: dict[str, object], said: str, tmp_path: Path, program: Callable[[str], str]
) -> None:
    path = tmp_path / "permit.pdf"
    path.write_bytes(print_act(sample_permit(**changes)))
    assert said in text_of(path, program)


def test_the_qr_code_leads_to_the_verification_page(file: Path, program: Callable[[str], str]) -> None:
    assert [code.text for code in codes_on(file.read_bytes(), 150, program)] == [VERIFICATION_URL]


def test_the_payload_is_attached(file: Path, permit: Permit, tmp_path: Path, program: Callable[[str], str]) -> None:
    listed = subprocess.run([program("pdfdetach"), "-list", str(file)], check=True, capture_output=True, text=True)
    assert listed.stdout.split("\n")[:2] == ["1 embedded files", "1: permis.json"]
    saved = tmp_path / "permis.json"
    subprocess.run([program("pdfdetach"), "-save", "1", "-o", str(saved), str(file)], check=True)
    assert saved.read_bytes() == payload_bytes(permit)
    assert Permit.model_validate(json.loads(saved.read_bytes())) == permit


def test_every_font_is_embedded(file: Path, program: Callable[[str], str]) -> None:
    output = subprocess.run([program("pdffonts"), str(file)], check=True, capture_output=True, text=True).stdout
    fonts = [line.split() for line in output.splitlines()[2:]]
    assert fonts
    for font in fonts:
        assert re.fullmatch(r"[A-Z]{6}\+Arrete-Sans.*", font[0])
        assert font[-5:-2] == ["yes", "yes", "yes"]  # embedded, subset, with its Unicode values


def test_it_is_a_tagged_french_pdf_a_3(pdf: bytes) -> None:
    with pikepdf.open(BytesIO(pdf)) as document:
        assert document.Root.Lang == "fr"
        assert document.Root.MarkInfo.Marked
        assert document.docinfo.Title == "Arrêté n° EX-2027-000001 portant permis de stationnement"
        xmp = document.open_metadata()
        assert (xmp["pdfaid:part"], xmp["pdfaid:conformance"]) == ("3", "A")
        assert document.Root.AF[0].AFRelationship == "/Data"


def test_pictures_have_words(pdf: bytes) -> None:
    with pikepdf.open(BytesIO(pdf)) as document:
        figures = [
            each for each in document.objects if isinstance(each, pikepdf.Dictionary) and each.get("/S") == "/Figure"
        ]
        words = [str(figure.Alt) for figure in figures]
    assert [text.split(".")[0] for text in words] == [
        "Emblème de l’autorité",
        "Code QR de vérification",
        "Plan des emprises au 1:100, nord du quadrillage en haut",
    ]


def test_the_same_payload_gives_the_same_bytes_in_any_process(pdf: bytes) -> None:
    script = (
        "import sys; from permits.document.print import print_act; from permits.domain.permit import Permit;"
        "sys.stdout.buffer.write(print_act(Permit.model_validate_json(sys.stdin.buffer.read())))"
    )
    other = subprocess.run(
        [sys.executable, "-c", script], input=payload_bytes(sample_permit()), check=True, capture_output=True
    )
    assert other.stdout == pdf


def test_a_character_the_font_lacks_is_named_by_its_code(tmp_path: Path, program: Callable[[str], str]) -> None:
    path = tmp_path / "permit.pdf"
    path.write_bytes(print_act(sample_permit(worksite="Kêr Ñevez, ṽ, 株, 🚧")))
    assert "Chantier : Kêr Ñevez, [U+1E7D], [U+682A], [U+1F6A7]" in text_of(path, program)


def test_an_unknown_template_is_refused() -> None:
    with pytest.raises(PrintError, match="no template is named 'arrete/9'"):
        print_act(sample_permit(template="arrete/9"))


@pytest.mark.parametrize(
    ("new", "complaint"),
    [
        ('<img src="nowhere.png" alt=""/>', "nowhere.png"),
        ('<img src="http://127.0.0.1:9/logo.png" alt=""/>', "may not open http://127.0.0.1:9/logo.png"),
        ('<img src="file:///etc/hostname" alt=""/>', "may not open file:///etc/hostname"),
        ('<img src="../pyproject.toml" alt=""/>', "may not open"),
        ('<img src="data:image/svg+xml,x" alt=""/>', "may not open data:image/svg+xml"),
        ('<link rel="stylesheet" href="file:///etc/hostname"/>', "may not open file:///etc/hostname"),
        ("{{ permit.no_such_field }}", "no_such_field"),
        ('<a href="#nowhere">x</a>', "nowhere"),
    ],
    ids=["missing", "network", "outside", "relative", "data", "stylesheet", "undefined", "anchor"],
)
def test_what_the_renderer_only_logs_stops_the_print(new: str, complaint: str, tmp_path: Path) -> None:
    templates = templates_with(tmp_path, "<p>Chantier", f"{new}<p>Chantier")
    with pytest.raises(PrintError, match=re.escape(complaint)):
        print_act(sample_permit(), templates)


def test_a_missing_font_stops_the_print(tmp_path: Path) -> None:
    templates = templates_with(tmp_path, "ArreteSans-Bold.ttf", "nowhere.ttf", "arrete.css")
    with pytest.raises(PrintError, match="Arrete Sans"):
        print_act(sample_permit(), templates)
