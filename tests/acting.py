"""What the tests of acts share: permits that were granted, grounds to end them, extensions to ask for."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Engine, text

from permits import acts
from permits.document.errors import PrintError
from permits.domain.act import Act, ActState
from permits.domain.application import Application, Contact
from permits.domain.authority import AuthorityFile
from permits.domain.calendar import paris_day
from permits.domain.decision import Citation, Referred
from permits.domain.establishment import Source
from permits.domain.filing import Filed
from permits.domain.ruling import Motive
from permits.issue import issue_permit
from permits.register import source_switch
from permits.register.book import Register
from permits.register.database import connect
from permits.register.publications import Publications
from permits.register.switch import turn_issuing
from tests.fakes import OTHER_SIRET, FakeOffice, OneLaw, request_body

BY = "agent-7"
HEARING = "le titulaire a été invité par courriel à présenter ses observations, sans réponse"
BREACH = acts.Grounds("condition_not_met", ("l’échafaudage empiète sur le passage des piétons",), HEARING)
ILLEGAL = acts.Grounds("illegal", ("l’emprise est située sur un fonds privé",), HEARING)
MARKET = Motive(
    fact="la place accueille le marché aux dates demandées",
    citation=Citation(text="Règlement de voirie d’Exemple-Ville, art. 22 (fictif)"),
)
CHANGE = {"worksite": "façade, 12 rue du Four"}
REASONS = ("le nom du chantier : « rue du Four » au lieu de « rue des Exemples »",)


def turn(book: Register, at: datetime, *, halted: bool, reason: str = "exercice d’arrêt", by: str = BY) -> None:
    """Turn the issuing switch of a book, as the commands do: with the database alone."""
    url = book.engine.url.render_as_string(hide_password=False)
    turn_issuing(url, book.authority, halted=halted, reason=reason, by=by, at=at)


def turn_source(
    office: FakeOffice, *, off: bool, source: Source = Source.API_ENTREPRISE, reason: str = "essai"
) -> None:
    """Turn the switch of a source of the registry, as the commands do."""
    url = office.register.engine.url.render_as_string(hide_password=False)
    source_switch.turn(url, office.register.authority, source, off=off, reason=reason, by=BY, at=office.clock())


def publications_of(office: FakeOffice) -> Publications:
    return Publications(office.register.engine, office.register.authority, office.register.floor)


def publish_again(office: FakeOffice, effective_on: date) -> None:
    """Have a book adopt its rulebook, and two people publish the same for a later day."""
    publications, digest, at = publications_of(office), office.desk.law.rulebook.digest, office.clock()
    publications.adopt(digest, paris_day(at), at)
    publications.propose(digest, effective_on, BY, at)
    publications.publish(digest, effective_on, "agent-8", at)


def permit_of(office: FakeOffice, **changes: Any) -> Act:
    """Return the permit of the first example (11 to 15 January 2027), changed as told."""
    return granted(issue_permit(office.desk, office.filing(**changes))[0])


def reserved_permit(office: FakeOffice) -> Act:
    """Return a permit whose document could not be printed."""
    office.press.broken = PrintError("encre")
    permit = permit_of(office)
    office.press.broken = None
    assert permit.state is ActState.RESERVED
    return permit


def granted(filed: Filed) -> Act:
    assert filed.act is not None, filed.decision
    return filed.act


def referred(office: FakeOffice) -> Filed:
    """Return an application that was referred to an agent."""
    filed, _ = issue_permit(office.desk, office.filing(request_body("04-parking-and-lane-referred")))
    assert filed.outcome == "referred"
    return filed


def neighbour_asks(office: FakeOffice, starts_on: str, ends_on: str) -> Filed:
    """Return what becomes of another company's application for the very same spot."""
    return issue_permit(office.desk, office.filing(siret=OTHER_SIRET, starts_on=starts_on, ends_on=ends_on))[0]


def extend(office: FakeOffice, act: Act, ends_on: date, key: str | None = None) -> Filed:
    """Return what becomes of an application to extend a permit. Raises ActNotPossible."""

    def filing(application: Application) -> Any:
        return replace(office.filing(key=key), application=application, contact=Contact())

    return issue_permit(office.desk, acts.extension_of(office.desk, act, ends_on, filing))[0]


def extension_of(office: FakeOffice, act: Act, ends_on: date) -> Act:
    return granted(extend(office, act, ends_on))


def again(office: FakeOffice, act: Act) -> Act:
    """Return the act as it stands now."""
    found = office.register.act(act.id)
    assert found is not None
    return found


def grounds_of(filed: Filed) -> list[str]:
    """Return the rules that asked for an agent."""
    assert isinstance(filed.decision, Referred), filed.decision
    return [ground.rule for ground in filed.decision.grounds]


def with_authority(office: FakeOffice, **changes: Any) -> None:
    """Change the authority's file, as a new version of the rulebook would."""
    rulebook = office.desk.law.rulebook
    file = AuthorityFile.model_validate(dict(rulebook.authority) | changes)
    with_rulebook(office, authority=file)


def with_rulebook(office: FakeOffice, **changes: Any) -> None:
    law = replace(office.desk.law, rulebook=office.desk.law.rulebook.model_copy(update=changes))
    office.desk = replace(office.desk, law=law, laws=OneLaw(law))


def rows(office: FakeOffice, query: str, **values: Any) -> list[Any]:
    with office.register.engine.connect() as connection:
        return list(connection.execute(text(query), values).all())


def events(office: FakeOffice) -> list[str]:
    """Return what the chain tells, in order."""
    return [row.event for row in rows(office, "SELECT event FROM audit_entry ORDER BY position")]


def live_footprints(office: FakeOffice) -> list[str]:
    """Return the numbers whose places are taken, in order."""
    query = "SELECT DISTINCT label FROM act_footprint f JOIN act ON act.id = f.act_id WHERE f.live ORDER BY label"
    return [row.label for row in rows(office, query)]


def wait(condition: Callable[[], bool]) -> bool:
    """Return True as soon as the condition holds, False when it doesn't within twenty seconds."""
    deadline = time.monotonic() + 20
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def wait_until_somebody_waits(office: FakeOffice) -> None:
    """Return once a connection to this database waits for a lock."""
    query = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    assert wait(lambda: bool(rows(office, query))), "nobody waits for a lock"


@contextmanager
def second_engine(office: FakeOffice) -> Iterator[Engine]:
    """Give an engine of its own on the same database, as another process has."""
    engine = connect(office.register.engine.url.render_as_string(hide_password=False))
    try:
        yield engine
    finally:
        engine.dispose()
