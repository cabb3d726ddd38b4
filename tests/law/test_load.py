"""Reading a rulebook: every mistake is told with its file and its line or key; the demo rulebook is whole."""

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from permits.domain.dated import Dated, NotInForce
from permits.domain.decision import Citation, Verification
from permits.domain.limits import Limits
from permits.domain.model import Value
from permits.domain.rulebook import CITED_RULES, Rulebook
from permits.law.load import RulebookError, digest_of, load, load_directory, read_directory
from tests.domain.builders import RULEBOOK_DIRECTORY, TEXT, demo_rulebook

FOOTWAY = "limits/footway_min_clear_width_m.yaml"
NOTICE = "limits/notice_working_days.yaml"
TARIFF = "tariffs/droits_de_voirie.yaml"
PRESCRIPTIONS = "prescriptions.yaml"
PERIODS = "forbidden_periods.yaml"
ZONES = "zones.geojson"


@cache
def demo_files() -> dict[str, str]:
    return read_directory(RULEBOOK_DIRECTORY)


def with_change(name: str, before: str, after: str) -> dict[str, str]:
    """The demo files, with the first `before` of one of them written `after`."""
    text = demo_files()[name]
    assert before in text
    return demo_files() | {name: text.replace(before, after, 1)}


def line_of(name: str, words: str, after: str = "") -> int:
    """The line of the demo file on which these words begin, after others."""
    text = demo_files()[name]
    return text[: text.index(words, text.index(after))].count("\n") + 1


def without(name: str) -> dict[str, str]:
    return {other: text for other, text in demo_files().items() if other != name}


def told(files: dict[str, str]) -> tuple[str, str]:
    """The file that the loader names, and all that it says."""
    with pytest.raises(RulebookError) as error:
        load(files)
    assert str(error.value).startswith(f"{error.value.file}: ")
    return error.value.file, str(error.value)


# --- one test a mistake ------------------------------------------------------------------------


def test_the_demo_rulebook_is_read_without_a_word() -> None:
    assert load(demo_files()).authority.identity.name == "Commune d’Exemple-Ville"


@pytest.mark.parametrize(
    ("name", "before", "after", "line"),
    [
        (FOOTWAY, "unit: m\n", "unit: m\nunit: cm\n", 3),
        (FOOTWAY, "values:\n", "values:\n  2026-01-01: {abrogated: true, cites: {text: x}}\n", 6),
        (PRESCRIPTIONS, "- id: DISPLAY\n", "- id: DISPLAY\n  id: LIGHT\n", 7),
        (TARIFF, 'rate: "1.20"}', 'rate: "1.20", rate: "0.00"}', 14),
        ("rules.yaml", "PAYER:\n", "SIRET-EXISTS: {text: x}\nPAYER:\n", 12),
    ],
)
def test_a_key_given_twice_is_told_with_its_line(name: str, before: str, after: str, line: int) -> None:
    file, said = told(with_change(name, before, after))
    assert file == name
    assert f"ligne {line}: « " in said
    assert "est donné deux fois" in said


def test_a_key_that_is_not_a_word_is_told_with_its_line() -> None:
    file, said = told(with_change(FOOTWAY, "unit: m\n", "? [unit]\n: m\n"))
    assert file == FOOTWAY
    assert "ligne 2: une clé est un mot" in said


