"""The documentation names what the code has: problems, settings, companies, examples, commands, decisions, links."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import typer.main

from permits.cli import app
from permits.domain.dated import NotInForce
from permits.domain.establishment import Verdict
from permits.domain.tariff.scale import Scale
from permits.law.load import load, read_directory
from permits.law.strict import read_yaml
from permits.sandbox.companies import sandbox_sirets
from permits.settings import Settings
from permits.sirene import metrics
from permits.web.problems import KINDS
from tests.fakes import ROOT

PAGES = sorted(
    page for page in ROOT.rglob("*.md") if not {".venv", "var", "node_modules"} & set(page.relative_to(ROOT).parts)
)
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def between(text: str, marker: str) -> str:
    """Return what lies between <!-- marker --> and <!-- /marker -->."""
    return text.partition(f"<!-- {marker} -->\n")[2].partition(f"<!-- /{marker} -->")[0]


def table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    first, *others = ["| " + " | ".join(line) + " |\n" for line in (header, *rows)]
    return first + "|---" * len(header) + "|\n" + "".join(others)


def problems_table() -> str:
    rows = [(f"`{code}`", str(kind.status), kind.title, kind.advice) for code, kind in KINDS.items()]
    return table(("`code`", "Statut", "Titre", "Que faire"), rows)


def sirets_table() -> str:
    rows = [(f"`{line.siret}`", line.name, line.shows) for line in sandbox_sirets()]
    return table(("SIRET", "Entreprise", "Ce qu’il montre"), rows)


def test_every_problem_is_in_the_api_guide() -> None:
    expected = problems_table()

    assert between(read("docs/api.md"), "problems") == expected, f"write this into docs/api.md:\n{expected}"


def test_every_sandbox_siret_is_in_the_readme_with_what_it_shows() -> None:
    expected = sirets_table()

    assert between(read("README.md"), "sirets") == expected, f"write this into README.md:\n{expected}"


def between_headings(page: str, heading: str) -> str:
    """Return a section of a page, from its heading to the next one."""
    return read(page).partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def shown(default: Any) -> str:
    """Return a setting's default as the table writes it."""
    if default is None or default == ():
        return "—"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, Path):
        return f"`{default.relative_to(ROOT)}`"
    if isinstance(default, tuple):
        return f"`{','.join(default)}`"
    return f"`{default}`"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_in_the_operations_guide_with_its_default(name: str) -> None:
    default = shown(Settings.model_fields[name].default)

    assert f"\n| `PERMITS_{name.upper()}` | {default} | " in read("docs/operations.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_names_a_setting_that_does_not_exist(page: Path) -> None:
    named = set(re.findall(r"PERMITS_[A-Z0-9_]*[A-Z0-9]", page.read_text(encoding="utf-8")))

    assert named <= {f"PERMITS_{name.upper()}" for name in Settings.model_fields}


@pytest.mark.parametrize("verdict", Verdict)
def test_what_becomes_of_each_verdict_is_told(verdict: Verdict) -> None:
    assert f"`{verdict}`" in between_headings("docs/registry.md", "Ce que devient chaque réponse")


@pytest.mark.parametrize("counter", [name for name in vars(metrics) if name.isupper()])
def test_every_counter_of_the_registry_is_told_with_its_labels(counter: str) -> None:
    (family,) = getattr(metrics, counter).describe()
    name = f"{family.name}_total" if family.type == "counter" else family.name
    labels = ",".join(getattr(metrics, counter)._labelnames)

    assert f"| `{name}{f'{{{labels}}}' if labels else ''}` |" in read("docs/registry.md")


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.json")), ids=lambda path: path.stem)
def test_every_example_is_in_the_readme(path: Path) -> None:
    assert f"\n| `{path.name}` | " in read("README.md")


def commands() -> set[str]:
    """Return every `permits …` command, groups included."""
    root = typer.main.get_command(app)
    groups: dict[str, Any] = getattr(root, "commands", {})
    names = set(groups)
    for name, group in groups.items():
        names |= {f"{name} {inner}" for inner in getattr(group, "commands", {})}
    return names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_shows_exists(page: Path) -> None:
    """In code only: after `permits` or at the start of a line, as somebody would type it."""
    text = page.read_text(encoding="utf-8")
    known = commands()
    shown_commands = re.findall(r"(?:`|\.venv/bin/)permits ([a-z-]+)(?: ([a-z-]+))?", text)
    unknown = {first for first, second in shown_commands if first not in known}
    unknown |= {
        f"{first} {second}"
        for first, second in shown_commands
        if first in {"checkpoint", "keys", "rulebook", "sirene"} and f"{first} {second}".strip() not in known
    }
    targets = set(re.findall(r"(?:`|^)(?:[A-Z_]+=\S+ )*make ([a-z]+)", text, re.MULTILINE))
    unknown |= {f"make {target}" for target in targets if f"\n{target}:" not in read("Makefile")}

    assert not unknown


def test_every_decision_is_in_the_index_and_numbers_follow() -> None:
    index = read("docs/decisions/README.md")

    assert [path.name[:4] for path in DECISIONS] == [f"{number:04}" for number in range(1, len(DECISIONS) + 1)]
    missing = [path.name for path in DECISIONS if f"\n| [{path.name[:4]}]({path.name}) | " not in index]
    assert not missing


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_every_decision_has_its_four_parts(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert text.startswith(f"# {path.name[:4]}. ")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == [
        "Context",
        "Decision",
        "Consequences",
        "Alternatives weighed",
    ]


def slugs(text: str) -> set[str]:
    """Return the anchors that the headings of a page make."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path, text: str) -> list[str]:
    """Return the links of a page that lead to no file, or to no heading of it."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        there = page.parent / name if name else page
        if not there.exists() or (anchor and anchor not in slugs(text if not name else there.read_text("utf-8"))):
            broken.append(target)
    return broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    assert not broken_links(page, page.read_text(encoding="utf-8"))


def test_a_broken_link_would_be_seen() -> None:
    """Negative control."""
    page = ROOT / "README.md"

    assert broken_links(page, "[a](nowhere.md) [b](README.md) [c](#d) [e](https://example.org)") == ["nowhere.md", "#d"]
    assert broken_links(page, "# D e’f\n[c](#d-ef)") == []


def _scale_with(fragment: dict[str, Any]) -> Scale:
    """A scale with what a fragment of the guide shows: words of a line, or adjustments."""
    line = {"label": "Ligne", "kinds": ["skip"], "unit": "m2"}
    if "packages" not in fragment:
        line["per"] = "day"
    if not {"rate", "rates", "bands", "packages"} & fragment.keys():
        line["rate"] = "1.00"
    adjustments = fragment.pop("adjustments", [])
    zones = ["hyper-centre", "centre"]
    values = {"name": "Guide", "rounding": {"line": "0.01"}, "when_replaced": "first_day", "zone_order": zones}
    return Scale.model_validate(values | {"items": [line | fragment], "adjustments": adjustments})


def test_the_rulebook_guide_shows_entries_that_load() -> None:
    files = read_directory(ROOT / "rulebooks" / "exemple")
    blocks = re.findall(r"^```yaml\n(.*?)^```$", read("docs/rulebook.md"), re.MULTILINE | re.DOTALL)
    limit, end, competences, endings, fee_terms, police_order, *others = blocks
    periods, calendars, questions, prescription, tariff, *fragments = others
    authority = files["authority.yaml"]
    own = {
        "limits/footway_min_clear_width_m.yaml": limit,
        "authority.yaml": authority[: authority.index("competences:")]
        + competences
        + authority[authority.index("signatories:") : authority.index("ending_fee_terms:")]
        + endings
        + fee_terms
        + police_order,
        "forbidden_periods.yaml": periods,
        "calendars.yaml": calendars,
        "questions.yaml": questions,
        "prescriptions.yaml": prescription,
        "tariffs/droits_de_voirie.yaml": tariff + end,
    }
    rulebook = load(files | own)

    assert own.keys() - files.keys() == {"calendars.yaml"}
    assert len(fragments) >= 7
    for fragment in fragments:
        assert _scale_with(read_yaml(fragment)).items
    assert [str(rulebook.limits.footway_min_clear_width_m.on(date(year, 1, 1)).value) for year in (2027, 2028)] == [
        "1.40",
        "1.60",
    ]
    assert rulebook.authority.police_order is not None and len(rulebook.authority.police_order.visas) == 2
    with pytest.raises(NotInForce):
        rulebook.tariff.on(date(2030, 1, 1))
