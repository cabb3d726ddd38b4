"""Acts: their frozen payload, their columns, their state, their notification, against what the chain sealed."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from permits.domain.act import ActKind, ActState
from permits.domain.canonical import digest
from permits.register.digests import notification_digest
from permits.register.fsck.arithmetic import cited_by, days_of, fee_faults, kind_of
from permits.register.fsck.finding import Code
from permits.register.fsck.footprints import check_footprints
from permits.register.fsck.look import UNREADABLE, Look
from permits.register.fsck.story import ActStory, Story, split
from permits.register.tables import NotificationRow

STEP = "actes"
# A reserved number ends sealed or annulled within this time, or a person looks.
RESERVED_FOR = timedelta(minutes=15)

_COUNT = "SELECT coalesce(sum(value), 0) FROM counter WHERE authority = :authority"
_ACTS = """
SELECT act.*, a.client_id AS applicant, a.sandbox, a.worksite_key, a.facts -> 'places' AS places,
    cited.label AS cites_label, ending.label AS ending_label, ending.cites = act.id AS ending_cites,
    ending.payload ->> 'effective_on' AS effective_on, d.stored_at, d.level, d.stamp_deferred,
    n.act_id IS NOT NULL AS notified, n.act_id, n.notified_on, n.channel, n.proof, n.recorded_by, n.recorded_at,
    taken.footprints