@pytest.mark.parametrize(
    ("name", "before", "after", "key"),
    [
        (FOOTWAY, "label:", "lable:", "label"),
        (FOOTWAY, "unit: m\n", "unit: m\nnote: x\n", "note"),
        (FOOTWAY, "    value:", "    valeur:", "valeur"),
        (TARIFF, 'rate: "1.20"', 'rate: "1.20", discount: "1"', "discount"),
        (PRESCRIPTIONS, "  kinds:", "  kind:", "kind"),
        (PERIODS, "  zone: marche", "  zone: marche\n  where: here", "where"),
        ("authority.yaml", "crs:", "srid: 1\ncrs:", "srid"),
        ("authority.yaml", "  permits: EX", "  permits: EX\n  renewals: RX", "series > renewals"),
        ("rules.yaml", "PAYER:", "PAYEUR:", "PAYER"),
    ],
)
def test_a_key_that_nobody_knows_is_told(name: str, before: str, after: str, key: str) -> None:
    file, said = told(with_change(name, before, after))
    assert file == name
    assert key in said


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("  sandbox: EXS", "  sandbox: exs", "series > sandbox: "),
        ("    acts: [abrogation, withdrawal]", "    acts: [refusal]", "endings > 0 > acts > 0: "),
        ("    acts: [abrogation, withdrawal]", "    acts: []", "endings > 0 > acts: "),
        ("    within_months: 4", "    within_months: 0", "endings > 0 > within_months: "),
        ("  - id: illegal", "  - id: Illegal", "endings > 0 > id: "),
        ("  - road: departmental", "  - road: communal", "competences > 1 > road: cette voie a déjà sa compétence"),
        ("  - road: departmental", "  - road: avenue", "competences > 1 > road: "),
    ],
)
def test_what_the_authority_can_not_be_is_told_with_its_line(before: str, after: str, said: str) -> None:
    told_all = told(with_change("authority.yaml", before, after))[1]
    assert told_all.startswith(f"authority.yaml: ligne {line_of('authority.yaml', before)}, {said}"), told_all


def test_two_series_of_one_prefix_are_told() -> None:
    files = with_change("authority.yaml", "  refusals: EXR", "  refusals: EX")
    line = line_of("authority.yaml", "series:")
    assert told(files)[1] == f"authority.yaml: ligne {line}, series: chaque suite de numéros a un préfixe à elle"


def test_two_endings_of_one_name_are_told() -> None:
    files = with_change("authority.yaml", "  - id: condition_not_met", "  - id: illegal")
    line = line_of("authority.yaml", "  - id: condition_not_met")
    assert told(files)[1] == f"authority.yaml: ligne {line}, endings > 1 > id: donné deux fois : illegal"


def test_police_orders_are_not_drafted_without_texts_to_cite() -> None:
    text = demo_files()["authority.yaml"]
    before, section = text.split("police_order:\n")
    no_visa = before + "police_order:\n  visas: []\n" + section[section.index("  signs:") :]
    line = line_of("authority.yaml", "  visas:", after="police_order:")
    said = told(demo_files() | {"authority.yaml": no_visa})[1]
    assert said.startswith(f"authority.yaml: ligne {line}, police_order > visas: "), said


def test_a_rulebook_may_name_neither_ending_police_order_nor_any_series_but_that_of_permits() -> None:
    text = demo_files()["authority.yaml"]
    text = re.sub(r"^  (refusals|abrogations|sandbox): \w+\n", "", text[: text.index("endings:")], flags=re.MULTILINE)
    authority = load(demo_files() | {"authority.yaml": text}).authority
    assert (authority.endings, authority.police_order) == ((), None)
    assert authority.series.model_dump(exclude_none=True) == {"permits": "EX"}


def test_a_text_for_a_rule_that_does_not_exist_is_told() -> None:
    file, said = told(with_change("rules.yaml", "PAYER:", "PAYEUR: {text: xxx}\nPAYER:"))
    assert (file, said) == ("rules.yaml", "rules.yaml: ligne 12, PAYEUR: aucune règle ne s’appelle PAYEUR")


@pytest.mark.parametrize("rule", sorted(CITED_RULES))
def test_a_rule_without_its_text_is_told(rule: str) -> None:
    text = re.sub(rf"^{rule}:\n(?:  .*\n)+", "", demo_files()["rules.yaml"], flags=re.MULTILINE)
    file, said = told(demo_files() | {"rules.yaml": text})
    assert (file, said) == ("rules.yaml", f"rules.yaml: ligne 1: il manque le texte de {rule}")


@pytest.mark.parametrize(
    "name",
    [
        "limits/footway_min_clear_width.yaml",
        "limits/more/footway_min_clear_width_m.yaml",
        "limits/zones.geojson",
        "prescription.yaml",
        "notes.yaml",
        "copy.geojson",
    ],
)
def test_a_file_of_an_unknown_name_is_told(name: str) -> None:
    file, said = told(demo_files() | {name: demo_files()[FOOTWAY]})
    assert file == name
    assert "aucun fichier ne porte ce nom" in said


