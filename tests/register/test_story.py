"""The chain tells a book step by step; a step that cannot follow those before it is refused, and told once."""

from datetime import UTC, datetime
from typing import Any

import pytest

from permits.domain.act import ActState
from permits.register.fsck.story import Entry, Misfit, Story

AT = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
SHA = "a" * 64


def granted(number: int = 1, **changes: Any) -> Entry:
    return decided(f"application {number}") | numbered(f"EX-2026-{number:06d}") | changes


def decided(application: str = "application") -> Entry:
    digests = dict.fromkeys(("application_sha256", "facts_sha256", "evidence_sha256", "decision_sha256"), SHA)
    return digests | {"application": application, "rulebook": SHA}


def numbered(label: str, kind: str = "permit", by: str | None = None) -> Entry:
    return {"act": label, "id": f"id of {label}", "kind": kind, "by": by, "payload_sha256": SHA}


def ruling(label: str, kind: str, **more: Any) -> Entry:
    return numbered(label, kind, "agent-7") | {"application": "application 1"} | more


def issued(label: str = "EX-2026-000001") -> Entry:
    return {"act": label, "document_sha256": SHA}


def told(*events: tuple[str, Entry]) -> Story:
    story = Story()
    for event, entry in events:
        story.hear(event, AT, entry)
    return story


FIRST = (("granted", granted()), ("issued", issued()))
HALTED = ("halted", {"switch_sha256": SHA, "by": "agent-7"})
ABROGATION = ("reserved", ruling("EXA-2026-000001", "abrogation", cites="EX-2026-000001"))
WITHDRAWAL = ("reserved", ruling("EXA-2026-000001", "withdrawal", cites="EX-2026-000001"))
SEALED = ("issued", issued("EXA-2026-000001"))
ENDED = {"act": "EX-2026-000001", "by_act": "EXA-2026-000001"}


def test_a_permit_is_granted_issued_notified_and_ended() -> None:
    notified = ("notified", {"act": "EX-2026-000001", "notification_sha256": SHA})
    story = told(*FIRST, notified, ABROGATION, SEALED, ("abrogated", ENDED))

    act = story.acts["EX-2026-000001"]
    assert (act.state, act.ended_by, act.issued_at) == (ActState.ABROGATED, "EXA-2026-000001", AT)
    assert act.notification is not None
    assert story.counters == {("EX", 2026): 1, ("EXA", 2026): 1}
    assert story.applications["application 1"].number == "EX-2026-000001"


def test_an_application_waits_and_is_decided_once() -> None:
    waiting = ("received", {"application": "application", "application_sha256": SHA})
    story = told(waiting, ("referred", decided()))

    assert story.applications["application"].outcome == "referred"


def test_a_refusal_that_could_not_be_sealed_leaves_the_application_to_be_answered() -> None:
    referred = ("referred", decided("application 1"))
    refused = ("reserved", ruling("EXR-2026-000001", "refusal"))
    annulled = ("annulled", {"act": "EXR-2026-000001", "reason_sha256": SHA, "by": "agent-7"})
    again = ("reserved", ruling("EXR-2026-000002", "refusal"))

    assert told(referred, refused, annulled, again).applications["application 1"].number == "EXR-2026-000002"


MISFITS: dict[str, tuple[tuple[str, Entry], ...]] = {
    "an event that nobody knows": (("celebrated", {}),),
    "an entry without what it must tell": (("granted", {"application": "x"}),),
    "a digest that is none": (("referred", decided() | {"facts_sha256": "zz"}),),
    "the same application received twice": (
        ("received", {"application": "application", "application_sha256": SHA}),
        ("received", {"application": "application", "application_sha256": SHA}),
    ),
    "another body than the one received": (
        ("received", {"application": "application", "application_sha256": "b" * 64}),
        ("referred", decided()),
    ),
    "an application decided twice": (("referred", decided()), ("referred", decided())),
    "a number for what is referred": (("referred", granted()),),
    "a number that skips one": (("granted", granted(2)),),
    "a number given again": (("granted", granted()), ("granted", granted() | {"application": "other"})),
    "a number of another year than its day in Paris": (("granted", granted(act="EX-2027-000001")),),
    "a number written otherwise": (("granted", granted(act="EX-2026-1")),),
    "an application that gets a ruling for an answer": (("granted", granted(kind="abrogation")),),
    "a permit while issuing is suspended": (HALTED, ("granted", granted())),
    "a document for what is issued": (*FIRST, ("issued", issued())),
    "a document for nothing": (("issued", issued()),),
    "an issued number annulled": (
        *FIRST,
        ("annulled", {"act": "EX-2026-000001", "reason_sha256": SHA, "by": "agent-7"}),
    ),
    "an end to what is not issued": (("granted", granted()), ABROGATION),
    "an end by a ruling that is not sealed": (*FIRST, ABROGATION, ("abrogated", ENDED)),
    "an end of another kind than the ruling": (*FIRST, ABROGATION, SEALED, ("withdrawn", ENDED)),
    "an end of another act than the one cited": (
        *FIRST,
        ("granted", granted(2)),
        ("issued", issued("EX-2026-000002")),
        WITHDRAWAL,
        SEALED,
        ("withdrawn", ENDED | {"act": "EX-2026-000002"}),
    ),
    "a second end": (*FIRST, ABROGATION, SEALED, ("abrogated", ENDED), ("abrogated", ENDED)),
    "a refusal of what is granted": (*FIRST, ("reserved", ruling("EXR-2026-000001", "refusal"))),
    "a notification of what is not issued": (
        ("granted", granted()),
        ("notified", {"act": "EX-2026-000001", "notification_sha256": SHA}),
    ),
}


@pytest.mark.parametrize("events", MISFITS.values(), ids=MISFITS)
def test_what_cannot_follow_is_refused(events: tuple[tuple[str, Entry], ...]) -> None:
    story = told(*events[:-1])

    with pytest.raises(Misfit):
        story.hear(events[-1][0], AT, events[-1][1])


def test_a_number_out_of_turn_is_told_once() -> None:
    story = Story()
    with pytest.raises(Misfit, match="EX-2026-000003"):
        story.hear("granted", AT, granted(3))
    story.hear("granted", AT, granted(4))

    assert story.counters == {("EX", 2026): 4}


def test_an_agent_may_correct_while_issuing_is_suspended_and_the_machine_grants_again_after() -> None:
    correction = ("granted", granted(2, kind="correction", by="agent-7"))
    resumed = ("resumed", {"switch_sha256": SHA, "by": "agent-7"})

    assert len(told(*FIRST, HALTED, correction, resumed, ("granted", granted(3))).acts) == 3