FROM act
LEFT JOIN application a ON a.id = act.application_id
LEFT JOIN act cited ON cited.id = act.cites
LEFT JOIN act ending ON ending.id = act.ended_by
LEFT JOIN document d ON d.sha256 = act.document_sha256
LEFT JOIN act_notification n ON n.act_id = act.id
LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object(
        'occupancy', f.occupancy, 'core', f.footprint_core::text, 'first', lower(f.period), 'end', upper(f.period),
        'live', f.live, 'worksite', f.worksite_key, 'space', f.space, 'authority', f.authority
    ) ORDER BY f.occupancy) AS footprints
    FROM act_footprint f WHERE f.act_id = act.id
) taken ON true
WHERE act.authority = :authority
"""
_HOLES = """
SELECT coalesce(a.series, c.series) AS series, coalesce(a.year, c.year) AS year, c.value, a.numbers, a.lowest, a.highest
FROM (
    SELECT series, year, count(DISTINCT number) AS numbers, min(number) AS lowest, max(number) AS highest
    FROM act WHERE authority = :authority GROUP BY series, year
) a FULL JOIN (SELECT * FROM counter WHERE authority = :authority) c ON c.series = a.series AND c.year = a.year
ORDER BY 1, 2
"""


def check_acts(look: Look, story: Story) -> None:
    """Every act of the chain is in the book as it was sealed, and no other."""
    seen = set()
    for row in look.stream(STEP, _COUNT, _ACTS):
        told = story.acts.get(row.label)
        if told is None:
            look.found(Code.ACT_UNKNOWN, row.label, f"{row.label} est au registre, et n’est pas dans la chaîne")
            continue
        seen.add(row.label)
        with look.reading(f"l’état de {row.label}"):
            _check_state(look, row, told)
            _check_notification(look, row, told)
        if not row.payload_sha256 == told.payload.hex() == digest(row.payload):
            look.found(Code.ACT_PAYLOAD, row.label, f"le contenu de {row.label} n’est plus celui qui a été figé")
            continue
        try:
            _check_payload(look, row, told)
        except UNREADABLE as error:
            look.found(Code.ACT_PAYLOAD, row.label, f"le contenu de {row.label} ne se lit pas ({error!r})")
    for label in story.acts.keys() - seen:
        look.found(Code.ACT_MISSING, label, f"{label} est dans la chaîne, et n’est plus au registre")


def check_numbers(look: Look, story: Story) -> None:
    """The numbers of each series and year are 1 to the counter, which stands where the chain says."""
    counters = {}
    for row in look.rows(_HOLES):
        what = f"{row.series}-{row.year}"
        if row.value is not None:
            counters[row.series, row.year] = row.value
        if (row.numbers, row.lowest, row.highest) != (row.value, 1, row.value):
            message = f"la série {row.series} de {row.year} tient {row.numbers or 0} numéros, le compteur en a donné "
            look.found(Code.NUMBER_HOLE, what, message + str(row.value or 0))
    for series, year in sorted(counters.keys() | story.counters.keys()):
        found, told = counters.get((series, year), 0), story.counters.get((series, year), 0)
        if found != told:
            message = f"le compteur {series} de {year} est à {found}, la chaîne a donné {told} numéros"
            look.found(Code.COUNTER, f"{series}-{year}", message)


def _check_state(look: Look, row: Any, told: ActStory) -> None:
    """The act stands where the chain left it, and what ended it is what the ending act says."""
    stands = (row.state, row.issued_at, row.document_sha256, row.ending_label)
    if stands != (told.state, told.issued_at, told.document and told.document.hex(), told.ended_by):
        message = f"{row.label} est « {row.state} » au registre, « {told.state} » dans la chaîne, ou autrement"
        look.found(Code.ACT_STATE, row.label, message)
    reason = None if row.annulled_because is None else bytes.fromhex(digest({"reason": row.annulled_because}))
    ended = (row.ended_on and row.ended_on.isoformat(), row.ending_cites, reason)
    effective_on = row.effective_on if row.state == ActState.ABROGATED else None
    if ended != (effective_on, None if row.ended_by is None else True, told.reason):
        look.found(Code.ACT_STATE, row.label, f"la fin de {row.label} n’est plus celle qui a été décidée")
    if row.state == ActState.RESERVED and look.at - row.reserved_at > RESERVED_FOR:
        since = row.reserved_at.isoformat()
        look.found(Code.ACT_LATE, row.label, f"{row.label} est réservé depuis {since} : ni scellé, ni annulé")
    if row.document_sha256 is not None and row.stored_at is None:
        look.found(Code.DOCUMENT_MISSING, row.label, f"le document de {row.label} n’est plus au registre")
    elif row.stored_at != row.issued_at:
        look.found(Code.DOCUMENT_ALTERED, row.label, f"le document de {row.label} n’a pas la date de sa délivrance")
    elif row.stored_at is not None and (row.level, row.stamp_deferred) != (told.level, told.stamp_deferred):
        message = f"le niveau du cachet de {row.label}, {row.level}, n’est pas celui de la chaîne, {told.level}"
        look.found(Code.DOCUMENT_ALTERED, row.label, message)


def _check_notification(look: Look, row: Any, told: ActStory) -> None:
    """The notification is the one that was recorded, with its proof; or there is none."""
    found = notification_digest(cast(NotificationRow, row)) if row.notified else None
    if (found, row.recorded_at) != (told.notification and told.notification.hex(), told.notified_at):
        look.found(Code.NOTIFICATION, row.label, f"la notification de {row.label} n’est plus celle qui est enregistrée")


def _check_payload(look: Look, row: Any, told: ActStory) -> None:
    """The columns repeat the payload, which adds up and takes the places that were measured."""
    payload = row.payload
    allows = ActKind(kind_of(payload)).allows
    for name, held, due in _columns(row, told):
        if held != due:
            message = f"la colonne « {name} » de {row.label} ne répète pas ce qui est figé"
            look.found(Code.ACT_COLUMN, row.label, message)
    for fault in fee_faults(payload["fee"]) if allows else ():
        look.found(Code.FEE, row.label, f"la redevance de {row.label} est fausse : {fault}")
    first, last = days_of(payload)
    if last < first:
        look.found(Code.DAYS, row.label, f"{row.label} finit le {last.isoformat()}, avant de commencer")
    check_footprints(look, row, allows)


def _columns(row: Any, told: ActStory) -> tuple[tuple[str, Any, Any], ...]:
    """Return each column that repeats something: its name in French, what it holds, what it must hold."""
    payload, cited = row.payload, cited_by(row.payload)
    fee = Decimal(payload["fee"]["total"]) if "fee" in payload else Decimal(0)
    decided_at = datetime.fromisoformat(payload["decided_at"])
    return (
        ("numéro", (row.label, row.series, row.year, row.number), (payload["number"], *split(row.label))),
        ("identifiant", str(row.id), told.id),
        ("nature", (row.kind, row.kind), (kind_of(payload), told.kind)),
        ("auteur", row.taken_by, told.taken_by),
        ("demande", (str(row.application_id),) * 2, (payload["application_id"], told.application)),
        ("client", row.client_id, row.applicant),
        ("acte visé", (row.cites_label, told.cites or cited), (cited, cited)),
        ("SIRET", row.siret, payload["beneficiary"]["siret"]),
        ("jours", (row.starts_on, row.ends_on), days_of(payload)),
        ("redevance", row.fee_total, fee),
        ("code", row.code, payload["verification_url"].rpartition("/")[2]),
        ("réservé le", (row.reserved_at, row.reserved_at), (decided_at, told.reserved_at)),
    )
