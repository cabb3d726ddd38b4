"""Applications that wait for the registry, each with a SIRET of its own, and what became of them."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text
from stdnum import luhn

from permits.issue import issue_permit
from permits.register.waiting import WaitingLine
from tests.acting import rows
from tests.fakes import FakeOffice, request_body

_COPIES = """
INSERT INTO application SELECT (jsonb_populate_record(first, jsonb_build_object(
    'id', gen_random_uuid(), 'idempotency_key', n::text, 'received_at', first.received_at + n * interval '1 second',
    'siret', other, 'body', jsonb_set(first.body, '{siret}', to_jsonb(other))
))).* FROM application first, unnest(CAST(:others AS text[])) WITH ORDINALITY AS others(other, n)
"""
_PLACES = """
INSERT INTO registry_wait (application_id, authority, since, retry_at, reason)
SELECT id, authority, received_at, received_at, 'HTTP 502' FROM application
WHERE id NOT IN (SELECT application_id FROM registry_wait)
"""


def siret(n: int) -> str:
    """Return the SIRET of a company of its own, its keys sound."""
    siren = f"1{n:07}{luhn.calc_check_digit(f'1{n:07}')}"
    return f"{siren}0001{luhn.calc_check_digit(f'{siren}0001')}"


def line_of(office: FakeOffice) -> WaitingLine:
    return WaitingLine(office.register.engine, office.register.authority)


def wait_in_line(office: FakeOffice, how_many: int, body: dict[str, Any] | None = None) -> list[str]:
    """File so many applications while the registry is down, a second apart; return their SIRETs in that order."""
    office.registry.is_down = True
    asked = [siret(n) for n in range(how_many)]
    for each in asked:
        filed, _ = issue_permit(office.desk, office.filing((body or request_body()) | {"siret": each}))
        assert filed.outcome == "awaiting_registry"
        office.clock.move(seconds=1)
    office.registry.is_down = False
    office.registry.asked.clear()
    return asked


def copy_in_line(office: FakeOffice, more: int) -> list[str]:
    """Put so many more in the queue beside the first, with SQL alone, and move the clock past them."""
    others = [siret(n + 1) for n in range(more)]
    with office.register.engine.begin() as connection:
        connection.execute(text(_COPIES), {"others": others})
        connection.execute(text(_PLACES))
    office.clock.now += timedelta(seconds=more)
    return [siret(0), *others]


def places(office: FakeOffice) -> list[tuple[str, float, int]]:
    """Return who is in the queue: SIRET, the seconds until it is due (none when it is), how often it was put off."""
    query = "SELECT a.siret, w.retry_at, w.tries FROM registry_wait w JOIN application a ON a.id = w.application_id"
    return [
        (row.siret, max(0.0, (row.retry_at - office.clock()).total_seconds()), row.tries)
        for row in rows(office, f"{query} ORDER BY w.since")
    ]


def decided(office: FakeOffice) -> list[str]:
    """Return the SIRETs of what was decided, in the order of the chain."""
    query = (
        "SELECT a.siret FROM audit_entry e JOIN application a ON a.id::text = e.entry ->> 'application'"
        " WHERE e.event IN ('granted', 'referred') ORDER BY e.position"
    )
    return [row.siret for row in rows(office, query)]
