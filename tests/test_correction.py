"""A clerical error is corrected by a permit that replaces the first: same place, days and fee, a new number."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from permits import acts
from permits.document.errors import PrintError
from permits.domain.act import Act, ActKind, ActState
from permits.domain.application import Insurance, Kind
from permits.domain.filing import ActNotPossible
from permits.domain.permit import Permit
from permits.issue import finish_act, issue_permit
from tests.acting import (
    BREACH,
    BY,
    CHANGE,
    REASONS,
    again,
    events,
    extension_of,
    granted,
    grounds_of,
    live_footprints,
    neighbour_asks,
    permit_of,
    reserved_permit,
    rows,
    with_rulebook,
)
from tests.fakes import FakeOffice, request_body

# What a correction may change of a payload: its own number, dates and links, and what it corrects.
OWN = {"number", "amends", "application_id", "answers", "decided_at", "verification_url"}


def correct(office: FakeOffice, permit: Act, **changes: Any) -> Act:
    return acts.correct(office.desk, permit.number, changes or CHANGE, REASONS, BY)


def test_a_correction_is_a_new_number_that_cites_the_first_and_replaces_it(office: FakeOffice) -> None:
    permit = permit_of(office)
    office.clock.move(days=1)
    corrected = correct(office, permit)

    assert (corrected.number, corrected.kind, corrected.state) == (
        "EX-2026-000002",
        ActKind.CORRECTION,
        ActState.ISSUED,
    )
    assert corrected.cites == permit.id
    amends = corrected.permit.amends
    assert amends is not None and (amends.kind, amends.reasons) == ("correction", REASONS)
    assert (amends.cites.number, amends.cites.decided_on) == ("EX-2026-000001", date(2026, 12, 1))
    first = again(office, permit)
    assert (first.state, first.ended_by, first.ended_on) == (ActState.SUPERSEDED, "EX-2026-000002", None)
    assert not first.is_in_force(date(2027, 1, 12))
    assert corrected.is_in_force(date(2027, 1, 12))
    assert events(office) == ["granted", "issued", "granted", "issued", "superseded"]
    assert rows(office, "SELECT taken_by FROM act ORDER BY number") == [(None,), (BY,)]


def test_a_correction_changes_the_error_and_nothing_else(office: FakeOffice) -> None:
    permit = permit_of(office).permit
    corrected = correct(office, granted_act(office, permit)).permit

    differing = {name for name in Permit.model_fields if getattr(permit, name) != getattr(corrected, name)}
    assert "worksite" in differing <= OWN | {"worksite"}
    assert corrected.worksite == CHANGE["worksite"]
    assert office.press.codes == ["EX-2026-000001", "EX-2026-000002"]
    assert corrected.fee == permit.fee


def test_a_correction_and_what_ends_it_cite_the_application_that_was_filed(office: FakeOffice) -> None:
    permit = permit_of(office)
    office.clock.move(days=1)
    once = correct(office, permit)
    twice = correct(office, once, worksite="façade, 12 rue du Four, cour")
    ruling = acts.abrogate(office.desk, twice.number, BREACH, date(2027, 1, 14), BY)
    filed = f"la demande n° {permit.application_id} reçue par téléservice le 1er décembre 2026"

    assert permit.permit.visas[-1].text == filed
    assert once.permit.visas == twice.permit.visas == permit.permit.visas
    assert len({permit.application_id, once.application_id, twice.application_id}) == 3
    assert ruling.payload.visas[-2].text == filed


def granted_act(office: FakeOffice, permit: Permit) -> Act:
    act = office.register.act_by_number(permit.number)
    assert act is not None
    return act


def test_the_place_passes_from_the_first_permit_to_its_correction_without_a_gap(office: FakeOffice) -> None:
    body = request_body("02-skip-and-materials-granted")
    permit = granted(issue_permit(office.desk, office.filing(body))[0])
    office.press.broken = PrintError("encre")
    corrected = correct(office, permit)

    # Until the seal both hold the place, though the worksite's name differs: it is one worksite.
    assert again(office, permit).state is ActState.ISSUED
    assert live_footprints(office) == ["EX-2026-000001", "EX-2026-000002"]
    assert rows(office, "SELECT DISTINCT worksite_key FROM act_footprint") == [
        (f"{body['siret'][:9]}/{body['worksite'].casefold()}",)
    ]
    office.press.broken = None
    finish_act(office.desk, corrected.id)
    assert live_footprints(office) == ["EX-2026-000002"]
    places = rows(
        office, "SELECT label, count(*) FROM act_footprint f JOIN act ON act.id = act_id GROUP BY 1 ORDER BY 1"
    )
    assert places == [("EX-2026-000001", 2), ("EX-2026-000002", 2)]


def test_a_corrected_permit_still_keeps_the_others_out(office: FakeOffice) -> None:
    corrected = correct(office, permit_of(office))
    rival = neighbour_asks(office, "2027-01-15", "2027-01-16")

    assert grounds_of(rival) == ["OVERLAP"]
    told = next(ground for ground in rival.decision.findings if ground.rule == "OVERLAP")  # type: ignore[union-attr]
    assert corrected.number in told.message and "EX-2026-000001" not in told.message


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"worksite": "façade, 12 rue du Four"}, {"worksite": "façade, 12 rue du Four"}),
        ({"urbanism_file": "DP 029 999 26 00999"}, {"urbanism_file": "DP 029 999 26 00999"}),
        (
            {"insurance": {"insurer": "Mutuelle du Modèle", "policy": "RC-9"}},
            {"insurance": Insurance(insurer="Mutuelle du Modèle", policy="RC-9")},
        ),
        ({"insurance": None}, {"insurance": None}),
    ],
    ids=["worksite", "urbanism file", "insurance", "no insurance"],
)
def test_the_name_the_file_and_the_insurance_are_corrected(
    office: FakeOffice, changes: dict[str, Any], shown: dict[str, Any]
) -> None:
    corrected = correct(office, permit_of(office), **changes)

    assert {name: getattr(corrected.permit, name) for name in shown} == shown


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("siret", "99999002100019"),
        ("payer_siret", "99999002100019"),
        ("starts_on", "2027-01-12"),
        ("ends_on", "2027-01-16"),
        ("daily_hours", None),
        ("occupancies", []),
        ("contact", {}),
        ("surprise", 1),
    ],
)
def test_who_where_when_and_how_much_are_never_corrected(office: FakeOffice, field: str, value: Any) -> None:
    permit = permit_of(office)

    with pytest.raises(ActNotPossible, match=f"{field} ne se corrige pas"):
        correct(office, permit, **{field: value})
    assert again(office, permit).state is ActState.ISSUED


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"worksite": "x" * 201}, "worksite : au plus 200 caractères"),
        ({"worksite": "ab"}, "worksite : au moins 3 caractères"),
        (
            {"worksite": "fa\u202eçade"},
            "worksite : caractère interdit U+202E : n'utilisez que du texte visible, sur une ligne",
        ),
        ({"worksite": 7}, "worksite : un texte est attendu"),
        ({"insurance": "Mutuelle"}, "insurance : un objet est attendu"),
        ({"insurance": {"insurer": "Mutuelle du Modèle"}}, "insurance.policy : champ obligatoire"),
    ],
    ids=["too long", "too short", "invisible", "a number", "a text", "half"],
)
def test_a_value_that_an_application_could_not_hold_is_refused_in_french(
    office: FakeOffice, changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(ActNotPossible) as refusal:
        correct(office, permit_of(office), **changes)
    assert str(refusal.value) == told


def test_a_correction_that_changes_nothing_is_refused(office: FakeOffice) -> None:
    permit = permit_of(office)

    with pytest.raises(ActNotPossible, match="rien n’est changé"):
        correct(office, permit, worksite=permit.permit.worksite)


def test_a_correction_says_what_it_corrects(office: FakeOffice) -> None:
    with pytest.raises(ActNotPossible, match="dites ce qui est corrigé"):
        acts.correct(office.desk, permit_of(office).number, CHANGE, (), BY)


def test_a_permit_that_the_rules_of_today_would_refer_is_not_corrected(office: FakeOffice) -> None:
    permit = permit_of(office)
    limits = office.desk.law.rulebook.limits
    kinds = limits.automatic_kinds
    entries = {day: entry.model_copy(update={"value": (Kind.SKIP,)}) for day, entry in kinds.values.items()}
    with_rulebook(
        office,
        limits=limits.model_copy(update={"automatic_kinds": kinds.model_copy(update={"values": entries})}),
    )

    with pytest.raises(ActNotPossible, match=f"le règlement a changé depuis {permit.number}"):
        correct(office, permit)
    assert again(office, permit).state is ActState.ISSUED


def test_a_permit_that_would_cost_more_today_is_not_corrected(office: FakeOffice) -> None:
    permit = permit_of(office)
    tariff = office.desk.law.rulebook.tariff
    ((day, entry),) = tariff.values.items()
    assert entry.value is not None
    items = tuple(item.model_copy(update={"rate": item.rate + Decimal("0.01")}) for item in entry.value.items)
    dearer = entry.model_copy(update={"value": entry.value.model_copy(update={"items": items})})
    with_rulebook(office, tariff=tariff.model_copy(update={"values": {day: dearer}}))

    with pytest.raises(ActNotPossible, match=f"le règlement a changé depuis {permit.number}"):
        correct(office, permit)
    assert again(office, permit).state is ActState.ISSUED


def test_a_correction_is_corrected_in_turn_and_the_first_permit_no_more(office: FakeOffice) -> None:
    permit = permit_of(office)
    once = correct(office, permit)
    twice = correct(office, once, worksite="façade, 12 rue du Four, cour")

    assert again(office, once).ended_by == twice.number == "EX-2026-000003"
    assert live_footprints(office) == [twice.number]
    with pytest.raises(ActNotPossible, match="n’est pas un permis délivré, ou un autre acte l’a déjà terminé"):
        correct(office, permit)


def test_a_corrected_extension_goes_on_from_the_same_permit(office: FakeOffice) -> None:
    permit = permit_of(office)
    extension = extension_of(office, permit, date(2027, 1, 20))
    corrected = correct(office, extension)

    assert again(office, extension).ended_by == corrected.number
    assert (corrected.permit.starts_on, corrected.permit.ends_on) == (date(2027, 1, 16), date(2027, 1, 20))
    assert again(office, permit).state is ActState.ISSUED
    assert live_footprints(office) == [permit.number, corrected.number]


def test_a_reserved_or_ended_permit_is_not_corrected(office: FakeOffice) -> None:
    stuck, ended = reserved_permit(office), permit_of(office)
    acts.abrogate(office.desk, ended.number, BREACH, date(2027, 1, 14), BY)

    for permit in (stuck, ended):
        with pytest.raises(ActNotPossible):
            correct(office, permit)


def test_a_permit_whose_registry_evidence_was_erased_is_too_old_to_be_corrected(office: FakeOffice) -> None:
    permit = permit_of(office)
    with office.register.engine.begin() as connection:
        connection.execute(text("DELETE FROM application_evidence"))

    with pytest.raises(ActNotPossible, match="ont été effacées"):
        correct(office, permit)


def test_agents_who_correct_one_permit_at_once_correct_it_once(office: FakeOffice) -> None:
    permit = permit_of(office)

    def send(n: int) -> str | None:
        try:
            return correct(office, permit, worksite=f"façade, {n} rue du Four").number
        except ActNotPossible:
            return None

    with ThreadPoolExecutor(4) as pool:
        numbers = [number for number in pool.map(send, range(4)) if number]

    assert numbers == ["EX-2026-000002"]
    assert live_footprints(office) == numbers
    assert rows(office, "SELECT max(value) FROM counter") == [(2,)]


def test_an_annulled_correction_leaves_the_first_permit_as_it_was(office: FakeOffice) -> None:
    permit = permit_of(office)
    office.press.broken = PrintError("encre")
    stuck = correct(office, permit)
    acts.annul(office.desk, stuck.number, "le document ne se compose pas", BY)
    office.press.broken = None

    assert again(office, permit).state is ActState.ISSUED
    assert live_footprints(office) == [permit.number]
    assert correct(office, permit).number == "EX-2026-000003"


def test_a_correction_is_an_application_of_its_own_that_the_holder_can_read(office: FakeOffice) -> None:
    permit = permit_of(office)
    corrected = correct(office, permit)
    filed = office.register.application(corrected.application_id, office.client_id)

    assert filed is not None and filed.act == replace(corrected)
    assert filed.filing.amends == permit.id
    assert filed.filing.application.worksite == CHANGE["worksite"]
    assert rows(office, "SELECT count(*) FROM application_contact") == [(1,)], "the contact is not copied"
