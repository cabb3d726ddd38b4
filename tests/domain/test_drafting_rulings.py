"""Rulings as they are frozen: whom they name, what they cite, what they tell of the data and of the fee."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from permits.domain.canonical import canonical_json
from permits.domain.decision import Citation
from permits.domain.drafting_rulings import draft_ruling, subject_of_application, subject_of_permit
from permits.domain.establishment import NotFound, Protected
from permits.domain.filing import Filed, filing_of
from permits.domain.limits import Assurance
from permits.domain.permit import KeptFor, Permit
from permits.domain.ruling import Motive, Ruling, RulingKind
from tests.domain.builders import (
    RECEIVED_AT,
    SIRET,
    an_application,
    an_establishment,
    demo_rulebook,
    some_evidence,
    some_facts,
)
from tests.domain.test_drafting import draft

APPLICATION_ID = UUID("7c3f0f5e-3d0f-4a53-9d1f-0a4b7f1c2d3e")
DECIDED_AT = datetime(2026, 12, 28, 9, 0, tzinfo=UTC)
MOTIVE = Motive(fact="la place accueille le marché", citation=Citation(text="Règlement de voirie, art. 22 (fictif)"))
BY_SIRET = "Entreprise désignée par son SIRET"
NAME, STREET = "ECHAFAUDAGES DU MODELE", "12 RUE DES EXEMPLES"


def filed(registry: Any = None, assurance: Assurance = Assurance.KEY_BOUND_TO_SIREN, **changes: Any) -> Filed:
    """Return a referred application, as the register gives it back."""
    filing = filing_of(
        an_application(),
        application_id=APPLICATION_ID,
        client_id=uuid4(),
        key="k",
        assurance=assurance,
        payer=Assurance.NONE,
        at=RECEIVED_AT,
    )
    facts = some_facts(registry=registry or an_establishment(), assurance=assurance)
    values: dict[str, Any] = {
        "filing": filing,
        "outcome": "referred",
        "facts": facts,
        "decision": None,
        "rulebook_digest": "ab" * 32,
        "decided_at": RECEIVED_AT,
        "act": None,
    }
    return Filed(**(values | changes))


def refusal(registry: Any = None, assurance: Assurance = Assurance.KEY_BOUND_TO_SIREN, **changes: Any) -> Ruling:
    return ruling(RulingKind.REFUSAL, subject_of_application(filed(registry, assurance, **changes)))


def ruling(kind: RulingKind, subject: Any) -> Ruling:
    return draft_ruling(
        kind,
        subject,
        demo_rulebook(),
        motives=(MOTIVE,),
        hearing="il est statué sur une demande",
        effective_on=date(2027, 1, 13) if kind is RulingKind.ABROGATION else None,
        number="EXR-2026-000001",
        decided_at=DECIDED_AT,
        verification_url="https://permis.exemple.example/v/9tB4kQ2mXz7LrN5sYw1cHg",
        specimen=True,
    )


# --- whom a refusal names ----------------------------------------------------------------------


@pytest.mark.parametrize("assurance", [level for level in Assurance if level < Assurance.KEY_BOUND_TO_SIREN])
def test_a_refusal_tells_a_stranger_nothing_of_a_company_under_partial_diffusion(assurance: Assurance) -> None:
    told = refusal(an_establishment(partially_diffusible=True), assurance)

    assert (told.beneficiary.name, told.beneficiary.siret, told.beneficiary.address) == (BY_SIRET, SIRET, ())
    assert told.beneficiary.protected
    assert NAME not in canonical_json(told) and STREET not in canonical_json(told)


def test_a_company_under_partial_diffusion_reads_its_own_name_in_its_refusal() -> None:
    told = refusal(an_establishment(partially_diffusible=True))

    assert (told.beneficiary.name, told.beneficiary.protected) == (NAME, True)
    assert STREET in canonical_json(told)


def test_what_the_registry_tells_to_everybody_is_told_to_a_stranger() -> None:
    """The control of the first test: the words that it does not find are there to be found."""
    told = refusal(assurance=Assurance.NONE)

    assert (told.beneficiary.name, told.beneficiary.protected) == (NAME, False)
    assert STREET in canonical_json(told)


@pytest.mark.parametrize(
    "changes",
    [
        {"registry": NotFound(siret=SIRET, definite=False, evidence=())},
        {"registry": Protected(siret=SIRET, evidence=())},
        {"registry": an_establishment(name=None, address=())},
        {"facts": None},
    ],
    ids=["not found", "protected", "masked", "erased"],
)
def test_a_company_whose_name_is_not_known_is_named_by_its_siret(changes: dict[str, Any]) -> None:
    told = refusal(**changes)

    assert (told.beneficiary.name, told.beneficiary.siret, told.beneficiary.address) == (BY_SIRET, SIRET, ())


# --- which data it tells -----------------------------------------------------------------------

STANDING = "état de l’établissement, état de l’unité légale, inscription au registre"
EXISTENCE = "existence de l’établissement au registre"


@pytest.mark.parametrize(
    ("registry", "data"),
    [
        (an_establishment(), f"dénomination, adresse et {STANDING}"),
        (an_establishment(name=None, address=()), STANDING),
        (Protected(siret=SIRET, evidence=(some_evidence(),)), EXISTENCE),
        (NotFound(siret=SIRET, definite=False, evidence=(some_evidence(),)), EXISTENCE),
    ],
    ids=["known", "masked", "protected", "not found"],
)
def test_a_refusal_tells_what_was_fetched_from_whom_and_when(registry: Any, data: str) -> None:
    (fetched,) = refusal(registry).fetched_data

    assert (fetched.data, fetched.fetched_at) == (data, some_evidence().fetched_at)
    assert fetched.source.startswith("API Entreprise")


def test_what_was_erased_is_not_told_as_fetched() -> None:
    assert refusal(facts=None).fetched_data == ()


# --- what it cites, and what it says of the fee and of the machine ------------------------------

ENDINGS = [RulingKind.ABROGATION, RulingKind.WITHDRAWAL]


def visas(told: Ruling) -> list[str]:
    return [visa.text for visa in told.visas]


def test_the_visas_of_a_ruling_are_its_own_then_the_application() -> None:
    told, authority = refusal(), demo_rulebook().authority

    assert told.visas[:-1] == authority.ruling_visas != authority.visas
    assert visas(told)[-1] == f"la demande n° {APPLICATION_ID} reçue par téléservice le 21 décembre 2026"


@pytest.mark.parametrize("article", ["L. 121-1", "L. 211-2", "L. 211-5"])
def test_the_demonstration_s_rulings_cite_hearing_and_motivation(article: str) -> None:
    assert any(article in text for text in visas(refusal()))
    assert not any(article in visa.text for visa in demo_rulebook().authority.visas)


@pytest.mark.parametrize("kind", ENDINGS)
def test_what_ends_a_permit_cites_it_and_its_application(kind: RulingKind) -> None:
    told = ruling(kind, subject_of_permit(draft(), Decimal("40.56")))

    assert visas(told)[-2:] == [
        f"la demande n° {APPLICATION_ID} reçue par téléservice le 21 décembre 2026",
        "l’arrêté n° EX-2026-000042 du 21 décembre 2026",
    ]
    assert told.cites is not None and told.cites.number == "EX-2026-000042"


def corrected() -> Permit:
    return draft(application_id="c0ffee", answers=str(APPLICATION_ID))


@pytest.mark.parametrize("kind", ENDINGS)
def test_a_ruling_on_a_correction_cites_the_application_that_somebody_filed(kind: RulingKind) -> None:
    told = ruling(kind, subject_of_permit(corrected(), None))

    assert visas(told)[-2] == f"la demande n° {APPLICATION_ID} reçue par téléservice le 21 décembre 2026"
    assert told.application_id == "c0ffee"
    assert "c0ffee" not in "".join(visas(told))


def test_a_correction_s_own_visa_cites_that_application_too() -> None:
    permit = corrected()

    assert permit.visas[-1] == draft().visas[-1]
    assert (permit.application_id, permit.asked_in) == ("c0ffee", str(APPLICATION_ID))
    assert (draft().answers, draft().asked_in) == (None, str(APPLICATION_ID))


def test_a_refusal_says_where_to_ask_for_the_rules_that_referred_it() -> None:
    told = refusal()

    assert told.algorithm_contact == demo_rulebook().authority.algorithm_contact
    assert told.rulebook_digest == "ab" * 32
    assert told.fee_terms is None


@pytest.mark.parametrize("kind", ENDINGS)
def test_what_ends_a_permit_says_what_becomes_of_the_fee_and_names_no_machine(kind: RulingKind) -> None:
    told, terms = ruling(kind, subject_of_permit(draft(), Decimal("40.56"))), demo_rulebook().authority.ending_fee_terms

    assert terms is not None and told.fee_terms is not None
    assert (told.fee_terms.text, told.fee_terms.citation) == (terms.text, terms.cites)
    assert (told.fee_terms.charged, told.fee_terms.due) == (Decimal("92.40"), Decimal("40.56"))
    assert (told.algorithm_contact, told.rulebook_digest) == (None, None)
    assert told.fetched_data == draft().fetched_data


def test_every_act_tells_the_periods_of_the_rulebook() -> None:
    retention = demo_rulebook().retention
    periods = KeptFor(
        contact_months=retention.application_contact.months,
        registry_answer_months=retention.application_evidence.months,
        registry_traces_months=retention.registry_access.months,
        reading_traces_months=retention.access_log.months,
    )

    assert draft().kept == refusal().kept == periods


def test_each_period_is_that_of_its_own_table() -> None:
    rulebook = demo_rulebook()
    kept = rulebook.retention
    changed = kept.model_copy(
        update={
            "application_contact": kept.application_contact.model_copy(update={"months": 5}),
            "application_evidence": kept.application_evidence.model_copy(update={"months": 6}),
            "registry_access": kept.registry_access.model_copy(update={"months": 7}),
            "access_log": kept.access_log.model_copy(update={"months": 8}),
        }
    )
    permit = draft(rulebook=rulebook.model_copy(update={"retention": changed}))

    assert permit.kept == KeptFor(
        contact_months=5, registry_answer_months=6, registry_traces_months=7, reading_traces_months=8
    )