@pytest.mark.parametrize(
    "name",
    [
        "authority.yaml",
        "rules.yaml",
        PERIODS,
        PRESCRIPTIONS,
        ZONES,
        *(f"limits/{limit}.yaml" for limit in Limits.model_fields),
    ],
)
def test_a_missing_file_is_told(name: str) -> None:
    assert told(without(name)) == (name, f"{name}: fichier: il manque")


@pytest.mark.parametrize(
    "name",
    [FOOTWAY, TARIFF, PRESCRIPTIONS, PERIODS, "authority.yaml", "rules.yaml"],
)
def test_an_empty_file_is_told(name: str) -> None:
    assert told(demo_files() | {name: ""})[0] == name


@pytest.mark.parametrize(
    ("name", "before", "after", "where"),
    [
        (
            NOTICE,
            "    cites:\n      text: Règlement de voirie d’Exemple-Ville, art. 8 (fictif)\n",
            "",
            "2026-01-01 > cites",
        ),
        (FOOTWAY, "      text: Arrêté du 15 janvier 2007, art. 1\n", "", "cites > text"),
        (TARIFF, "      text: Délibération", "      url: Délibération", "2026-01-01 > cites > text"),
        (PERIODS, '  cites: {text: "Règlement de voirie d’Exemple-Ville, art. 14 (fictif)"}\n', "", "0 > cites"),
        (PRESCRIPTIONS, '  cites: {text: "Arrêté du 15 janvier 2007', '  zites: {text: "Arrêté', "0 > zites"),
    ],
)
def test_a_figure_without_its_text_is_told(name: str, before: str, after: str, where: str) -> None:
    file, said = told(with_change(name, before, after))
    assert file == name
    assert where in said


@pytest.mark.parametrize("verification", ["read", "secondary", "TEXT_READ", '""'])
def test_a_mark_of_verification_is_one_of_three(verification: str) -> None:
    file, said = told(with_change(FOOTWAY, "verification: secondary_source", f"verification: {verification}"))
    assert file == FOOTWAY
    assert "cites > verification" in said


@pytest.mark.parametrize(
    ("name", "before", "after", "where"),
    [
        (TARIFF, 'rate: "1.20"', 'rate: "1.20001"', "items > 0 > rate"),
        (TARIFF, 'rate: "1.20"', 'rate: "-1.20"', "items > 0 > rate"),
        (TARIFF, 'rate: "1.20"', 'rate: "1,20"', "items > 0 > rate"),
        (TARIFF, 'rate: "1.20"', 'rate: "NaN"', "items > 0 > rate"),
        (TARIFF, 'rate: "1.20"', 'rate: "Infinity"', "items > 0 > rate"),
        (TARIFF, 'rate: "1.20"', 'rate: ""', "items > 0 > rate"),
        (FOOTWAY, '"1.40"', '"-1.40"', "2026-01-01 > value"),
        (FOOTWAY, '"1.40"', "un mètre quarante", "2026-01-01 > value"),
        (FOOTWAY, '"1.40"', "NaN", "2026-01-01 > value"),
        (FOOTWAY, '"1.40"', '"1.40"\n    abrogated: true', "2026-01-01"),
        (NOTICE, "value: 5", "value: -1", "2026-01-01 > value"),
        (NOTICE, "value: 5", 'value: "5.5"', "2026-01-01 > value"),
        (NOTICE, "value: 5", "value: 3661", "2026-01-01 > value"),
        ("limits/automatic_kinds.yaml", "[scaffolding", "[scafolding", "2026-01-01 > value > 0"),
        ("limits/applicant_assurance_threshold.yaml", "confirmed_email", "an_email", "2026-01-01 > value"),
    ],
)
def test_a_figure_that_can_not_be_right_is_told(name: str, before: str, after: str, where: str) -> None:
    file, said = told(with_change(name, before, after))
    assert file == name
    assert where in said


