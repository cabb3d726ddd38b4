from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest

from permits.document import french


@pytest.mark.parametrize(
    ("value", "decimals", "written"),
    [
        ("0", 0, "0"),
        ("12.50", 0, "12,5"),
        ("12.50", 2, "12,50"),
        ("1234567.8", 0, "1\u202f234\u202f567,8"),
        ("-3", 0, "\u22123"),
        ("1E+3", 0, "1\u202f000"),
        ("0.4725", 2, "0,4725"),
    ],
)
def test_numbers_take_a_comma_and_narrow_spaces(value: str, decimals: int, written: str) -> None:
    assert french.number(Decimal(value), decimals) == written


def test_money_keeps_its_cents_and_its_sign_on_one_line() -> None:
    assert french.money(Decimal("92.4")) == "92,40\u00a0€"
    assert french.money(Decimal("12345.60")) == "12\u202f345,60\u00a0€"


def test_money_is_never_rounded() -> None:
    assert french.money(Decimal("0.125")) == "0,125\u00a0€"


def test_measures_have_two_decimals() -> None:
    assert french.metres(Decimal("1.2")) == "1,20\u00a0m"
    assert french.square_metres(Decimal("9.60")) == "9,60\u00a0m²"


def test_a_siret_is_read_in_four_groups() -> None:
    assert french.spaced_siret("73282932000074") == "732\u00a0829\u00a0320\u00a000074"


def test_the_first_of_the_month_is_an_ordinal() -> None:
    assert french.long_date(date(2027, 1, 1)) == "1er\u00a0janvier\u00a02027"
    assert french.long_date(date(2027, 8, 21)) == "21\u00a0août\u00a02027"


def test_an_instant_is_told_on_the_paris_clock() -> None:
    assert french.paris_moment(datetime(2027, 6, 30, 22, 5, tzinfo=UTC)) == "1er juillet 2027 à 0 h 05".replace(
        " ", "\u00a0"
    ).replace("\u00a0à\u00a0", " à ")
    assert french.paris_date(datetime(2027, 12, 31, 23, 30, tzinfo=UTC)) == "1er\u00a0janvier\u00a02028"


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        french.paris_date(datetime(2027, 1, 1))


def test_the_eve_crosses_months_and_years() -> None:
    assert french.eve(date(2027, 3, 16)) == "15\u00a0mars\u00a02027"
    assert french.eve(date(2028, 3, 1)) == "29\u00a0février\u00a02028"
    assert french.eve(date(2027, 1, 1)) == "31\u00a0décembre\u00a02026"


@pytest.mark.parametrize("text", ["l'acte n° 3", "l'acte n° 3.", "l’acte n°\u00a03 ;"])
def test_a_clause_leaves_the_stop_to_its_sentence(text: str) -> None:
    assert french.clause(text) == "l’acte n°\u00a03"


def test_hours_are_short() -> None:
    assert french.hour(time(8)) == "8\u00a0h"
    assert french.hour(time(17, 5)) == "17\u00a0h\u00a005"


def test_days_count_both_ends() -> None:
    assert french.day_count(date(2027, 3, 1), date(2027, 3, 12)) == 12
    assert french.day_count(date(2027, 3, 1), date(2027, 3, 1)) == 1


def test_a_period_of_one_day_is_one_day() -> None:
    assert french.period(date(2027, 3, 1), date(2027, 3, 1)) == "le 1er\u00a0mars\u00a02027"
    assert french.period(date(2027, 3, 1), date(2027, 3, 12)) == "du 1er\u00a0mars\u00a02027 au 12\u00a0mars\u00a02027"


@pytest.mark.parametrize(
    ("plain", "typeset"),
    [
        ("l'accès", "l’accès"),
        ("oui ; non ! pourquoi ?", "oui\u202f; non\u202f! pourquoi\u202f?"),
        ("durée : 3 jours", "durée\u00a0: 3\u00a0jours"),
        ("« ici »", "«\u00a0ici\u00a0»"),
        ("n° 12, art. L. 2213-6", "n°\u00a012, art.\u00a0L.\u00a02213-6"),
        ("1er mars 2027", "1er\u00a0mars\u00a02027"),
        ("http://a.example:8080/x?y", "http://a.example:8080/x?y"),
    ],
)
def test_prose_is_typeset(plain: str, typeset: str) -> None:
    assert french.typeset(plain) == typeset


def test_typesetting_twice_changes_nothing_more() -> None:
    once = french.typeset("l'acte n° 3 : « vu » ; 12 m² !")
    assert french.typeset(once) == once


@pytest.mark.parametrize("text", ["Vu le code ;", "le code", "le code."])
def test_a_visa_reads_the_same_however_it_was_written(text: str) -> None:
    assert french.visa(text) == "le code"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("elle gêne peu", "qu’elle gêne peu"),
        ("la voie est large", "que la voie est large"),
        ("que la voie est large ;", "que la voie est large"),
        ("Considérant qu'elle est large", "qu’elle est large"),
        ("quelques piétons passent", "que quelques piétons passent"),
        ("L'échafaudage empiète sur la rue.", "que l’échafaudage empiète sur la rue"),
        ("Le constat du 3 mars le montre.", "que le constat du 3 mars le montre"),
        ("Aucune autre emprise n'est possible", "qu’aucune autre emprise n’est possible"),
        ("À la date du 3 mars, rien n'a changé", "qu’à la date du 3 mars, rien n’a changé"),
        ("Lemaire SARL occupe la rue", "que Lemaire SARL occupe la rue"),
        ("ÉCHAFAUDAGES DU MODÈLE occupe la rue", "qu’ÉCHAFAUDAGES DU MODÈLE occupe la rue"),
        ("Onze riverains s'en plaignent", "que onze riverains s’en plaignent"),
    ],
)
def test_a_consideration_gets_its_conjunction(text: str, said: str) -> None:
    assert french.consideration(text) == said
