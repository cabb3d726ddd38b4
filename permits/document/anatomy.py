"""What an act's PDF is made of: inert, self-contained, with one attachment that is its payload."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any, NamedTuple

import pikepdf

from permits.document.payload import QR_WORDS, Payload, attachment_name, payload_bytes
from permits.domain.permit import Permit

# Whatever acts by itself, reaches outside of the file, or lets the page show something else.
FORBIDDEN_KEYS = {
    "/AA": "action automatique",
    "/OpenAction": "action à l’ouverture",
    "/JS": "JavaScript",
    "/JavaScript": "JavaScript",
    "/AcroForm": "formulaire",
    "/XFA": "formulaire XFA",
    "/OCProperties": "calques masquables",
    "/Ref": "contenu pris dans un autre fichier",
    "/OPI": "image prise dans un autre fichier",
    "/Alternates": "image de remplacement",
    "/RichMediaContent": "contenu animé",
}
FORBIDDEN_ACTIONS = {
    "/JavaScript",
    "/Launch",
    "/GoToR",
    "/GoToE",
    "/SubmitForm",
    "/ResetForm",
    "/ImportData",
    "/Rendition",
    "/Movie",
    "/Sound",
    "/Named",
    "/Hide",
    "/SetOCGState",
    "/Trans",
    "/GoTo3DView",
}
# A part that has none of these has no defect.
TELLING_KEYS = {*FORBIDDEN_KEYS, "/S", "/URI", "/F", "/FS", "/Type"}
FONT_FILES = ("/FontFile", "/FontFile2", "/FontFile3")


class _Part(NamedTuple):
    """A dictionary of the file, or of a stream of it, its entries read once."""

    entries: dict[str, Any]
    is_stream: bool


def structure_defects(pdf: bytes, payload: Payload) -> list[str]:
    """Return one sentence for each part that has no place in an act, or is missing from it."""
    try:
        with pikepdf.open(BytesIO(pdf)) as document:
            if document.is_encrypted:
                return ["le fichier est chiffré"]
            parts = list(_dictionaries(document))
            return [
                *_attachment_defects(document, parts, payload),
                *_figure_defects(parts, payload),
                *(defect for each in parts for defect in _defects(each, payload)),
            ]
    except pikepdf.PdfError as error:
        return [f"le fichier est mal formé : {error}"]


def _attachment_defects(document: pikepdf.Pdf, parts: list[_Part], payload: Payload) -> Iterator[str]:
    names, name = list(document.attachments), attachment_name(payload)
    if names != [name]:
        yield f"pièces jointes : {names} au lieu de {name} seul"
    elif document.attachments[name].get_file().read_bytes() != payload_bytes(payload):
        yield f"{name} n’est pas le contenu enregistré de l’acte"
    if (files := sum("/EF" in each.entries for each in parts)) != 1:
        yield f"{files} fichiers incorporés au lieu d’un"


def _figure_defects(parts: list[_Part], payload: Payload) -> Iterator[str]:
    """The pictures that no words stand for: the code, and the plan of a permit."""
    told = [str(entries.get("/Alt", "")) for entries, _ in parts if entries.get("/S") == "/Figure"]
    if QR_WORDS not in told:
        yield "code QR : il manque"
    if isinstance(payload, Permit) and not any(words.startswith("Plan des emprises") for words in told):
        yield "plan des emprises : il manque"


def _dictionaries(document: pikepdf.Pdf) -> Iterator[_Part]:
    """Yield every dictionary of the file once, those of streams and those written inline too."""
    waiting = list(document.objects)
    while waiting:
        here = waiting.pop()
        inner: list[Any]
        if isinstance(here, pikepdf.Array):
            inner = list(here.as_list())
        elif isinstance(here, pikepdf.Dictionary | pikepdf.Stream):
            part = _Part(dict(here.items()), isinstance(here, pikepdf.Stream))
            yield part
            inner = list(part.entries.values())
        else:
            continue
        waiting += [value for value in inner if not getattr(value, "is_indirect", True)]


def _defects(part: _Part, payload: Payload) -> Iterator[str]:
    entries = part.entries
    if TELLING_KEYS.isdisjoint(entries):
        return
    for key in FORBIDDEN_KEYS.keys() & entries.keys():
        yield f"{FORBIDDEN_KEYS[key]} ({key})"
    if (action := entries.get("/S")) in FORBIDDEN_ACTIONS:
        yield f"action {action}"
    if "/URI" in entries and str(entries["/URI"]) != payload.verification_url:
        yield f"lien vers {entries['/URI']}"
    if entries.get("/Type") == "/Annot" and entries.get("/Subtype") != "/Link":
        yield f"annotation {entries.get('/Subtype')}"
    if part.is_stream and "/F" in entries:
        yield "données prises dans un autre fichier"
    if entries.get("/FS") == "/URL":
        yield "fichier pris sur le réseau"
    if entries.get("/Type") == "/Font":
        yield from _font_defects(entries)


def _font_defects(font: dict[str, Any]) -> Iterator[str]:
    if font.get("/Subtype") == "/Type0":  # its descendant, a font too, holds the file
        return
    descriptor = font.get("/FontDescriptor", pikepdf.Dictionary())
    if not any(key in descriptor for key in FONT_FILES):
        yield f"police non incorporée : {font.get('/BaseFont', 'sans nom')}"
