"""Refusals, abrogations and withdrawals as documents: what they say, and which are not printed."""

from collections.abc import Callable
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from permits.document.errors import PrintError
from permits.document.lint import lint
from permits.document.print import print_act
from permits.domain.ruling import Ruling, RulingKind
from tests.document.pages import text_of
from tests.document.sample import AUTHORITY, BENEFICIARY, SIGNATORY, sample_permit
from tests.document.sample_acts import FEE_TERMS, FIRST, before_its_first_day, motive, sample_ruling

REFUSAL, ABROGATION, WITHDRAWAL = RulingKind.REFUSAL, RulingKind.ABROGATION, RulingKind.WITHDRAWAL


@pytest.fixture
def said_by(tmp_path: Path, program: Callable[[str], str]) -> Callable[[Ruling], str]:
    """Return what prints a ruling and reads its text back."""

    def read(ruling: Ruling) -> str:
        path = tmp_path / "ruling.pdf"
        path.write_bytes(print_act(ruling))
        return text_of(path, program)

    return read


@pytest.mark.parametrize(
    ("kind", "sentences"),
    [
        (
            REFUSAL,
            [
                "ARRÊTÉ n° EX-R-2027-000001 portant refus de permis de stationnement",
                "objet de la demande n° D-7Q4M-2K9X du 8 février 2027",
                "Vu la demande n° D-7Q4M-2K9X reçue par téléservice le 8 février 2027 ;",
                "Considérant que la place du Four accueille le marché hebdomadaire",
                "n’y est possible [Règlement de voirie d’Exemple-Ville, art. 22 (fictif)] ;",
                "Considérant qu’il est statué sur une demande : les observations préalables",
                "La demande de permis de stationnement n° D-7Q4M-2K9X, reçue le 8 février 2027, est refusée.",
                "Article 2. Demandeur La demande a été présentée pour : ÉCHAFAUDAGES DE L’OUEST (SARL) SIRET 732 829",
                "Période demandée : du 1er mars 2027 au 31 mars 2027, premier et dernier jours compris.",
                "Article 4. Traitement algorithmique. Décision prise par un agent, en partie sur le fondement d’un "
                "traitement algorithmique, qui a examiné la demande et l’a transmise à cet agent (article L. 311-3-1",
                "à l’adresse suivante : Service Occupation du domaine public, 1 rue de la Mairie",
                "(règles appliquées : version 5f2b5f2b5f2b)",
                "Article 5. Voies et délais de recours",
            ],
        ),
        (
            ABROGATION,
            [
                "ARRÊTÉ n° EX-A-2027-000001 portant abrogation d’un permis de stationnement",
                "accordé par l’arrêté n° EX-2027-000001 du 8 février 2027",
                "Vu l’arrêté n° EX-2027-000001 du 8 février 2027 portant permis de stationnement ;",
                "Considérant que l’échafaudage empiète de 0,45 m sur le cheminement des piétons",
                "[code des relations entre le public et l’administration, article L. 242-2, 1°] ;",
                "Considérant que le bénéficiaire a été invité le 5 mars 2027 à présenter ses observations",
                "ARRÊTE Article 1er. Objet L’arrêté n° EX-2027-000001 du 8 février 2027 est abrogé à compter du "
                "16 mars 2027 : le 15 mars 2027 est le dernier jour où il autorise l’occupation.",
                "Le permis avait été accordé à : ÉCHAFAUDAGES DE L’OUEST (SARL)",
                "Période accordée : du 1er mars 2027 au 31 mars 2027",
                "Jusqu’au 15 mars 2027 compris, le bénéficiaire respecte les prescriptions de l’arrêté abrogé.",
                "Article 5. Redevance La redevance n’est due que pour les jours où l’occupation a été autorisée ; le "
                "trop-perçu est restitué. [délibération n° 2025-118 du 10 décembre 2025, article 7 (fictive)]",
                "Article 6. Voies et délais de recours",
            ],
        ),
        (
            WITHDRAWAL,
            [
                "ARRÊTÉ n° EX-A-2027-000002 portant retrait d’un permis de stationnement",
                "Considérant que le permis a été délivré sur le fondement d’une emprise",
                "L’arrêté n° EX-2027-000001 du 8 février 2027 est retiré : il est réputé n’avoir jamais existé.",
                "Dès la notification du présent arrêté, le bénéficiaire retire ses installations, libère les lieux",
                "Article 5. Redevance La redevance n’est due que pour les jours",
                "Article 6. Voies et délais de recours",
            ],
        ),
    ],
    ids=lambda value: value if isinstance(value, RulingKind) else "",
)
def test_each_kind_says_what_it_does(kind: RulingKind, sentences: list[str], said_by: Callable[[Ruling], str]) -> None:
    text = said_by(sample_ruling(kind))
    assert [sentence for sentence in sentences if sentence not in text] == []


