"""The permit as it is frozen: complete, without the applicant's contact, and equal after a turn through JSON."""

import json
import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from permits.domain.application import Kind
from permits.domain.canonical import canonical_json, digest
from permits.domain.decide import decide
from permits.domain.decision import Granted
from permits.domain.drafting import draft_permit
from permits.domain.establishment import NotFound, Source
from permits.domain.limits import Assurance
from permits.domain.permit import Permit
from tests.domain.builders import (
    SIRET,
    a_filed_application,
    a_place,
    an_application,
    an_establishment,
    an_occupancy,
    demo_rulebook,
    some_evidence,
    some_facts,
)

APPLICATION_ID = "7c3f0f5e-3d0f-4a53-9d1f-0a4b7f1c2d3e"
DECIDED_AT = datetime(2026, 12, 21, 9, 0, 2, tzinfo=UTC)
URL = "https://permis.exemple.example/v/9tB4kQ2mXz7LrN5sYw1cHg"


def draft(application: Any = None, facts: Any = None, **changes: Any) -> Permit:
    application, facts = application or an_application(), facts or some_facts()
    rulebook = changes.pop("rulebook", demo_rulebook())
    decision = decide(application, facts, rulebook)
    assert isinstance(decision, Granted)
    values: dict[str, Any] = {
        "number": "EX-2026-000042",
        "application_id": APPLICATION_ID,
        "decided_at": DECIDED_AT,
        "verification_url": URL,
        "specimen": True,
    }
    return draft_permit(application, facts, decision, rulebook, **(values | changes))


def test_the_permit_says_who_where_when_and_how_much() -> None:
    permit = draft()
    assert permit.number == "EX-2026-000042"
    assert permit.beneficiary.name == "ECHAFAUDAGES DU MODELE"
    assert permit.beneficiary.siret == SIRET
    assert permit.beneficiary.address == ("12 RUE DES EXEMPLES", "29999 EXEMPLE-VILLE")
    assert (permit.starts_on, permit.ends_on) == (date(2027, 1, 11), date(2027, 1, 15))
    assert permit.daily_hours is not None
    assert (permit.daily_hours.starts, permit.daily_hours.ends) == (time(8), time(18))
    assert permit.worksite == "façade 12 rue des Exemples"
    assert permit.urbanism_file == "DP 029 999 26 00123"
    assert permit.insurance is not None and permit.insurance.policy == "RC-2026-0042"
    assert permit.fee.total == Decimal("92.40")
    assert (permit.received_at, permit.decided_at) == (some_facts().received_at, DECIDED_AT)
    assert permit.application_id == APPLICATION_ID
    assert permit.rulebook_digest == demo_rulebook().digest
    assert permit.verification_url == URL
    assert permit.specimen
    assert not draft(specimen=False).specimen


def test_each_occupancy_is_described_with_its_own_measures() -> None:
    occupancies = (an_occupancy(), an_occupancy(kind=Kind.SKIP, pieces=2, vehicle_tonnes="3.5", height_m=None))
    facts = some_facts(places=(a_place(), a_place(area_m2="28.80")))
    first, second = draft(an_application(occupancies=occupancies), facts).occupancies
    assert (first.label, first.area_m2, first.pieces) == ("échafaudage", Decimal("14.40"), 1)
    assert (second.label, second.area_m2, second.pieces) == ("benne", Decimal("28.80"), 2)
    assert (second.vehicle_tonnes, second.height_m) == (Decimal("3.5"), None)
    assert (first.length_m, first.width_m, first.footway_clear_width_m) == (
        Decimal("12"),
        Decimal("1.2"),
        Decimal("1.60"),
    )
    assert first.address == "12 rue des Exemples 29999 Exemple-Ville"
    assert first.footprint == occupancies[0].place.footprint
    assert first.ring_m == a_place().footprint.ring
    assert first.crs == "EPSG:3948"


def test_the_author_of_the_act_and_the_ways_to_contest_it_are_told() -> None:
    permit, authority = draft(), demo_rulebook().authority
    assert (permit.signatory.first_name, permit.signatory.name) == ("Maëlle", "Fictive")
    assert permit.signatory.service == "Service Occupation du domaine public"
    assert permit.authority == authority.identity
    assert permit.appeal == authority.appeal
    assert permit.algorithm_contact == authority.algorithm_contact
    assert permit.payment_terms == authority.payment_terms
    assert permit.considerations == authority.considerations


def test_the_visas_are_those_of_the_authority_then_the_request() -> None:
    visas = draft().visas
    assert visas[:-1] == demo_rulebook().authority.visas
    assert visas[-1].text == f"la demande n° {APPLICATION_ID} reçue par téléservice le 21 décembre 2026"


def test_the_request_is_dated_by_the_day_in_paris() -> None:
    facts = some_facts(received_at=datetime(2026, 12, 31, 23, 30, tzinfo=UTC))
    application = an_application(starts_on=date(2027, 1, 18), ends_on=date(2027, 1, 22))
    assert draft(application, facts).visas[-1].text.endswith("le 1er janvier 2027")


