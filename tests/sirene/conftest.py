from collections.abc import Iterator

import pytest
import respx
from pydantic import SecretStr

from permits.sirene.api_entreprise import ApiEntreprise
from permits.sirene.recherche_entreprises import RechercheEntreprises
from tests.sirene.answers import RECIPIENT, TOKEN
from tests.sirene.asking import Alone
from tests.sirene.clock import StoppedClock

CONTACT = "mailto:test@exemple.example"
# What is only told by waiting until a limit is reached.
SLOW = ("read timeout", "headers one byte at a time", "body one byte at a time", "hang")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave to `make proof` what is slow at a later stage of a source: its limits are those of the first."""
    for item in items:
        given = item.callspec.params if hasattr(item, "callspec") else {}
        if given.get("fault") in SLOW and "kind" in given and given["stage"] != next(iter(given["kind"].stages)):
            item.add_marker(pytest.mark.proof)


@pytest.fixture
def stopped() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def network() -> Iterator[respx.MockRouter]:
    """Every request must be expected: any other fails the test."""
    with respx.mock(assert_all_called=False) as router:
        yield router


@pytest.fixture
def api_entreprise(stopped: StoppedClock) -> Iterator[Alone]:
    source = ApiEntreprise("https://entreprise.test", SecretStr(TOKEN), RECIPIENT, contact=CONTACT, clock=stopped.clock)
    yield Alone(source, stopped.clock)
    source.close()


@pytest.fixture
def recherche(stopped: StoppedClock) -> Iterator[Alone]:
    source = RechercheEntreprises("https://recherche.test", contact=CONTACT, clock=stopped.clock)
    yield Alone(source, stopped.clock)
    source.close()
