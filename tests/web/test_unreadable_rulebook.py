"""A kept rulebook that can't be read any more is told as such to whoever asks for what it decided."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from permits.domain.calendar import paris_day
from permits.laws import KeptLaws
from tests.acting import publications_of
from tests.fakes import FakeOffice
from tests.register.forcing import superuser
from tests.web.conftest import Api


@pytest.fixture
def office(office: FakeOffice) -> FakeOffice:
    """An office that reads its law from the book."""
    publications, at = publications_of(office), office.clock()
    publications.adopt(office.desk.law.rulebook.digest, paris_day(at), at)
    office.desk = replace(office.desk, laws=KeptLaws(publications))
    return office


def test_a_trace_or_a_law_that_rests_on_it_is_a_problem_of_ours_and_not_an_error(
    api: Api, office: FakeOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    permit: dict[str, Any] = api.post().json()["permit"]
    code = permit["verification_url"].rsplit("/", 1)[1]
    asked = (f"/v/{code}/trace", f"/v1/permits/{permit['number']}/trace", "/v1/rulebook", "/reglement")
    assert [api.get(path).status_code for path in asked] == [200] * 4

    with office.register.engine.begin() as connection, superuser(connection):
        connection.execute(text("UPDATE rulebook SET files = files - 'retention.yaml'"))
    monkeypatch.setattr(office.desk.laws, "_known", {})  # as in a service that has just started
    for path in asked:
        answer = api.get(path)
        assert (answer.status_code, answer.json()["code"]) == (503, "rulebook_unreadable")
    assert api.get("/v1/rulebook?on=" + str(paris_day(office.clock()) - timedelta(days=1))).status_code == 503
