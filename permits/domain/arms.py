"""A city's arms, as a drawing that can do nothing but be drawn: an SVG of known shapes, no script, no reference."""

import re
import xml.etree.ElementTree as ET
from typing import Annotated

from pydantic import AfterValidator

MAX_BYTES = 32_768
_SVG = "{http://www.w3.org/2000/svg}"
_SHAPES = {"svg", "g", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon"}
_WORDS = {"title", "desc"}
_PAINT = {
    "fill",
    "fill-opacity",
    "fill-rule",
    "opacity",
    "stroke",
    "stroke-linecap",
    "stroke-linejoin",
    "stroke-miterlimit",
    "stroke-opacity",
    "stroke-width",
    "transform",
}
_GEOMETRY = {"cx", "cy", "d", "height", "points", "r", "rx", "ry", "width", "x", "x1", "x2", "y", "y1", "y2"}
_VALUE = re.compile(r"(?!.*url)[\w\s#.,()+%-]*", re.IGNORECASE | re.DOTALL)
_BOX = re.compile(r"\s*-?[\d.]+[\s,]+-?[\d.]+[\s,]+[\d.]+[\s,]+[\d.]+\s*")


def drawing(text: str) -> str:
    """Return the drawing rewritten from its shapes alone; ValueError in French for anything else it holds.

    Its own size and words are left out: the page gives both.
    """
    if len(text.encode()) > MAX_BYTES:
        raise ValueError(f"plus de {MAX_BYTES} octets : simplifiez le dessin")
    if re.search(r"<!(?!--)|<\?(?!xml\s)", text):
        raise ValueError("une déclaration (<!…> ou <?…>) n’a pas sa place dans des armes")
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        raise ValueError(f"n’est pas un SVG bien formé : {error}") from None
    box = root.attrib.get("viewBox", "")
    if root.tag != f"{_SVG}svg" or not _BOX.fullmatch(box):
        raise ValueError('un <svg viewBox="x y largeur hauteur"> est attendu')
    return f'<svg xmlns="{_SVG[1:-1]}" viewBox="{box.strip()}">{"".join(map(_shape, root))}</svg>'


Arms = Annotated[str, AfterValidator(drawing)]


def _shape(element: ET.Element) -> str:
    name = element.tag.removeprefix(_SVG)
    if name in _WORDS and element.tag.startswith(_SVG):
        return ""
    if name not in _SHAPES - {"svg"} or not element.tag.startswith(_SVG):
        raise ValueError(f"<{name}> n’a pas sa place dans des armes ; admis : {', '.join(sorted(_SHAPES))}")
    written = []
    for attribute, value in element.attrib.items():
        if attribute == "id":
            continue
        if attribute not in _PAINT | _GEOMETRY or not _VALUE.fullmatch(value):
            raise ValueError(f'{attribute}="{value[:40]}" de <{name}> n’a pas sa place dans des armes')
        written.append(f' {attribute}="{" ".join(value.split())}"')
    return f"<{name}{''.join(written)}>{''.join(map(_shape, element))}</{name}>"
