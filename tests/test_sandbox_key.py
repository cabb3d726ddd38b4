"""What a partner tries with a sandbox key: numbers and places apart, a specimen under any seal."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from permits import acts
from permits.domain.authority import Series
from permits.domain.filing import ActNotPossible
from permits.issue import issue_permit
from tests.acting import (
    BY,
    CHANGE,
    HEARING,
    ILLEGAL,
    MARKET,
    REASONS,
    extend,
    granted,
    grounds_of,
    permit_of,
    referred,
    rows,
    with_authority,
)
from tests.fakes import OTHER_SIRET, FakeOffice


def sandbox_filing(office: FakeOffice, **changes: Any) -> Any:
    return replace(office.filing(**changes), sandbox=True)


def test_a_sandbox_permit_has_a_series_of_its_own_and_is_a_specimen_under_any_seal(office: FakeOffice) -> None:
    office.press.is_specimen = False
    real = permit_of(office)
    trial = granted(issue_permit(office.desk, sandbox_filing(office))[0])

    assert (real.number, real.permit.specimen) == ("EX-2026-000001", False)
    assert (trial.number, trial.permit.specimen) == ("EXS-2026-000001", True)


def test_every_act_on_a_sandbox_permit_is_numbered_in_the_sandbox_and_a_specimen(office: FakeOffice) -> None:
    office.press.is_specimen = False
    permit = granted(issue_permit(office.desk, sandbox_filing(office))[0])
    corrected = acts.correct(office.desk, permit.number, CHANGE, REASONS, BY)
    extended = granted(extend(office, corrected, date(2027, 1, 20)))
    withdrawn = acts.withdraw(office.desk, extended.number, ILLEGAL, BY)
    asked = replace(sandbox_filing(office), application=referred(office).filing.application)
    refused = acts.refuse(office.desk, issue_permit(office.desk, asked)[0], (MARKET,), HEARING, BY)

    taken = [permit, corrected, extended, withdrawn, refused]
    assert [act.number for act in taken] == [f"EXS-2026-00000{n}" for n in range(1, 6)]
    assert all(act.payload.specimen for act in taken)


@pytest.mark.parametrize("sandbox_first", [True, False])
def test_the_sandbox_never_blocks_the_street_nor_the_street_the_sandbox(
    office: FakeOffice, sandbox_first: bool
) -> None:
    filings = [sandbox_filing(office), office.filing(siret=OTHER_SIRET)]
    for filing in filings if sandbox_first else reversed(filings):
        assert issue_permit(office.desk, filing)[0].outcome == "granted"

    rival = issue_permit(office.desk, sandbox_filing(office, siret=OTHER_SIRET))[0]
    assert grounds_of(rival) == ["OVERLAP"]


def test_a_sandbox_key_is_told_at_once_when_the_rulebook_has_no_series_for_it(office: FakeOffice) -> None:
    with_authority(office, series=Series(permits="EX", refusals="EXR", abrogations="EXA"))

    with pytest.raises(ActNotPossible, match="bac à sable"):
        issue_permit(office.desk, sandbox_filing(office))
    assert rows(office, "SELECT 1 FROM application") == []
    assert permit_of(office).number == "EX-2026-000001"
