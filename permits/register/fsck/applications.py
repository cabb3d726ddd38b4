"""Applications, what was decided on them and on what evidence, against what the chain sealed; both ways."""

from datetime import datetime, timedelta
from typing import Any, cast

from permits.domain.canonical import digest
from permits.register.digests import application_digest
from permits.register.fsck.finding import Code
from permits.register.fsck.look import Look
from permits.register.fsck.story import ActStory, ApplicationStory, Story
from permits.register.tables import ApplicationRow

STEP = "demandes"
# The walk itself allows an hour less.
OLDEST_EVIDENCE = timedelta(hours=24)
_COUNT = "SELECT count(*) FROM application WHERE authority = :authority"
_APPLICATIONS = """
SELECT a.*, e.application_id IS NOT NULL AS has_evidence, e.answer, e.about_a_person, e.asked_at
FROM application a LEFT JOIN application_evidence e ON e.application_id = a.id
WHERE a.authority = :authority
"""
_WAITING_WITHOUT_PLACE = """
SELECT a.id FROM application a
WHERE a.authority = :authority AND a.outcome = 'awaiting_registry' AND NOT EXISTS (
    SELECT 1 FROM registry_wait place WHERE place.application_id = a.id
        AND place.authority = a.authority AND place.since = a.received_at
) ORDER BY a.received_at, a.id
"""
_PLACES_OF_NOBODY = """
SELECT place.application_id AS id FROM registry_wait place
WHERE place.authority = :authority AND NOT EXISTS (
    SELECT 1 FROM application a WHERE a.id = place.application_id
        AND a.authority = place.authority AND a.outcome = 'awaiting_registry'
) ORDER BY place.since, place.application_id
"""
_RULEBOOKS = """
SELECT digest, authority, files FROM rulebook
WHERE authority = :authority OR digest IN (SELECT rulebook_digest FROM application WHERE authority = :authority)
    OR digest IN (SELECT digest FROM rulebook_step WHERE authority = :authority)
ORDER BY digest
"""


def check_applications(look: Look, story: Story) -> None:
    """Every application of the chain is in the book as it was sealed, and no other."""
    seen, erased = set(), story.erased.get("application_evidence", {})
    for row in look.stream(STEP, _COUNT, _APPLICATIONS):
        name = str(row.id)
        told = story.applications.get(name)
        if told is None:
            look.found(Code.APPLICATION_UNKNOWN, name, f"la demande {name} n’est pas dans la chaîne")
            continue
        seen.add(name)
        with look.reading(f"la demande {name}"):
            if bytes.fromhex(application_digest(cast(ApplicationRow, row))) != told.filed:
                look.found(Code.APPLICATION_ALTERED, name, f"la demande {name} n’est plus celle qui a été déposée")
            _check_decision(look, name, row, told)
            _check_evidence(look, name, row, told, name in erased)
            _check_age(look, row, story.acts.get(told.number or ""))
    for name in story.applications.keys() - seen:
        look.found(Code.APPLICATION_MISSING, name, f"la demande {name} est dans la chaîne, et n’est plus au registre")


def check_waiting(look: Look) -> None:
    """Every application that waits for the company registry has its place in the queue, and nobody else has one."""
    for row in look.each(_WAITING_WITHOUT_PLACE):
        look.found(Code.WAIT_MISSING, row.id, f"la demande {row.id} attend le registre, et n’a pas sa place en file")
    for row in look.each(_PLACES_OF_NOBODY):
        look.found(Code.WAIT_UNKNOWN, row.id, f"la file d’attente tient {row.id}, qui n’attend pas le registre")


def check_rulebooks(look: Look, story: Story) -> None:
    """Every rulebook that decided is kept, under the digest of its files."""
    kept = set()
    for row in look.rows(_RULEBOOKS):
        kept.add(row.digest)
        if digest(row.files) != row.digest or row.authority != look.authority:
            message = f"le règlement {row.digest[:12]} n’est plus celui qui a été gardé sous cette empreinte"
            look.found(Code.RULEBOOK_ALTERED, row.digest, message)
    used = {told.rulebook for told in story.applications.values() if told.rulebook is not None}
    used |= {step.rulebook for step in story.steps}
    for missing in sorted(used - kept):
        look.found(Code.RULEBOOK_MISSING, missing, f"le règlement {missing[:12]} a servi, et n’est pas gardé")


def _check_decision(look: Look, name: str, row: Any, told: ApplicationStory) -> None:
    decided = (row.outcome, _sealed(row.facts), _sealed(row.decision), row.rulebook_digest, row.decided_at)
    if decided != (told.outcome, told.facts, told.decision, told.rulebook, told.decided_at):
        look.found(Code.DECISION_ALTERED, name, f"la décision sur la demande {name} n’est plus celle qui a été prise")


def _check_evidence(look: Look, name: str, row: Any, told: ApplicationStory, erased: bool) -> None:
    """The registry's answer is the one decided on, or was erased by the purge, which says so in the chain."""
    if not row.has_evidence:
        if told.evidence is not None and not erased:
            look.found(Code.EVIDENCE_MISSING, name, f"la réponse du registre sur la demande {name} a disparu")
        return
    if erased:
        look.found(Code.NOT_ERASED, name, f"la réponse du registre sur la demande {name} devait être effacée")
    derived = (row.about_a_person, row.asked_at)
    if _sealed(row.answer) != told.evidence or derived != _derived(row.answer, row.decided_at):
        look.found(Code.EVIDENCE_ALTERED, name, f"la réponse du registre sur la demande {name} n’est plus la même")


def _check_age(look: Look, row: Any, act: ActStory | None) -> None:
    """What the machine granted rests on an answer of the day before at the earliest; a person answers for theirs."""
    if act is None or act.taken_by is not None or row.outcome != "granted" or not row.has_evidence:
        return
    oldest = min(datetime.fromisoformat(each["fetched_at"]) for each in row.answer["evidence"])
    if row.decided_at - oldest > OLDEST_EVIDENCE:
        message = f"la demande {row.id} a été accordée sur une réponse du registre du {oldest.isoformat()}"
        look.found(Code.EVIDENCE_STALE, row.id, message)


def _derived(answer: dict[str, Any], decided_at: datetime | None) -> tuple[bool | None, datetime | None]:
    """Return whether an answer is about a person and when it was asked for, as `Register` derives them."""
    try:
        asked = [datetime.fromisoformat(each["fetched_at"]) for each in answer["evidence"]]
        if "legal_form" in answer:
            form = answer["legal_form"]
            about_a_person = form is None or form.startswith("1")
        else:  # not found, or protected
            about_a_person = "definite" not in answer
    except (KeyError, TypeError, ValueError, AttributeError):
        return None, None
    return about_a_person, min(asked, default=decided_at)


def _sealed(value: dict[str, Any] | None) -> bytes | None:
    return None if value is None else bytes.fromhex(digest(value))
