"""The last look before the seal: the document says all it must, and holds nothing it may not.

The text is read back from the PDF by another library than the one that wrote it, and compared
without regard to spaces, to the shape of apostrophes, or to hyphens at the end of a line.
"""

import re
import unicodedata
from collections.abc import Iterator

import pypdfium2  # type: ignore[import-untyped]

from permits.document import french
from permits.document.anatomy import structure_defects
from permits.document.errors import LintError
from permits.document.glyphs import drawable
from permits.domain.permit import Permit

# Without these words the act can be annulled, or its time limits never run.
MANDATORY_WORDS = {
    "titre de l’acte": "portant permis de stationnement",
    "caractère précaire et révocable": "à titre précaire et révocable",
    "renouvellement sur nouvelle demande": "fait l’objet d’une nouvelle demande",
    "caractère personnel": "à titre personnel",
    "mention du traitement algorithmique": "sur le fondement d’un traitement algorithmique",
    "article du code sur la mention": "article L. 311-3-1 du code des relations entre le public",
    "loi informatique et libertés": "article 47 de la loi n° 78-17 du 6 janvier 1978",
    "finalité du traitement": "Finalité : vérifier la conformité de la demande",
    "droit à communication des règles": "demander la communication des règles définissant",
    "saisine de la CADA": "Commission d’accès aux documents administratifs (CADA)",
    "délai de recours": "dans les deux mois de sa notification",
    "recours gracieux": "d’un recours gracieux auprès de",
    "recours examiné par un agent": "examiné par un agent, jamais par le seul traitement",
    "recours devant le juge": "ou d’un recours devant la juridiction suivante",
    "données d’autres administrations": "auprès d’une autre administration (article L. 114-8",
    "droit de rectification": "de les faire rectifier",
    "information sur les données personnelles": "règlement (UE) 2016/679",
    "dispense de signature": "dispensé de la signature de son auteur (article L. 212-2, 1°",
}

_SAME = str.maketrans({"\u2019": "'", "\u2010": "-", "\u2011": "-", "\ufffe": "-", "\u00ad": "-"})


def lint(pdf: bytes, permit: Permit) -> None:
    """Raise LintError with every defect of `pdf` as the document of `permit`."""
    pages = _pages(pdf)
    defects = [*_text_defects(pages, permit), *structure_defects(pdf, permit)]
    if defects:
        raise LintError(tuple(defects))


def _pages(pdf: bytes) -> list[str]:
    try:
        document = pypdfium2.PdfDocument(pdf)
    except pypdfium2.PdfiumError as error:
        raise LintError((f"le fichier ne s’ouvre pas : {error}",)) from error
    try:
        return [_folded(page.get_textpage().get_text_range()) for page in document]
    finally:
        document.close()


def _folded(text: str) -> str:
    """Return `text` without spaces, in NFKC, with one kind of apostrophe and of hyphen."""
    return "".join(unicodedata.normalize("NFKC", text).translate(_SAME).split())


def _text_defects(pages: list[str], permit: Permit) -> Iterator[str]:
    text = "".join(pages)
    for what, words in MANDATORY_WORDS.items():
        if _folded(words) not in text:
            yield f"{what} : « {words} » manque"
    for what, words in _words_of(permit):
        if _folded(drawable(words)) not in text:
            yield f"{what} : « {words} » manque"
    for what, figure in _figures_of(permit):
        # 6,60 m² must not be found in 16,60 m².
        if not re.search(rf"(?<!\d){re.escape(_folded(drawable(figure)))}", text):
            yield f"{what} : « {figure} » manque"
    if permit.specimen and not all("SPÉCIMEN" in page for page in pages):
        yield "le mot SPÉCIMEN manque sur une page"


def _words_of(permit: Permit) -> Iterator[tuple[str, str]]:
    """Yield what the document must say, word for word and in its place, and how staff call it."""
    yield "numéro de l’acte", f"ARRÊTÉ n° {permit.number}"
    yield "demande", f"demande n° {permit.application_id}"
    yield "chantier", f"Chantier : {permit.worksite}"
    for mark, occupancy in enumerate(permit.occupancies, start=1):
        yield "objet", f"{mark} {french.capital(occupancy.label)}"
        yield "emplacement", occupancy.address
    for visa in permit.visas:
        yield "visa", f"Vu {french.visa(visa.text)} ;"
    for each in permit.considerations:
        yield "considérant", f"Considérant {french.consideration(each)} ;"
    for prescription in permit.prescriptions:
        yield "prescription", f"{prescription.text} [{prescription.citation.text}]"
    yield "version du tarif", f"Tarif appliqué : {permit.fee.tariff}"
    yield "modalités de paiement", permit.payment_terms
    yield "accès aux règles", f"à l’adresse suivante : {permit.algorithm_contact}"
    yield "recours gracieux", f"auprès de l’autorité suivante : {permit.appeal.authority}"
    yield "juridiction", f"la juridiction suivante : {permit.appeal.court} ({permit.appeal.court_address}"
    for fetched in permit.fetched_data:
        yield "donnée obtenue", f"{fetched.data} – source : {fetched.source}"
    yield from _who(permit)
    if permit.specimen:
        yield "cachet de démonstration", "Le cachet électronique est un cachet de démonstration"


def _who(permit: Permit) -> Iterator[tuple[str, str]]:
    """Yield who acts, who benefits, and whom to write to."""
    author, authority, beneficiary = permit.signatory, permit.authority, permit.beneficiary
    yield "autorité", f"{authority.name} {authority.service}"
    if authority.fictional:
        yield "autorité fictive", "Ses règles et ses prix sont inventés"
    yield "contact pour les données", f"opposition : {authority.data_protection_contact}"
    yield "bénéficiaire", f"{beneficiary.name} SIRET {french.spaced_siret(beneficiary.siret)}"
    if beneficiary.address:
        yield "adresse du bénéficiaire", f"– {', '.join(beneficiary.address)}"
    signed = f"Fait à {authority.place}, le {french.paris_date(permit.decided_at)}"
    yield "auteur de l’acte", f"{signed} {author.first_name} {author.name} {author.quality} {author.service}"
    if author.delegation:
        yield "délégation", f"Par délégation : {author.delegation}."
    yield "adresse de vérification", permit.verification_url


def _figures_of(permit: Permit) -> Iterator[tuple[str, str]]:
    """Yield the dates, quantities and amounts the document must show, each in its place."""
    period = french.period(permit.starts_on, permit.ends_on)
    yield "période", f"L’occupation est autorisée {period}, soit"
    yield "fin de l’autorisation", f"fin de plein droit le {french.long_date(permit.ends_on)}."
    if permit.daily_hours:
        hours = (french.hour(permit.daily_hours.starts), french.hour(permit.daily_hours.ends))
        yield "horaires", f"chaque jour de {hours[0]} à {hours[1]}. Les emprises"
    for occupancy in permit.occupancies:
        yield "surface", french.square_metres(occupancy.area_m2)
    if not permit.fee.lines:
        yield "redevance", "une ligne de tarif ou une exonération, avec son texte"
    for line in permit.fee.lines:
        amounts = f"{line.unit} {french.money(line.rate)} {french.money(line.amount)}"
        yield "ligne de redevance", f"{line.label} {french.number(line.quantity)} {amounts}"
        yield "texte du tarif", line.citation.text
    yield "total de la redevance", f"Total {french.money(permit.fee.total)}"
