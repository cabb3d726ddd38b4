"""What an act's PDF is made of: inert, self-contained, with one attachment that is its payload."""

from collections.abc import Iterator
from io import BytesIO

import pikepdf

from permits.document.payload import Payload, attachment_name, payload_bytes

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
FONT_FILES = ("/FontFile", "/FontFile2", "/FontFile3")


def structure_defects(pdf: bytes, payload: Payload) -> list[str]:
    """Return one sentence for each part that has no place in an act, or is missing from it."""
    try:
        with pikepdf.open(BytesIO(pdf)) as document:
            if document.is_encrypted:
                return ["le fichier est chiffré"]
            return [
                *_attachment_defects(document, payload),
                *(defect for each in _dictionaries(document) for defect in _defects(each, payload)),
            ]
    except pikepdf.PdfError as error:
        return [f"le fichier est mal formé : {error}"]


def _attachment_defects(document: pikepdf.Pdf, payload: Payload) -> Iterator[str]:
    names, name = list(document.attachments), attachment_name(payload)
    if names != [name]:
        yield f"pièces jointes : {names} au lieu de {name} seul"
    elif document.attachments[name].get_file().read_bytes() != payload_bytes(payload):
        yield f"{name} n’est pas le contenu enregistré de l’acte"
    files = [each for each in _dictionaries(document) if "/EF" in each]
    if len(files) != 1:
        yield f"{len(files)} fichiers incorporés au lieu d’un"


def _dictionaries(document: pikepdf.Pdf) -> Iterator[pikepdf.Object]:
    """Yield every dictionary of the file once, those of streams and those written inline too."""
    waiting = list(document.objects)
    while waiting:
        here = waiting.pop()
        if isinstance(here, pikepdf.Array):
            inner = list(here.as_list())
        elif isinstance(here, pikepdf.Dictionary | pikepdf.Stream):
            yield here
            inner = [value for _, value in here.items()]
        else:
            continue
        waiting += [value for value in inner if not getattr(value, "is_indirect", True)]


def _defects(part: pikepdf.Object, payload: Payload) -> Iterator[str]:
    for key in FORBIDDEN_KEYS.keys() & set(part.keys()):
        yield f"{FORBIDDEN_KEYS[key]} ({key})"
    if (action := part.get("/S")) in FORBIDDEN_ACTIONS:
        yield f"action {action}"
    if "/URI" in part and str(part["/URI"]) != payload.verification_url:
        yield f"lien vers {part['/URI']}"
    if part.get("/Type") == "/Annot" and part.get("/Subtype") != "/Link":
        yield f"annotation {part.get('/Subtype')}"
    if isinstance(part, pikepdf.Stream) and "/F" in part:
        yield "données prises dans un autre fichier"
    if part.get("/FS") == "/URL":
        yield "fichier pris sur le réseau"
    if part.get("/Type") == "/Font":
        yield from _font_defects(part)


def _font_defects(font: pikepdf.Object) -> Iterator[str]:
    if font.get("/Subtype") == "/Type0":  # its descendant, a font too, holds the file
        return
    descriptor = font.get("/FontDescriptor", pikepdf.Dictionary())
    if not any(key in descriptor for key in FONT_FILES):
        yield f"police non incorporée : {font.get('/BaseFont', 'sans nom')}"
