"""The permit under attack, sealed in each way there is."""

from collections.abc import Callable
from functools import cache

import pytest

from permits.document.sealing.seal import Seal
from tests.document.attacks.target import Target
from tests.document.conftest import town_seal
from tests.document.test_stamps import seal_of
from tests.pki import Pki

SEALS = ("RSA-3072", "P-256", "deferred", "B-T", "B-LT")


@pytest.fixture(scope="session")
def target_of(pdf: bytes, seal: Seal, one_pki: Pki) -> Callable[[str], Target]:
    """Return the permit under the demonstration seal, a town's, or one with a chain, at each of its levels."""
    makers: dict[str, Callable[[], Seal]] = {
        "RSA-3072": lambda: seal,
        "P-256": town_seal,
        "deferred": lambda: Seal(one_pki.key()),
        "B-T": lambda: seal_of(one_pki, with_roots=False),
        "B-LT": lambda: seal_of(one_pki),
    }

    @cache
    def target(kind: str) -> Target:
        by = makers[kind]()
        sealed = by.seal(pdf)
        return Target(pdf, sealed.content, by, sealed.level, (one_pki.root,) if by.key.chain else ())

    return target