def test_every_ruling_says_who_takes_it_and_how_to_contest_it(ruling_file: Path, program: Callable[[str], str]) -> None:
    text = text_of(ruling_file, program)
    for said in (
        "Autorité fictive. Ses règles et ses prix sont inventés ; ce document n’a aucun effet réel.",
        "Maëlle Fictive, adjointe au maire déléguée à l’espace public, Vu",
        "Chantier : Ravalement de la façade sur rue.",
        "Emplacement : 14 rue du Four, 29999 Exemple-Ville.",
        "29999 Exemple-Ville – examiné par un agent – ou d’un recours devant la juridiction suivante : tribunal",
        "www.telerecours.fr",
        "Droits d’accès, de rectification, de limitation et d’opposition : dpd@exemple-ville.example",
        "opposable à son destinataire dès sa notification (article L. 221-8 du code des relations entre le public et "
        "l’administration) ; notifié par ce téléservice, il l’est à la date de sa première consultation",
        "dénomination, adresse et état de l’établissement – source : API Recherche d’entreprises (DINUM, données "
        "Sirene de l’Insee), consultée le 8 février 2027 à 9 h 12 (mise à jour le 7 février 2027).",
        "traces des appels aux registres, 36 mois ; traces des lectures du dossier, 24 mois",
        "Fait à Exemple-Ville, le 8 mars 2027 Maëlle Fictive",
        "Par délégation : arrêté de délégation n° 2026-001",
    ):
        assert said in text


@pytest.mark.parametrize(
    ("kind", "mentioned"), [(REFUSAL, True), (ABROGATION, False), (WITHDRAWAL, False)], ids=list(RulingKind)
)
def test_only_what_follows_the_machine_s_findings_mentions_the_algorithm(
    kind: RulingKind, mentioned: bool, said_by: Callable[[Ruling], str]
) -> None:
    """A refusal answers what the machine referred; no refusal claims that the machine alone decided (art. 47)."""
    text = said_by(sample_ruling(kind))
    assert ("algorithm" in text) is mentioned
    assert "78-17" not in text


@pytest.mark.parametrize("effective_on", [date(2027, 2, 25), date(2027, 3, 1)], ids=["before", "on its first day"])
def test_a_permit_abrogated_before_it_starts_allows_no_day(
    effective_on: date, said_by: Callable[[Ruling], str]
) -> None:
    text = said_by(before_its_first_day().model_copy(update={"effective_on": effective_on}))
    day = "25 février 2027" if effective_on.month == 2 else "1er mars 2027"
    assert (
        f"est abrogé à compter du {day} : la période accordée ne commençant que le 1er mars 2027, "
        "il n’autorise l’occupation aucun jour." in text
    )
    assert "Rien n’est installé sur la voie publique." in text
    assert "dernier jour où il autorise" not in text


