"""A permit of a town that does not exist, complete enough to be printed."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from permits.domain.application import Insurance, Kind
from permits.domain.decision import Citation, Fee, FeeLine, Prescription
from permits.domain.permit import (
    Appeal,
    Beneficiary,
    DailyWindow,
    FetchedData,
    IssuingAuthority,
    KeptFor,
    Permit,
    PermittedOccupancy,
    Signatory,
)
from permits.domain.place import Metres, Polygon

VERIFICATION_URL = "https://permis.exemple-ville.example/v/9tB4kQ2mXz7LrN5sYw1cHg"

AUTHORITY = IssuingAuthority(
    id="exemple",
    name="Commune d’Exemple-Ville",
    article_name="la commune d’Exemple-Ville",
    fictional=True,
    place="Exemple-Ville",
    service="Service Occupation du domaine public",
    postal_address=("Hôtel de ville", "1 rue de la Mairie", "29999 Exemple-Ville"),
    email="voirie@exemple-ville.example",
    phone="02 99 00 00 00",
    data_protection_contact="dpd@exemple-ville.example",
)

SIGNATORY = Signatory(
    first_name="Maëlle",
    name="Fictive",
    quality="adjointe au maire déléguée à l’espace public",
    service="Service Occupation du domaine public",
    delegation="arrêté de délégation n° 2026-001 du 5 janvier 2026 (fictif)",
)

BENEFICIARY = Beneficiary(
    name="ÉCHAFAUDAGES DE L'OUEST (SARL)",
    siret="73282932000074",
    address=("12 RUE DES BÂTISSEURS", "29999 EXEMPLE-VILLE"),
    protected=False,
)

KEPT = KeptFor(contact_months=12, registry_answer_months=18, registry_traces_months=36, reading_traces_months=24)

VISAS = (
    "le code général des collectivités territoriales, notamment ses articles L. 2213-1 et L. 2213-6",
    "le code de la voirie routière, notamment ses articles L. 113-2 et L. 115-1",
    "le code général de la propriété des personnes publiques, notamment ses articles L. 2122-1 "
    "à L. 2122-3, L. 2125-1 et L. 2125-3",
    "le code des relations entre le public et l’administration, notamment ses articles L. 212-2 et L. 311-3-1",
    "l’arrêté du 15 janvier 2007 relatif à l’accessibilité de la voirie et des espaces publics",
    "le règlement de voirie d’Exemple-Ville adopté le 12 novembre 2025 (fictif)",
    "la délibération n° 2025-118 du 10 décembre 2025 fixant les droits de voirie (fictive)",
    "l’arrêté n° 2026-001 du 5 janvier 2026 portant délégation de signature (fictif)",
    "la demande n° D-7Q4M-2K9X reçue par téléservice le 8 février 2027",
)

PRESCRIPTIONS = (
    "Un cheminement libre d’au moins 1,40 m de large et de 2,20 m de haut est maintenu en "
    "permanence pour les piétons et les personnes à mobilité réduite.",
    "L’installation est signalée de jour, éclairée ou rétroréfléchissante de nuit, par les soins "
    "et aux frais du bénéficiaire.",
    "L’accès aux propriétés, aux bouches d’incendie, aux vannes et regards, à la collecte des "
    "déchets et aux véhicules de secours reste libre à tout moment.",
    "L’écoulement des eaux dans le caniveau n’est pas entravé ; aucun mortier n’est préparé sur la chaussée.",
    "Aucun travail bruyant n’a lieu entre 20 heures et 7 heures, ni les dimanches et jours fériés.",
    "L’échafaudage est monté par un personnel qualifié, équipé de filets et d’un platelage de "
    "protection au-dessus du cheminement.",
)


def rectangle(length: float, width: float, origin: Metres = (1352410.0, 7243180.0)) -> tuple[Metres, ...]:
    """Return a closed ring of metres, from its south-west corner, anticlockwise."""
    x, y = origin
    return ((x, y), (x + length, y), (x + length, y + width), (x, y + width), (x, y))


def occupancy(**changes: Any) -> PermittedOccupancy:
    """Return a scaffolding of 8 m by 1.20 m, with `changes`."""
    ring = changes.pop("ring_m", rectangle(8.0, 1.2))
    values: dict[str, Any] = {
        "kind": Kind.SCAFFOLDING,
        "label": Kind.SCAFFOLDING.label,
        "address": "14 rue du Four, 29999 Exemple-Ville",
        "length_m": Decimal("8.00"),
        "width_m": Decimal("1.20"),
        "height_m": Decimal("9.50"),
        "pieces": 1,
        "vehicle_tonnes": None,
        "footway_clear_width_m": Decimal("1.60"),
        "area_m2": Decimal("9.60"),
        "footprint": Polygon(
            type="Polygon",
            coordinates=[[(-4.4, 48.3), (-4.3999, 48.3), (-4.3999, 48.3001), (-4.4, 48.3)]],
        ),
        "ring_m": ring,
        "crs": "EPSG:3948",
    }
    return PermittedOccupancy(**(values | changes))


def prescription(number: int, text: str) -> Prescription:
    source = f"Règlement de voirie d’Exemple-Ville, art. {number + 9} (fictif)"
    return Prescription(id=f"RULE-{number}", text=text, citation=Citation(text=source))


def fee_line(label: str, explanation: str, quantity: str, unit: str, rate: str, amount: str) -> FeeLine:
    return FeeLine(
        label=label,
        quantity=Decimal(quantity),
        unit=unit,
        rate=Decimal(rate),
        amount=Decimal(amount),
        rounding="half_up 0.01",
        explanation=explanation,
        citation=Citation(text="Délibération n° 2025-118 du 10 décembre 2025, annexe 1 (fictive)"),
    )


FEE = Fee(
    total=Decimal("144.24"),
    lines=(
        fee_line("Échafaudage", "9,6 m² × 12 jours × 1,20 €", "115.20", "m² × jour", "1.20", "138.24"),
        fee_line("Frais de dossier", "1 dossier × 6,00 €", "1", "dossier", "6.00", "6.00"),
    ),
    tariff="Droits de voirie 2026-2027 (délibération n° 2025-118, fictive)",
)


def sample_permit(**changes: Any) -> Permit:
    """Return permit EX-2027-000001 of Exemple-Ville, with `changes`."""
    values: dict[str, Any] = {
        "template": "arrete/1",
        "number": "EX-2027-000001",
        "application_id": "D-7Q4M-2K9X",
        "received_at": datetime(2027, 2, 8, 8, 12, tzinfo=UTC),
        "decided_at": datetime(2027, 2, 8, 8, 13, 5, tzinfo=UTC),
        "authority": AUTHORITY,
        "signatory": SIGNATORY,
        "beneficiary": BENEFICIARY,
        "payer_siret": None,
        "worksite": "Ravalement de la façade sur rue",
        "urbanism_file": "DP 029 999 27 00012",
        "insurance": Insurance(insurer="Mutuelle Imaginaire", policy="RC-204-118"),
        "starts_on": date(2027, 3, 1),
        "ends_on": date(2027, 3, 12),
        "daily_hours": DailyWindow(starts=time(7, 30), ends=time(19)),
        "occupancies": (occupancy(),),
        "visas": tuple(Citation(text=text) for text in VISAS),
        "considerations": (
            "l’occupation demandée est compatible avec l’affectation et la conservation du domaine public routier",
            "elle laisse aux piétons un cheminement libre et ne gêne pas la circulation",
            "les prescriptions de l’article 4 sont nécessaires à la sécurité des usagers, à "
            "l’accessibilité du cheminement et à la remise en état des lieux",
        ),
        "prescriptions": tuple(prescription(number, text) for number, text in enumerate(PRESCRIPTIONS, start=1)),
        "fee": FEE,
        "payment_terms": "La redevance est payable d’avance, à réception de l’avis des sommes à "
        "payer émis par le comptable public. Elle n’est pas soumise à la TVA.",
        "appeal": Appeal(
            authority="la maire d’Exemple-Ville, Hôtel de ville, 1 rue de la Mairie, 29999 Exemple-Ville",
            court="tribunal administratif d’Exemple (fictif)",
            court_address="2 place de la Justice, 29999 Exemple-Ville",
        ),
        "algorithm_contact": "Service Occupation du domaine public, 1 rue de la Mairie, "
        "29999 Exemple-Ville, voirie@exemple-ville.example",
        "fetched_data": (
            FetchedData(
                source="API Recherche d’entreprises (DINUM, données Sirene de l’Insee)",
                data="dénomination, adresse et état de l’établissement",
                fetched_at=datetime(2027, 2, 8, 8, 12, 4, tzinfo=UTC),
                source_updated_at=datetime(2027, 2, 7, 3, 0, tzinfo=UTC),
            ),
        ),
        "kept": KEPT,
        "rulebook_digest": "5f2b" * 16,
        "verification_url": VERIFICATION_URL,
        "specimen": True,
    }
    return Permit(**(values | changes))
