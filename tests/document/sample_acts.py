"""The acts that follow a permit of the town that does not exist, or refuse one."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from permits.domain.decision import Citation
from permits.domain.permit import Amendment, CitedAct, Permit
from permits.domain.ruling import FeeTerms, Motive, Ruling, RulingKind
from tests.document.sample import AUTHORITY, BENEFICIARY, KEPT, SIGNATORY, VISAS, sample_permit

FIRST = CitedAct(number="EX-2027-000001", decided_on=date(2027, 2, 8))
RULING_URL = "https://permis.exemple-ville.example/v/Qm3vT8nKp1RwXy6Zd0aFhs"

CODES = (
    "le code général des collectivités territoriales, notamment ses articles L. 2213-1 et L. 2213-6",
    "le code général de la propriété des personnes publiques, notamment ses articles L. 2122-1 à L. 2122-3",
    "le code des relations entre le public et l’administration, notamment ses articles L. 121-1, L. 211-2, L. 211-5, "
    "L. 242-1 et L. 242-2",
    "le règlement de voirie d’Exemple-Ville adopté le 12 novembre 2025 (fictif)",
    "l’arrêté n° 2026-001 du 5 janvier 2026 portant délégation de signature (fictif)",
)
FIRST_VISA = "l’arrêté n° EX-2027-000001 du 8 février 2027 portant permis de stationnement"


def motive(fact: str, text: str) -> Motive:
    return Motive(fact=fact, citation=Citation(text=text))


BREACH = motive(
    "L’échafaudage empiète de 0,45 m sur le cheminement des piétons, constaté le 3 mars 2027 par un agent "
    "assermenté, et n’a pas été déplacé malgré la mise en demeure du 4 mars 2027.",
    "code des relations entre le public et l’administration, article L. 242-2, 1°",
)
ILLEGAL = motive(
    "Le permis a été délivré sur le fondement d'une emprise qui n’appartient pas au domaine public de la commune.",
    "code des relations entre le public et l’administration, article L. 242-1",
)
MARKET = motive(
    "La place du Four accueille le marché hebdomadaire aux dates demandées, et aucune autre emprise n’y est possible.",
    "Règlement de voirie d’Exemple-Ville, art. 22 (fictif)",
)

HEARD = (
    "Le bénéficiaire a été invité le 5 mars 2027 à présenter ses observations (articles L. 121-1 et L. 122-1 du code "
    "des relations entre le public et l’administration) ; il a répondu le 6 mars 2027 que le chantier avait du retard."
)
NOT_DUE = (
    "il est statué sur une demande : les observations préalables n’avaient pas à être recueillies (article L. 121-1 du "
    "code des relations entre le public et l’administration)"
)
FEE_TERMS = FeeTerms(
    text="La redevance n’est due que pour les jours où l’occupation a été autorisée ; le trop-perçu est restitué.",
    citation=Citation(text="délibération n° 2025-118 du 10 décembre 2025, article 7 (fictive)"),
    charged=Decimal("144.24"),
    due=Decimal("75.12"),
    currency="EUR",
)


def sample_ruling(kind: RulingKind, **changes: Any) -> Ruling:
    """Return a ruling of Exemple-Ville on permit EX-2027-000001, or on its application, with `changes`."""
    values: dict[str, Any] = {
        "template": "decision/1",
        "kind": kind,
        "application_id": "D-7Q4M-2K9X",
        "received_at": datetime(2027, 2, 8, 8, 12, tzinfo=UTC),
        "decided_at": datetime(2027, 3, 8, 9, 30, tzinfo=UTC),
        "authority": AUTHORITY,
        "signatory": SIGNATORY,
        "beneficiary": BENEFICIARY,
        "worksite": "Ravalement de la façade sur rue",
        "places": ("14 rue du Four, 29999 Exemple-Ville",),
        "starts_on": date(2027, 3, 1),
        "ends_on": date(2027, 3, 31),
        "appeal": sample_permit().appeal,
        "fetched_data": sample_permit().fetched_data,
        "kept": KEPT,
        "verification_url": RULING_URL,
        "specimen": True,
    }
    return Ruling(**(values | _OWN[kind] | changes))


def _citations(*texts: str) -> tuple[Citation, ...]:
    return tuple(Citation(text=text) for text in texts)


_OWN: dict[RulingKind, dict[str, Any]] = {
    RulingKind.REFUSAL: {
        "number": "EX-R-2027-000001",
        "cites": None,
        "effective_on": None,
        "visas": _citations(*CODES, VISAS[-1]),
        "motives": (MARKET,),
        "hearing": NOT_DUE,
        "algorithm_contact": sample_permit().algorithm_contact,
        "rulebook_digest": sample_permit().rulebook_digest,
    },
    RulingKind.ABROGATION: {
        "number": "EX-A-2027-000001",
        "cites": FIRST,
        "effective_on": date(2027, 3, 16),
        "visas": _citations(*CODES, FIRST_VISA),
        "motives": (BREACH,),
        "hearing": HEARD,
        "fee_terms": FEE_TERMS,
    },
    RulingKind.WITHDRAWAL: {
        "number": "EX-A-2027-000002",
        "cites": FIRST,
        "effective_on": None,
        "visas": _citations(*CODES, FIRST_VISA),
        "motives": (ILLEGAL,),
        "hearing": HEARD,
        "fee_terms": FEE_TERMS,
    },
}


def before_its_first_day() -> Ruling:
    """Return an abrogation that takes effect before the permit allows anything."""
    return sample_ruling(
        RulingKind.ABROGATION,
        decided_at=datetime(2027, 2, 22, 9, 30, tzinfo=UTC),
        effective_on=date(2027, 2, 25),
        motives=(
            motive(
                "Une canalisation s’est rompue sous la chaussée le 20 février 2027 ; la rue est fermée jusqu’en avril.",
                "code général de la propriété des personnes publiques, article L. 2122-3",
            ),
        ),
        hearing="l’urgence dispense de recueillir des observations préalables (article L. 121-2, 1°, du code des "
        "relations entre le public et l’administration)",
    )


def sample_extension(**changes: Any) -> Permit:
    """Return the permit that adds six days to EX-2027-000001, with `changes`."""
    values: dict[str, Any] = {
        "number": "EX-2027-000002",
        "amends": Amendment(kind="extension", cites=FIRST),
        "decided_at": datetime(2027, 3, 9, 8, 13, 5, tzinfo=UTC),
        "starts_on": date(2027, 3, 13),
        "ends_on": date(2027, 3, 18),
    }
    return sample_permit(**(values | changes))


REASONS = ("le numéro de la rue : « 14 » au lieu de « 41 »", "la hauteur de l'échafaudage : 9,50 m au lieu de 95 m.")


def sample_correction(**changes: Any) -> Permit:
    """Return the permit that replaces EX-2027-000001 to correct two clerical errors, with `changes`."""
    values: dict[str, Any] = {
        "number": "EX-2027-000003",
        "amends": Amendment(kind="correction", cites=FIRST, reasons=REASONS),
        "decided_at": datetime(2027, 2, 10, 8, 13, 5, tzinfo=UTC),
    }
    return sample_permit(**(values | changes))