@pytest.mark.parametrize("figure", ["1.10", ".5", "1.", "-1.10", "1e3", "1E-2", "1_000.5", ".inf", ".NaN"])
def test_a_decimal_without_quotes_is_refused_and_never_a_binary_float(figure: str) -> None:
    file, said = told(with_change(FOOTWAY, '"1.40"', figure))
    assert file == FOOTWAY
    advice = f' : "{figure}"' if figure in ("1.10", "-1.10") else ', par exemple "1234.50"'
    assert said == f"{FOOTWAY}: ligne 6: un nombre à décimales s’écrit entre guillemets{advice}"


def test_a_quoted_decimal_is_kept_as_written() -> None:
    files = with_change(FOOTWAY, '"1.40"', '"1.10"')
    assert str(load(files).limits.footway_min_clear_width_m.on(date(2026, 1, 1)).value) == "1.10"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("label: [x\nunit: m\n", 1),
        ("label: x\n\tunit: m\n", 2),
        ("label: x\nunit: 'm\n", 2),
        ("label: x\n--- \nlabel: y\n", 2),
        ("label: x: y\n", 1),
        ("&a label: *b\n", 1),
        ("label: {footway} m\n", 1),
    ],
)
def test_malformed_yaml_is_told_with_its_line(text: str, line: int) -> None:
    file, said = told(demo_files() | {FOOTWAY: text})
    assert file == FOOTWAY
    assert f": ligne {line}: " in said


def test_a_control_character_in_yaml_is_told() -> None:
    file, said = told(demo_files() | {FOOTWAY: "label: \x07\n"})
    assert file == FOOTWAY
    assert f"{FOOTWAY}: ligne 1: caractère interdit U+0007 : effacez-le" == said


@pytest.mark.parametrize("day", ["2026-02-30", "2026-13-01", "01/01/2026", "2026", "1767225600", "2026-01-01T00:00"])
@pytest.mark.parametrize(
    ("name", "before", "where"),
    [
        (FOOTWAY, "  2026-01-01:", "values"),
        (FOOTWAY, "checked_on: 2026-11-23", "checked_on"),
        (TARIFF, "  2026-01-01:", "values"),
        (PERIODS, "from_day: 2026-12-12", "0 > from_day"),
        ("authority.yaml", "from_day: 2026-01-01", "signatories > 0 > from_day"),
    ],
)
def test_a_day_that_does_not_exist_is_told(day: str, name: str, before: str, where: str) -> None:
    file, said = told(with_change(name, before, re.sub(r"\d{4}-\d\d-\d\d", f'"{day}"', before)))
    assert file == name
    assert f", {where}" in said


def test_a_period_that_ends_before_it_begins_is_told() -> None:
    file, said = told(with_change(PERIODS, "to_day: 2027-01-03", "to_day: 2026-12-11"))
    assert file == PERIODS
    assert "ligne 1, 0: to_day précède from_day" in said


def test_a_forbidden_period_in_a_zone_that_does_not_exist_is_told() -> None:
    file, said = told(with_change(PERIODS, "zone: quais", "zone: quai"))
    assert (file, said) == (PERIODS, f"{PERIODS}: ligne 9, 1 > zone: aucune zone ne s’appelle quai")


@pytest.mark.parametrize(
    ("name", "before", "after", "where", "twice"),
    [
        (PERIODS, "id: foire-hiver-2027", "id: saison-2027", "ligne 13, 2 > id", "saison-2027"),
        (PRESCRIPTIONS, "id: LIGHT", "id: DISPLAY", "ligne 9, 2 > id", "DISPLAY"),
        (ZONES, '"id": "quais"', '"id": "marche"', "ligne 8, features > 2 > properties > id", "marche"),
    ],
)
def test_an_id_given_twice_is_told(name: str, before: str, after: str, where: str, twice: str) -> None:
    assert told(with_change(name, before, after)) == (name, f"{name}: {where}: donné deux fois : {twice}")


@pytest.mark.parametrize(
    "placeholder", ["{footway_min_width_m}", "{}", "{footway_min_clear_width_m!s}", "{footway_min_clear_width_m"]
)
def test_a_prescription_that_names_an_unknown_figure_is_told(placeholder: str) -> None:
    file, said = told(with_change(PRESCRIPTIONS, "{footway_min_clear_width_m}", placeholder))
    assert file == PRESCRIPTIONS
    assert "ligne 2, 0 > text: " in said