def test_one_day_of_use_is_the_last_one(said_by: Callable[[Ruling], str]) -> None:
    text = said_by(sample_ruling(ABROGATION, effective_on=date(2027, 3, 2)))
    assert "à compter du 2 mars 2027 : le 1er mars 2027 est le dernier jour où il autorise l’occupation." in text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ends_on": date(2027, 3, 1)}, "Période demandée : le 1er mars 2027. Emplacement"),
        ({"places": ("1 rue A", "2 rue B.")}, "Emplacements : 1 rue A ; 2 rue B. Article 4"),
        ({"signatory": SIGNATORY.model_copy(update={"delegation": ""})}, "Notifié par ce téléservice, cet acte est"),
        (
            {"fetched_data": ()},
            "Données. Le présent acte ne reprend aucune donnée obtenue auprès d’une autre administr",
        ),
        ({"kept": None}, "Conservation : le temps d’instruire la demande, de contrôler l’occupation et de répondre"),
        ({"rulebook_digest": None}, "voirie@exemple-ville.example. En cas de refus"),
        ({"beneficiary": BENEFICIARY.model_copy(update={"address": ()})}, "SIRET 732 829 320 00074 Article 3"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_varies_leaves_whole_sentences(
    changes: dict[str, object], said: str, said_by: Callable[[Ruling], str]
) -> None:
    assert said in said_by(sample_ruling(REFUSAL, **changes))


LONG: dict[str, Any] = {
    "beneficiary": BENEFICIARY.model_copy(update={"name": "COMPAGNONS BÂTISSEURS " * 9}),
    "worksite": "Ravalement et isolation de l’immeuble, réfection de la toiture et des descentes d’eaux pluviales",
    "places": tuple(f"{n} bis rue du Maréchal-de-Lattre-de-Tassigny, 29999 Exemple-Ville" for n in range(1, 11)),
    "motives": tuple(
        motive(
            f"Le constat n° {n} dressé le 3 mars 2027 relève que le cheminement des piétons est réduit à 0,95 m, que "
            "l’éclairage de nuit manque et que les abords ne sont pas propres, malgré deux rappels restés sans effet.",
            f"Règlement de voirie d’Exemple-Ville, art. {n} (fictif) ; code des relations entre le public et "
            "l’administration, article L. 242-2, 1°",
        )
        for n in range(1, 9)
    ),
}


@pytest.mark.parametrize("changes", [{}, LONG], ids=["usual", "eight motives and ten places"])
def test_a_ruling_holds_on_two_pages(changes: dict[str, Any], ruling: Ruling) -> None:
    long = sample_ruling(ruling.kind, **changes)
    pdf = print_act(long)
    lint(pdf, long)
    with pikepdf.open(BytesIO(pdf)) as document:
        assert len(document.pages) <= 2


def test_each_page_of_a_specimen_says_so(ruling_file: Path, program: Callable[[str], str]) -> None:
    assert text_of(ruling_file, program).count("SPÉCIMEN") == 2


def test_a_real_ruling_says_neither_specimen_nor_fictional(ruling: Ruling, said_by: Callable[[Ruling], str]) -> None:
    real = {"specimen": False, "authority": AUTHORITY.model_copy(update={"fictional": False})}
    text = said_by(ruling.model_copy(update=real))
    assert "specimen" not in text.casefold().replace("é", "e")
    assert "Autorité fictive" not in text
    assert "cachet électronique de l’autorité, qui en garantit l’origine et l’intégrité" in text


def test_the_page_of_another_kind_of_act_is_refused(ruling: Ruling) -> None:
    with pytest.raises(PrintError, match="no template is named 'arrete/1'"):
        print_act(ruling.model_copy(update={"template": "arrete/1"}))
    with pytest.raises(PrintError, match="no template is named 'decision/1'"):
        print_act(sample_permit(template="decision/1"))


@pytest.mark.parametrize(
    ("kind", "changes", "gap"),
    [
        (ABROGATION, {"motives": ()}, "aucun motif n’est donné"),
        (ABROGATION, {"motives": (motive("  ", "art. 1"),)}, "un motif n’a pas son fait ou son texte"),
        (REFUSAL, {"motives": (motive("la rue est étroite", ""),)}, "un motif n’a pas son fait ou son texte"),
        (WITHDRAWAL, {"hearing": " "}, "il n’est pas dit comment le bénéficiaire a pu être entendu"),
        (REFUSAL, {"algorithm_contact": None}, "il n’est pas dit où en demander les règles"),
        (REFUSAL, {"algorithm_contact": " "}, "il n’est pas dit où en demander les règles"),
        (ABROGATION, {"fee_terms": None}, "il n’est pas dit ce que devient la redevance"),
        (WITHDRAWAL, {"fee_terms": FEE_TERMS.model_copy(update={"text": " "})}, "ce que devient la redevance"),
        (REFUSAL, {"visas": ()}, "aucun visa n’est donné"),
        (REFUSAL, {"places": ()}, "aucun emplacement n’est donné"),
        (REFUSAL, {"cites": FIRST}, "un refus n’en cite aucun"),
        (ABROGATION, {"cites": None}, "une abrogation ou un retrait cite le permis qui prend fin"),
        (WITHDRAWAL, {"cites": None}, "une abrogation ou un retrait cite le permis qui prend fin"),
        (ABROGATION, {"effective_on": None}, "dit de quel jour elle prend effet"),
        (WITHDRAWAL, {"effective_on": date(2027, 3, 16)}, "une abrogation, et elle seule, dit de quel jour"),
        (REFUSAL, {"effective_on": date(2027, 3, 16)}, "une abrogation, et elle seule, dit de quel jour"),
        (ABROGATION, {"effective_on": date(2027, 4, 1)}, "prend effet au plus tard le dernier jour du permis"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_ruling_with_a_gap_is_not_printed(kind: RulingKind, changes: dict[str, Any], gap: str) -> None:
    with pytest.raises(PrintError, match=gap):
        print_act(sample_ruling(kind, **changes))


def test_an_abrogation_on_the_last_day_is_printed(said_by: Callable[[Ruling], str]) -> None:
    """The control of the last case above."""
    assert "le 30 mars 2027 est le dernier jour" in said_by(sample_ruling(ABROGATION, effective_on=date(2027, 3, 31)))


def test_the_day_it_is_taken_is_told_in_paris(said_by: Callable[[Ruling], str]) -> None:
    late = datetime.fromisoformat("2027-03-07T23:30:00+00:00")
    assert "Fait à Exemple-Ville, le 8 mars 2027" in said_by(sample_ruling(REFUSAL, decided_at=late))
