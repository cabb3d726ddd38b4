"""SIRET: what is one, and whose key is right."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from permits.domain.siret import Siret, key_is_valid, siren_of

ADAPTER: TypeAdapter[str] = TypeAdapter(Siret)
DIGITS = st.text(alphabet="0123456789", min_size=14, max_size=14).filter(lambda text: text != "0" * 14)


@pytest.mark.parametrize(
    "written",
    [
        "73282932000074",
        "732 829 320 00074",
        " 732829320 00074 ",
        "732.829.320.00074",
        "732\u00a0829\u202f320\u00a000074",
        "732\t829\n320 00074",
    ],
)
def test_spaces_and_dots_between_the_digits_are_ignored(written: str) -> None:
    assert ADAPTER.validate_python(written) == "73282932000074"


@pytest.mark.parametrize(
    "written",
    [
        "",
        " ",
        "7328293200007",  # 13 digits
        "732829320000740",  # 15 digits
        "00000000000000",
        "000 000 000 00000",
        "7328293200007A",
        "73282932-00074",
        "+3282932000074",
        "٧٣٢٨٢٩٣٢٠٠٠٠٧٤",  # Arabic-Indic digits
        "７３２８２９３２００００７４",  # full-width digits
        "7328293200007²",
        "1" * 41,
        73282932000074,
        None,
    ],
)
def test_anything_but_fourteen_digits_is_refused(written: object) -> None:
    with pytest.raises(ValidationError):
        ADAPTER.validate_python(written)


def test_a_refusal_says_what_a_siret_looks_like() -> None:
    with pytest.raises(ValidationError, match="un SIRET compte 14 chiffres"):
        ADAPTER.validate_python("123")


@given(DIGITS, st.lists(st.sampled_from([" ", ".", "\u00a0", "\u202f"]), min_size=14, max_size=14))
def test_a_siret_reads_the_same_however_it_is_spaced(digits: str, gaps: list[str]) -> None:
    spaced = "".join(digit + gap for digit, gap in zip(digits, gaps, strict=True))
    assert ADAPTER.validate_python(spaced) == digits == ADAPTER.validate_python(digits)


def test_the_siren_is_the_first_nine_digits() -> None:
    assert siren_of("73282932000074") == "732829320"


@pytest.mark.parametrize("siret", ["73282932000074", "99999001300024", "13002526500013", "35600000000048"])
def test_a_right_key_is_recognised(siret: str) -> None:
    assert key_is_valid(siret)


@given(st.sampled_from(["73282932000074", "99999001300024"]), st.integers(0, 13), st.integers(1, 9))
def test_one_wrong_digit_makes_the_key_wrong(siret: str, position: int, shift: int) -> None:
    wrong = str((int(siret[position]) + shift) % 10)
    assert not key_is_valid(siret[:position] + wrong + siret[position + 1 :])


def test_the_key_of_the_siren_counts_as_well() -> None:
    # Luhn holds over the fourteen digits, not over the first nine.
    assert not key_is_valid("73282932100015")


def test_a_branch_of_la_poste_has_its_own_key() -> None:
    assert key_is_valid("35600000049837")  # its digits add up to a multiple of five, Luhn fails
    assert not key_is_valid("35600000049838")
    assert not key_is_valid("73282932000004")  # such a sum, for another company
