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
