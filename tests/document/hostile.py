"""A thousand texts that somebody may write to harm a page, drawn from a seed: the same on each machine."""

from collections.abc import Callable
from random import Random

SEED, COUNT = 20270301, 1000

_OUTSIDE = ("http://127.0.0.1:9/i.png", "file:///etc/hostname", "//127.0.0.1:9/x", "data:text/css,*{display:none}")
_MARKUP = (
    '<script>alert(1)</script><img src="{0}"><iframe src={0}>',
    "\"><link rel=attachment href='{0}'><style>@import '{0}';</style>",
    "</p></section></body></html><body><h1>ARRÊTÉ n° EX-0</h1><img src={0}>",
    "<table><tr><td colspan=9999999>x<details open ontoggle=x>",
    "<object data='{0}'></object><embed src='{0}'><base href='{0}'>",
)
_STYLES = (
    "</style><style>*{{display:none}} @page{{background:url({0})}}</style>",
    "<p style=\"position:fixed;left:-9999px;background:url('{0}')\">x",
    "color:red;}} body::before{{content:url({0})}}",
    "<style>@font-face{{font-family:'Source Sans 3';src:url({0})}}</style>",
)
_TEMPLATES = (
    "{{{{ 7 * 7 }}}}{{% include '{0}' %}}{{# #}}${{7*7}}#{{7*7}}",
    "{{{{ cycler.__init__.__globals__.os.popen('{0}').read() }}}}",
    "{{% raw %}}{{% extends '{0}' %}}{{% endraw %}}",
)
_DRAWINGS = (
    "</text></svg><svg onload=x><image href='{0}'/>",
    "<svg><use xlink:href='{0}#a'/><foreignObject><img src='{0}'></foreignObject></svg>",
    "</title></svg><path d='M0 0h9999v9999z'/>",
)
_ENTITIES = (
    "&lt;b&gt; &amp; &#60;i&#62; <!-- ]]> <![CDATA[ --> <!DOCTYPE x SYSTEM '{0}'>",
    "&nbsp;&shy;&zwj;&#x202E;&#0;&#xD800;&notanentity;&AMP",
    ") Tj ET Q endstream endobj 1 0 obj <</S/JavaScript/JS({0})>> \\000 \\ (",
)
_LETTERS = "Kêr-Ñevez an Aoter-Vraz, c'hoariva Città d'Ajacciu Ÿ Œ æ ß ŵ ħ đ ğ ş ž Č ł ø å"
_UNSEEN = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u180e\u2028\u2029"
_TURNING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
_RIGHT_TO_LEFT = "مرحبا بالعالم שלום עולם ܫܠܡܐ"
_FAR = "株式会社工事中🚧👷🏽‍♀️🇫🇷𝕏𒀀ṽ\ue000\U0010ffff"
_MARKS = "\u0300\u0301\u0308\u030a\u0327\u0336\u20dd\u0489"


def _filled(draw: Random, forms: tuple[str, ...]) -> str:
    return draw.choice(forms).format(draw.choice(_OUTSIDE))


def _among(draw: Random, letters: str, length: int) -> str:
    return "".join(draw.choice(letters) for _ in range(length))


def _hidden(draw: Random, marks: str) -> str:
    return "".join(letter + (draw.choice(marks) if draw.random() < 0.4 else "") for letter in "12 rue du Four 29999")


FAMILIES: dict[str, Callable[[Random], str]] = {
    "markup": lambda draw: _filled(draw, _MARKUP),
    "stylesheet": lambda draw: _filled(draw, _STYLES),
    "template": lambda draw: _filled(draw, _TEMPLATES),
    "drawing": lambda draw: _filled(draw, _DRAWINGS),
    "entity": lambda draw: _filled(draw, _ENTITIES),
    "breton and corsican": lambda draw: _among(draw, _LETTERS, draw.randrange(5, 60)),
    "turning": lambda draw: _hidden(draw, _TURNING),
    "unseen": lambda draw: _hidden(draw, _UNSEEN),
    "right to left": lambda draw: _among(draw, _RIGHT_TO_LEFT, draw.randrange(3, 40)),
    "beyond the font": lambda draw: _among(draw, _FAR, draw.randrange(1, 12)),
    "stacked marks": lambda draw: "".join(letter + _among(draw, _MARKS, draw.randrange(9)) for letter in "Aérodrome"),
    "two hundred characters": lambda draw: _among(draw, "WMÀé_-@.", 200),
    "long number": lambda draw: _among(draw, "0123456789", draw.randrange(30, 200)),
}


def hostile_texts(count: int = COUNT) -> list[str]:
    """Return `count` texts, each family in its turn, each text numbered: no two are alike."""
    draw, families = Random(SEED), list(FAMILIES.values())
    return [f"{families[number % len(families)](draw)} {number}" for number in range(count)]
