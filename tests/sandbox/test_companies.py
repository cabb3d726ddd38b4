"""The fictional companies are fictional, coherent, and each is described."""

import pytest
from stdnum import luhn
from stdnum.fr import siret as stdnum_siret

from permits.sandbox.companies import SandboxSiret, companies, sandbox_sirets

REAL = {"13002526500013", "35600000009075"}
SINGULAR_KEY = "99999099100013"


@pytest.mark.parametrize("line", sandbox_sirets(), ids=lambda line: line.siret)
def test_a_published_siret_is_fictional_and_well_formed(line: SandboxSiret) -> None:
    assert line.siret.startswith("99999") or line.siret in REAL
    assert stdnum_siret.is_valid(line.siret) == (line.siret != SINGULAR_KEY)
    assert line.name
    assert line.shows[0].isupper()


def test_the_singular_key_is_right_for_the_siret_and_wrong_for_the_siren() -> None:
    # So API Entreprise's gate, which checks the fourteen digits only, lets it through.
    assert luhn.is_valid(SINGULAR_KEY)
    assert not luhn.is_valid(SINGULAR_KEY[:9])


def test_each_siret_is_published_once() -> None:
    sirets = [line.siret for line in sandbox_sirets()]
    assert len(sirets) == len(set(sirets))


def test_a_merged_siret_leads_to_an_establishment() -> None:
    for merged in companies().merged:
        assert companies().find(merged.siret) is None
        assert companies().find(merged.into)


def test_nobody_holds_the_unknown() -> None:
    for unknown in companies().unknown:
        assert companies().find(unknown.siret) is None
        assert companies().find_unit(unknown.siret[:9]) is None
