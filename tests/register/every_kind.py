"""A small book that holds acts of every kind in every state, made by the walk itself."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import text

from permits import acts
from permits.document.errors import PrintError
from permits.domain.act import Act, Channel, Notification
from permits.domain.decision import Citation
from permits.domain.filing import Filed, Filing
from permits.domain.ruling import Motive
from permits.issue import issue_permit
from permits.register import audit
from permits.register.checkpoint import Checkpoint
from permits.register.floor import read_checkpoint, snapshot
from tests.fakes import OTHER_SIRET, FakeOffice, request_body

BY = "agent-7"
HEARING = "le titulaire a été invité par courriel à présenter ses observations, sans réponse"
# One spot is a tenth of a street from the next.
_STEP = 0.0004


@dataclass(frozen=True)
class Book:
    """Where to find each state: numbers by what became of them. `at` is the instant of the last event."""

    authority: str
    numbers: dict[str, str]
    checkpoint: Checkpoint
    at: datetime


def body_at(spot: int, *, example: str = "01-scaffolding-granted", **changes: Any) -> dict[str, Any]:
    """Return an example request, all its occupancies moved to a spot of its own."""
    body = copy.deepcopy(request_body(example)) | changes
    for occupancy in body["occupancies"]:
        ring = occupancy["place"]["footprint"]["coordinates"][0]
        ring[:] = [[x + _STEP * (spot % 10), y - _STEP * (spot // 10)] for x, y in ring]
    return body


def write_book(office: FakeOffice, pause: Callable[[str], None] = lambda _stage: None) -> Book:
    """Write at least one act of each kind in each state it can be in, and one application in each outcome.

    `pause` is called after each stage but the last, with its name.
    """
    numbers: dict[str, str] = {}
    _first_year(office, numbers)
    pause("first year")
    office.clock.move(days=34)  # into January: the numbers begin again at 1
    numbers["next year"] = _permit(office, 20, starts_on="2027-02-01", ends_on="2027-02-05").number
    _people_act(office, numbers)
    pause("people acted")
    _in_between(office, numbers)
    return Book(office.register.authority, numbers, checkpoint_of(office), office.clock())


def checkpoint_of(office: FakeOffice) -> Checkpoint:
    """Return the checkpoint of the book as it is now."""
    with snapshot(office.register.engine) as connection:
        return read_checkpoint(connection, office.register.authority, office.clock())


def _first_year(office: FakeOffice, numbers: dict[str, str]) -> None:
    numbers["issued"] = _permit(office, 0).number
    numbers["two places"] = _permit(office, 1, example="02-skip-and-materials-granted").number
    numbers["other company"] = _permit(office, 2, siret=OTHER_SIRET).number
    sandbox = replace(office.filing(body_at(0)), sandbox=True)
    numbers["sandbox"] = _granted(issue_permit(office.desk, sandbox)[0]).number
    notified = _permit(office, 3)
    acts.note_delivery(office.desk, notified, "téléchargé dans le téléservice, réponse 200")
    numbers["notified"] = notified.number
    acts.halt_issuing(office.desk, "exercice d’arrêt de la délivrance", BY)
    _file(office, office.filing(body_at(4)), "referred")
    acts.resume_issuing(office.desk, "fin de l’exercice", BY)
    office.registry.is_down = True
    _file(office, office.filing(body_at(5)), "awaiting_registry")
    office.registry.is_down = False


def _people_act(office: FakeOffice, numbers: dict[str, str]) -> None:
    """Every ruling, and what replaces or prolongs a permit."""
    desk, days = office.desk, {"starts_on": "2027-02-08", "ends_on": "2027-02-19"}
    breach = acts.Grounds("condition_not_met", ("l’échafaudage empiète sur le passage des piétons",), HEARING)
    illegal = acts.Grounds("illegal", ("l’emprise est située sur un fonds privé",), HEARING)
    for name, first_day in (("abrogated", date(2027, 2, 12)), ("abrogated before", date(2027, 2, 3))):
        numbers[name] = _permit(office, 21 if name == "abrogated" else 22, **days).number
        numbers[f"{name} by"] = acts.abrogate(desk, numbers[name], breach, first_day, BY).number
    numbers["withdrawn"] = _permit(office, 23, **days).number
    withdrawal = acts.withdraw(desk, numbers["withdrawn"], illegal, BY)
    numbers["withdrawal"] = withdrawal.number
    proof = Notification(notified_on=date(2027, 1, 4), channel=Channel.HAND_DELIVERY, proof="remis en main propre")
    acts.notify(desk, withdrawal.number, proof, BY)
    numbers["superseded"] = _permit(office, 24, **days).number
    told = ("le nom du chantier : « rue du Four » au lieu de « rue du Fort »",)
    corrected = acts.correct(desk, numbers["superseded"], {"worksite": "façade, rue du Four"}, told, BY)
    numbers["correction"] = corrected.number
    extended = _permit(office, 25, starts_on="2027-02-01", ends_on="2027-02-05")
    asked = acts.extension_of(desk, extended, date(2027, 2, 12), lambda application: _filing_of(office, application))
    numbers["extended"], numbers["extension"] = extended.number, _granted(issue_permit(desk, asked)[0]).number
    referred = _file(office, office.filing(request_body("04-parking-and-lane-referred") | days), "referred")
    motive = Motive(
        fact="la place accueille le marché aux dates demandées",
        citation=Citation(text="Règlement de voirie d’Exemple-Ville, art. 22 (fictif)"),
    )
    office.press.broken = PrintError("plus d’encre")
    numbers["annulled refusal"] = acts.refuse(desk, referred, (motive,), HEARING, BY).number
    acts.annul(desk, numbers["annulled refusal"], "le document ne se compose pas : caractère illisible", BY)
    office.press.broken = None
    again = desk.register.application(referred.filing.application_id)
    assert again is not None
    numbers["refusal"] = acts.refuse(desk, again, (motive,), HEARING, BY).number


def _in_between(office: FakeOffice, numbers: dict[str, str]) -> None:
    """What is erased, annulled and, last, reserved a moment ago."""
    days = {"starts_on": "2027-03-01", "ends_on": "2027-03-05"}
    erased = _permit(office, 30, **days)
    numbers["erased"] = erased.number
    with office.register.engine.begin() as connection:
        found = {"id": erased.application_id}
        connection.execute(text("DELETE FROM application_evidence WHERE application_id = :id"), found)
        entry = {"table": "application_evidence", "ids": [str(erased.application_id)]}
        audit.append(connection, office.register.authority, "erased", office.clock(), entry)  # type: ignore[arg-type]
    office.press.broken = PrintError("plus d’encre")
    numbers["annulled"] = _permit(office, 31, **days).number
    acts.annul(office.desk, numbers["annulled"], "le document ne se compose pas : caractère illisible", BY)
    office.clock.move(minutes=5)
    numbers["reserved"] = _permit(office, 32, **days).number
    office.press.broken = None


def _permit(office: FakeOffice, spot: int, **changes: Any) -> Act:
    return _granted(issue_permit(office.desk, office.filing(body_at(spot, **changes)))[0])


def _granted(filed: Filed) -> Act:
    assert filed.act is not None, filed.decision
    return filed.act


def _file(office: FakeOffice, filing: Filing, outcome: str) -> Filed:
    filed, _ = issue_permit(office.desk, filing)
    assert filed.outcome == outcome, filed.decision
    return filed


def _filing_of(office: FakeOffice, application: Any) -> Filing:
    return replace(office.filing(), application=application)