_ABROGATED = "    abrogated: true\n    cites: {text: Délibération (fictive)}\n"


@pytest.mark.parametrize(
    ("name", "before", "after", "line"),
    [
        (FOOTWAY, "  2026-01-01:", f"  2025-01-01:\n{_ABROGATED}  2026-01-01:", 5),
        (TARIFF, "  2026-01-01:", f"  2025-01-01:\n{_ABROGATED}  2026-01-01:", 6),
        (FOOTWAY, "  2026-01-01:", f"  2030-01-01:\n{_ABROGATED}  2026-01-01:", 5),
        (FOOTWAY, "  2026-01-01:", "  2026-11-24:", 5),
    ],
)
def test_a_hole_in_time_is_told(name: str, before: str, after: str, line: int) -> None:
    file, said = told(with_change(name, before, after))
    assert file == name
    assert f": ligne {line}" in said and "un trou dans le temps" in said


def test_a_tariff_may_end_and_may_begin_later_for_a_day_without_one_is_referred() -> None:
    assert load(with_change(TARIFF, "  2026-01-01:", "  2030-01-01:")).tariff.values
    ended = load(with_change(TARIFF, "  2026-01-01:", f"  2030-01-01:\n{_ABROGATED}  2026-01-01:"))
    assert len(ended.tariff.values) == 2


def test_an_unknown_word_is_told_with_the_one_that_was_meant() -> None:
    said = told(with_change(TARIFF, 'rate: "1.20"', 'rounded_upto: "1", rate: "1.20"'))[1]
    assert said.startswith(f"{TARIFF}: ligne 14, ")
    assert said.endswith("« rounded_upto » est inconnu ici : vouliez-vous écrire « rounded_up_to » ?")


def test_a_citation_without_a_title_is_told() -> None:
    assert told(with_change(FOOTWAY, "text: ", "url: "))[1] == (
        f"{FOOTWAY}: ligne 7, values > 2026-01-01 > cites > text: champ obligatoire"
    )


@pytest.mark.parametrize("name", [FOOTWAY, PRESCRIPTIONS, "authority.yaml"])
def test_a_citation_with_an_empty_title_is_told(name: str) -> None:
    text = re.sub(r"(cites:\s*\n?\s*\{?text: )(\"[^\"]*\"|.*)", r'\1""', demo_files()[name], count=1)
    file, said = told(demo_files() | {name: text})
    assert file == name
    assert f"ligne {line_of(name, 'text:', after='cites:')}, " in said
    assert said.endswith("une citation a un titre : écrivez le texte cité")


@pytest.mark.parametrize(
    ("name", "before", "after", "line", "said"),
    [
        (TARIFF, "per: week", "per: fortnight", 16, "per: valeur inconnue ; attendu : 'hour', 'half_day', 'day'"),
        (TARIFF, "per: week", "per: {days: 1}", 16, "per > days: doit être au moins 2"),
        (
            TARIFF,
            "per: week",
            "per: {day: 14}",
            16,
            "per > day: « day » est inconnu ici : vouliez-vous écrire « days »",
        ),
        (
            TARIFF,
            'rate: "3.10"',
            'rate: "3,10"',
            16,
            'un nombre s’écrit "1234.50", avec un point, sans espace ni unité',
        ),
        (TARIFF, 'rate: "3.10"', 'rate: "3.10 €"', 16, "sans espace ni unité ; lu : 3.10 €"),
        (
            TARIFF,
            "      rounding:",
            "      currency: euro\n      rounding:",
            11,
            "le code d’une monnaie en trois capitales",
        ),
        (
            TARIFF,
            '      rounding: {mode: half_up, line: "0.01"}',
            "      rounding: 2",
            11,
            "des champs sont attendus ici",
        ),
        (TARIFF, "kinds: [hoarding]", "kinds: []", 16, "donnez kinds"),
        (
            TARIFF,
            "{answers: {association: [oui]}}",
            "{answers: {association: []}}",
            25,
            "éléments attendus : 1 au moins",
        ),
        ("authority.yaml", "  permits: EX", "  permits: ex", 16, "format attendu : 2 à 8 capitales, par exemple EX"),
        (
            "authority.yaml",
            "crs: EPSG:3948",
            "crs: Lambert",
            14,
            "format attendu : EPSG: et un code, par exemple EPSG:3948",
        ),
        (
            PRESCRIPTIONS,
            "  text: ",
            "  text: Un passage de {footway_min ; ",
            2,
            "une accolade n’est pas fermée, ou pas ouverte",
        ),
        ("questions.yaml", "- id: association", "- id: m2", 2, "m2 est un mot du barème : prenez un autre nom"),
        (FOOTWAY, "label: ", f"label: {'x' * 4001} ", 1, "un texte passe 4000 caractères"),
    ],
)
def test_a_mistake_is_told_in_the_words_of_who_writes(name: str, before: str, after: str, line: int, said: str) -> None:
    file, message = told(with_change(name, before, after))
    assert (file, f": ligne {line}" in message, said in message) == (name, True, True), message
    assert "[" not in message.split(": ", 2)[1]


