"""Makes the fonts of the acts from Adobe's: less to read and to shape, the same letters.

Usage: python scripts/make_fonts.py FOLDER, the folder `TTF/` of the npm package `source-sans` 3.52.0.
"""

import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

FAMILY = "Arrete Sans"
WEIGHTS = ("Regular", "It", "Semibold", "Bold")
# Copyright, family, style, unique id, full name, version, PostScript name, trademark, licence and its address.
NAMES = [0, 1, 2, 3, 4, 5, 6, 7, 13, 14]
FONTS = Path(__file__).resolve().parents[1] / "templates" / "fonts"


def main(folder: Path) -> None:
    for weight in WEIGHTS:
        font = TTFont(folder / f"SourceSans3-{weight}.ttf", recalcTimestamp=False)
        _subset(font)
        _rename(font, weight)
        font.save(FONTS / f"ArreteSans-{weight}.ttf")


def _subset(font: TTFont) -> None:
    """Keep every letter and the kerning; leave out alternates, ligatures and instructions for screens."""
    options = Options()
    options.layout_features = ["kern"]
    options.hinting = False
    options.name_IDs = NAMES
    options.drop_tables += ["DSIG", "BASE"]
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=font.getBestCmap())
    subsetter.subset(font)


def _rename(font: TTFont, weight: str) -> None:
    """Give it a name of its own: the licence keeps “Source” for the unmodified files."""
    full = f"{FAMILY} {weight}"
    ours = {1: full, 3: full, 4: full, 6: full.replace(" ", "", 1).replace(" ", "-")}
    for record in font["name"].names:
        record.string = ours.get(record.nameID, record.string)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