def test_the_prescriptions_print_the_figures_in_force() -> None:
    texts = {each.id: each.text for each in draft().prescriptions}
    assert texts["FOOTWAY-MIN"].startswith("Un cheminement libre d’au moins 1,40 m de large")
    assert not any("{" in text for text in texts.values())
    assert list(texts) == [rule.id for rule in demo_rulebook().prescriptions if rule.id in texts]


@pytest.mark.parametrize("source", list(Source))
def test_the_data_fetched_from_other_administrations_is_told(source: Source) -> None:
    updated = datetime(2026, 12, 20, 3, 0, tzinfo=UTC)
    evidence = (some_evidence(source=source, source_updated_at=updated), some_evidence())
    first, second = draft(facts=some_facts(registry=an_establishment(evidence=evidence))).fetched_data
    names = {
        Source.API_ENTREPRISE: "API Entreprise",
        Source.RECHERCHE_ENTREPRISES: "API Recherche d’entreprises",
        Source.INSEE: "API Sirene",
    }
    assert first.source.startswith(names[source])
    assert (first.fetched_at, first.source_updated_at) == (some_evidence().fetched_at, updated)
    assert "état de l’établissement" in first.data
    assert second.source_updated_at is None


def test_the_permit_holds_no_contact_of_the_applicant() -> None:
    filed = a_filed_application(contact={"email": "marie@modele.example", "phone": "06 00 00 00 01"})
    written = canonical_json(draft(filed.without_contact()))
    assert "marie@modele.example" in canonical_json(filed)
    assert "06 00 00 00 01" in canonical_json(filed)
    assert "marie" not in written
    assert "06 00 00 00 01" not in written
    authority = demo_rulebook().authority.identity
    assert set(re.findall(r"[\w.+-]+@[\w.-]+", written)) == {authority.email, authority.data_protection_contact}
    assert set(re.findall(r"\b0\d(?: \d\d){4}\b", written)) == {authority.phone}
    assert "contact" not in json.loads(written)
    assert not {"email", "phone", "birth_date"} & json.loads(written)["beneficiary"].keys()


def test_company_data_under_partial_diffusion_is_marked_as_protected() -> None:
    assert draft(facts=some_facts(registry=an_establishment(partially_diffusible=True))).beneficiary.protected
    assert not draft().beneficiary.protected


def test_what_was_not_given_is_left_out() -> None:
    permit = draft(an_application(urbanism_file=None, insurance=None, daily_hours=None))
    assert (permit.urbanism_file, permit.insurance, permit.daily_hours, permit.payer_siret) == (None,) * 4


def test_the_payer_is_named() -> None:
    facts = some_facts(payer_assurance=Assurance.CONFIRMED_EMAIL)
    assert draft(an_application(payer_siret="99999002100019"), facts).payer_siret == "99999002100019"


def test_the_permit_is_equal_after_a_turn_through_json() -> None:
    occupancies = (an_occupancy(), an_occupancy(kind=Kind.SKIP, length_m=None, vehicle_tonnes="3.50"))
    permit = draft(an_application(occupancies=occupancies), some_facts(places=(a_place(), a_place())))
    again = Permit.model_validate_json(permit.model_dump_json())
    assert again == permit
    assert again.model_dump_json() == permit.model_dump_json()
    assert digest(again) == digest(permit)
    assert Permit.model_validate(json.loads(canonical_json(permit))) == permit


def test_an_amount_keeps_its_cents_through_json() -> None:
    again = Permit.model_validate_json(draft().model_dump_json())
    assert str(again.fee.total) == "92.40"
    assert [str(line.amount) for line in again.fee.lines] == ["86.40", "6.00"]
    assert str(again.occupancies[0].area_m2) == "14.40"


@pytest.mark.parametrize(
    ("changes", "decided_at"),
    [
        ({"registry": NotFound(siret=SIRET, definite=False, evidence=())}, DECIDED_AT),
        ({"registry": an_establishment(name=None)}, DECIDED_AT),
        ({}, datetime(2032, 4, 1, 9, 0, tzinfo=UTC)),
    ],
    ids=["no establishment", "no name", "nobody may sign"],
)
def test_nothing_is_drafted_without_a_named_company_and_a_signatory(
    changes: dict[str, Any], decided_at: datetime
) -> None:
    granted = decide(an_application(), some_facts(), demo_rulebook())
    assert isinstance(granted, Granted)
    with pytest.raises(ValueError, match="rules should have referred"):
        draft_permit(
            an_application(),
            some_facts(**changes),
            granted,
            demo_rulebook(),
            number="EX-2026-000001",
            application_id=APPLICATION_ID,
            decided_at=decided_at,
            verification_url=URL,
            specimen=True,
        )