def test_two_tariff_files_are_told() -> None:
    file, said = told(demo_files() | {"tariffs/marches.yaml": demo_files()[TARIFF]})
    assert file == "tariffs/"
    assert f"un seul fichier de tarif est attendu, trouvé : {TARIFF}, tariffs/marches.yaml" in said


def test_a_rulebook_without_a_tariff_is_told() -> None:
    file, said = told(without(TARIFF))
    assert file == "tariffs/"
    assert "trouvé : aucun" in said


def a_feature(**changes: Any) -> dict[str, Any]:
    ring = [[-3.9, 48.36], [-3.86, 48.36], [-3.86, 48.39], [-3.9, 48.36]]
    feature = {
        "type": "Feature",
        "properties": {"id": "territory", "label": "Ressort"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    return feature | changes


def zones(*features: Any) -> dict[str, str]:
    return demo_files() | {ZONES: json.dumps({"type": "FeatureCollection", "features": features}), PERIODS: "[]"}


RING = a_feature()["geometry"]["coordinates"][0]


def test_a_territory_alone_is_enough() -> None:
    assert [zone.id for zone in load(zones(a_feature())).zones] == ["territory"]


@pytest.mark.parametrize(
    ("feature", "where"),
    [
        (a_feature(properties={"label": "Ressort"}), "features > 1"),
        (a_feature(properties=None), "features > 1"),
        (a_feature(geometry=None), "features > 1"),
        (a_feature(geometry={"type": "Point", "coordinates": [0, 0]}), "features > 1"),
        (a_feature(geometry={"type": "MultiPolygon", "coordinates": [[RING]]}), "features > 1"),
        (a_feature(geometry={"type": "Polygon", "coordinates": [RING, RING]}), "features > 1"),  # a hole
        (a_feature(geometry={"type": "Polygon", "coordinates": []}), "features > 1"),
        ("a feature", "features > 1"),
        (
            a_feature(geometry={"type": "Polygon", "coordinates": [RING[:3]]}),
            "1 > geometry > coordinates > 0: éléments attendus : 4 au moins",
        ),
        (
            a_feature(geometry={"type": "Polygon", "coordinates": [[*RING[:-1], [0, 0]]]}),
            "la zone territory n’est pas fermée",
        ),
        (
            a_feature(geometry={"type": "Polygon", "coordinates": [[*RING[:-1], [1, 2, 3]]]}),
            "1 > geometry > coordinates > 0 > 3",
        ),
        (a_feature(geometry={"type": "Polygon", "coordinates": [["x", *RING]]}), "1 > geometry > coordinates > 0 > 0"),
        (a_feature(properties={"id": 3, "label": "Trois"}), "1 > properties > id"),
    ],
)
def test_a_zone_that_is_not_one_closed_ring_is_told(feature: Any, where: str) -> None:
    file, said = told(zones(a_feature(properties={"id": "first", "label": "Première"}), feature))
    assert file == ZONES
    assert where in said


def test_zones_without_a_territory_are_told() -> None:
    file, said = told(zones(a_feature(properties={"id": "marche", "label": "Marché"})))
    assert (file, said) == (ZONES, f"{ZONES}: ligne 1, features: aucune zone ne s’appelle territory")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{"type": "FeatureCollection",\n"features": [}', "ligne 2"),
        ("", "ligne 1"),
        ("[]", "features"),
        ("null", "features"),
        ('{"type": "FeatureCollection"}', "features"),
        ('{"features": [],\n "features": []}', "ligne 2: « features » est donné deux fois"),
        ('{"features": 3}', "features"),
    ],
)
def test_geojson_that_is_not_a_collection_is_told(text: str, where: str) -> None:
    file, said = told(demo_files() | {ZONES: text})
    assert file == ZONES
    assert where in said


def test_a_coordinate_that_is_no_number_is_told() -> None:
    file, said = told(with_change(ZONES, "[-3.9, 48.36]", "[NaN, 48.36]"))
    assert file == ZONES
    assert "ligne 5, features > 0 > geometry > coordinates > 0 > 0 > 0" in said


# --- the directory -----------------------------------------------------------------------------


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for name, text in demo_files().items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def test_a_directory_is_read_with_the_files_it_holds(directory: Path) -> None:
    rulebook, files = load_directory(directory)
    assert files == demo_files()
    assert rulebook == demo_rulebook()


def test_a_file_that_is_not_utf_8_is_told(directory: Path) -> None:
    (directory / FOOTWAY).write_bytes("label: Largeur libérée\n".encode("latin-1"))
    with pytest.raises(RulebookError, match=f"{FOOTWAY}: ligne 1: n’est pas en UTF-8"):
        read_directory(directory)


def test_a_directory_without_a_rulebook_is_told(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("rien")
    with pytest.raises(RulebookError, match="0 trouvés"):
        read_directory(tmp_path)
    with pytest.raises(RulebookError, match="aucun dossier ne porte ce nom"):
        read_directory(tmp_path / "nowhere")


def test_other_files_beside_are_left_alone(directory: Path) -> None:
    (directory / "README.md").write_text("rien")
    assert load_directory(directory)[0].digest == demo_rulebook().digest


def test_a_file_too_large_is_told(directory: Path) -> None:
    text = demo_files()[FOOTWAY]
    (directory / FOOTWAY).write_text(text + "#" * (2_000_000 - len(text.encode())), encoding="utf-8")
    assert load_directory(directory)[0].limits == demo_rulebook().limits
    (directory / FOOTWAY).write_text(text + "#" * (2_000_001 - len(text.encode())), encoding="utf-8")
    with pytest.raises(RulebookError, match=f"{FOOTWAY}: fichier: plus de 2000000 octets"):
        read_directory(directory)


def test_a_directory_of_more_than_500_files_is_told(tmp_path: Path) -> None:
    for number in range(500):
        (tmp_path / f"{number}.yaml").touch()
    assert len(read_directory(tmp_path)) == 500
    (tmp_path / "500.yaml").touch()
    with pytest.raises(RulebookError, match="501 trouvés"):
        read_directory(tmp_path)


# --- the digest --------------------------------------------------------------------------------


def test_the_digest_is_that_of_the_files_as_sorted_compact_utf_8_json() -> None:
    files = {"b.yaml": "é\n", "a.yaml": ""}
    assert digest_of(files) == hashlib.sha256('{"a.yaml":"","b.yaml":"é\\n"}'.encode()).hexdigest()


def test_the_digest_names_the_files_whatever_their_order() -> None:
    shuffled = dict(reversed(demo_files().items()))
    assert load(shuffled).digest == demo_rulebook().digest == digest_of(demo_files())
    assert re.fullmatch(r"[0-9a-f]{64}", demo_rulebook().digest)


@pytest.mark.parametrize("name", sorted(read_directory(RULEBOOK_DIRECTORY)))
def test_the_digest_changes_when_a_file_changes_by_one_character(name: str) -> None:
    text = demo_files()[name]
    changed = [text + " ", text[:-1], "!" + text[1:], text.replace("e", "é", 1)]
    digests = {digest_of(demo_files() | {name: each}) for each in changed}
    assert len(digests) == len(changed)
    assert digest_of(demo_files()) not in digests


def test_the_digest_changes_when_a_file_is_renamed_or_two_are_exchanged() -> None:
    one, other = "limits/silence_months.yaml", NOTICE
    exchanged = demo_files() | {one: demo_files()[other], other: demo_files()[one]}
    renamed = without(one) | {"limits/silence.yaml": demo_files()[one]}
    assert len({digest_of(files) for files in (demo_files(), exchanged, renamed)}) == 3


# --- the demo rulebook is whole ----------------------------------------------------------------


def gaps(figure: Dated[Any], first: date, last: date) -> list[date]:
    """The days from `first` to `last` on which a figure has no value."""
    missing = []
    day = first
    while day <= last:
        try:
            figure.on(day)
        except NotInForce:
            missing.append(day)
        day += timedelta(days=1)
    return missing


def every_figure(rulebook: Rulebook) -> dict[str, Dated[Any]]:
    return {name: getattr(rulebook.limits, name) for name in Limits.model_fields} | {"tariff": rulebook.tariff}


@pytest.mark.parametrize("name", [*Limits.model_fields, "tariff"])
def test_no_figure_has_a_gap_from_the_first_day_to_the_end_of_next_year(name: str) -> None:
    figures = every_figure(demo_rulebook())
    first = min(day for figure in figures.values() for day in figure.values)
    last = date(date.today().year + 1, 12, 31)
    assert first == date(2026, 1, 1)
    assert gaps(figures[name], first, last) == []


def test_a_gap_would_be_found() -> None:
    entry = {"value": "1", "cites": TEXT}
    values = {date(2026, 1, 2): entry, date(2026, 1, 4): {"abrogated": True, "cites": TEXT}}
    figure = Dated[Decimal].model_validate(
        {"label": "Essai", "unit": "m", "checked_on": date(2026, 1, 1), "values": values}
    )
    found = gaps(figure, date(2026, 1, 1), date(2026, 1, 7))
    assert [day.day for day in found] == [1, 4, 5, 6, 7]


def citations(value: object) -> Iterator[Citation]:
    """Every citation inside a value."""
    if isinstance(value, Citation):
        yield value
    elif isinstance(value, Value):
        yield from (each for name in type(value).model_fields for each in citations(getattr(value, name)))
    elif isinstance(value, dict):
        yield from (each for inner in value.values() for each in citations(inner))
    elif isinstance(value, tuple):
        yield from (each for inner in value for each in citations(inner))


def test_every_citation_of_the_demo_rulebook_has_a_text() -> None:
    found = list(citations(demo_rulebook()))
    written = "".join(demo_files().values())
    assert len(found) == len(re.findall(r"cites:|^ +- text:|^[A-Z]+-?[A-Z]*:$", written, re.MULTILINE))
    assert all(len(citation.text) >= 10 for citation in found)
    assert all(citation.url is None or citation.url.startswith("https://") for citation in found)


def test_a_text_of_a_fictional_authority_says_so_and_is_never_marked_as_read() -> None:
    found = list(citations(demo_rulebook()))
    real_and_unverified = "code de la route, article R. 417-10"
    for citation in found:
        local = "Exemple-Ville" in citation.text or "2025-118" in citation.text or "2026-001" in citation.text
        assert bool(re.search(r"\(ficti(?:f|ve)\)", citation.text)) == local
        assert (citation.verification is Verification.UNVERIFIED) == (local or citation.text == real_and_unverified)
    assert {citation.verification for citation in found} == set(Verification)


def test_a_text_marked_as_read_says_where_to_read_it() -> None:
    for citation in citations(demo_rulebook()):
        assert citation.verification is not Verification.TEXT_READ or citation.url


def test_every_zone_but_the_territory_lies_inside_it_and_has_a_period_or_a_road() -> None:
    rulebook = demo_rulebook()
    (territory,) = (zone.ring for zone in rulebook.zones if zone.id == Rulebook.TERRITORY)
    west, east = min(x for x, _ in territory), max(x for x, _ in territory)
    south, north = min(y for _, y in territory), max(y for _, y in territory)
    others = [zone for zone in rulebook.zones if zone.id != Rulebook.TERRITORY]
    assert all(west <= x <= east and south <= y <= north for zone in others for x, y in zone.ring)
    periods = {period.zone for period in rulebook.forbidden_periods}
    assert {zone.id for zone in others} == periods | {zone.id for zone in others if zone.road is not None}
