"""What each rule looks at, when it is heard, what follows when it is not content, and the limits it compares with.

In French, for who reads the rules or the trace of a decision. Then what each limit does.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from permits.domain.decision import Citation
from permits.domain.rules.act import INTERRUPTION
from permits.domain.rules.period import NO_RIGHT_TO_RENEWAL

ALWAYS = "à chaque demande"


@dataclass(frozen=True)
class Told:
    """One rule in words. `text` is its own, where it is neither in rules.yaml nor beside a figure."""

    title: str
    otherwise: str = "un agent examine la demande"
    heard: str = ALWAYS
    limits: tuple[str, ...] = ()
    text: Citation | None = None


RULES_TOLD: Mapping[str, Told] = {
    "ISSUING-OPEN": Told(
        "La délivrance automatique n’est pas suspendue",
        "toute demande est transmise à un agent",
        "seulement pendant une suspension",
        text=INTERRUPTION,
    ),
    "SIRET-EXISTS": Told(
        "L’établissement existe, est ouvert, et son entreprise est active",
        "une réponse certaine empêche le dépôt ; dans le doute, un agent vérifie",
    ),
    "SIRET-CERTAIN": Told("L’identité de l’établissement est certaine", "un agent la confirme"),
    "SIRET-STANDING": Told(
        "L’entreprise n’est ni radiée ni en procédure collective",
        "un agent vérifie qui peut s’engager",
        "quand le registre a décrit l’établissement",
    ),
    "APPLICANT": Told("Le demandeur parle pour l’entreprise", limits=("applicant_assurance_threshold",)),
    "PAYER": Told(
        "Le payeur désigné est lui aussi relié au demandeur",
        heard="quand la demande désigne un autre payeur",
        limits=("applicant_assurance_threshold",),
    ),
    "AUTH-MATCH": Told("L’emplacement est dans le ressort de l’autorité", "un agent transmet ou partage la demande"),
    "ROAD-CLASS": Told(
        "Le permis sur cette voie relève de l’autorité",
        "un agent demande l’avis du gestionnaire, ou transmet à l’autorité compétente",
    ),
    "SIGNATORY": Told("Une délégation de signature est valable", "toute demande est transmise à un agent"),
    "EMPRISE-NONE": Told("Rien n’entre dans le sol", "il faut une permission de voirie, qu’une personne instruit"),
    "KIND-AUTOMATIC": Told("La machine peut accorder ce type d’occupation", limits=("automatic_kinds",)),
    "FREE": Told(
        "Une exonération est vérifiée par un agent",
        "la redevance est calculée, et un agent vérifie la réponse",
        "quand la demande répond à une question qui repose sur un texte",
    ),
    "NOTICE": Told("Le délai entre le dépôt et le début est respecté", limits=("notice_working_days",)),
    "DATES-FUTURE": Told(
        "L’occupation commence après la décision",
        "un agent régularise ; au dépôt, un début passé n’est pas reçu",
    ),
    "START-FURTHEST": Told("Le début n’est pas trop lointain", limits=("furthest_start_days",)),
    "DURATION-MAX": Told("La durée n’est pas trop longue", limits=("longest_duration_days",)),
    "EXTENSION": Told(
        "La prolongation suit un permis en vigueur",
        heard="seulement pour une prolongation",
        text=NO_RIGHT_TO_RENEWAL,
    ),
    "FOOTWAY-MIN": Told(
        "Les piétons gardent un passage libre",
        "un agent examine la demande, aussi quand la largeur n’est pas déclarée",
        limits=("footway_min_clear_width_m",),
    ),
    "SCAFF-PROJ": Told(
        "L’échafaudage reste près du mur",
        "un agent examine la demande, aussi quand la largeur n’est pas déclarée",
        "seulement pour un échafaudage",
        limits=("scaffold_max_projection_m",),
    ),
    "PARKING-USED": Told(
        "Aucune place de stationnement n’est prise",
        "il faut aussi un arrêté de police, qu’une personne prend",
    ),
    "LANE-CLOSED": Told(
        "Aucune voie de circulation n’est fermée",
        "il faut aussi un arrêté de police, qu’une personne prend",
    ),
    "EVENT-BAN": Told(
        "Aucun jour n’est interdit à cet endroit",
        "un agent examine la demande ; le texte cité est alors celui de la période",
    ),
    "PLACE-ADDRESS": Told(
        "L’adresse et le dessin sont au même endroit",
        "un agent vérifie l’adresse, aussi quand elle n’a pas pu être trouvée",
        limits=("address_max_distance_m",),
    ),
    "DIMENSIONS": Told(
        "La surface facturée est établie",
        "la surface dessinée est facturée, et la demande n’est pas transmise pour cela",
        limits=("dimensions_tolerance_percent", "dimensions_tolerance_m2"),
    ),
    "OVERLAP": Told("L’emplacement est libre ces jours-là", "un agent examine ; le permis en place est nommé"),
    "PRICE": Told("La redevance est calculée", "un agent la fixe : ce qui n’a pas de prix n’est jamais gratuit"),
}

# What each limit does; a rule that compares with one says the rest.
LIMITS_TOLD = {
    "applicant_assurance_threshold": "lien moindre entre le demandeur et l’entreprise : transmise",
    "automatic_kinds": "les autres types sont transmis",
    "notice_working_days": "début plus proche : transmise ; le jour du dépôt ne compte pas, le premier jour compte",
    "longest_duration_days": "plus longue : transmise ; une prolongation compte depuis le début du premier permis",
    "furthest_start_days": "début plus lointain, compté du jour du dépôt : transmise",
    "footway_min_clear_width_m": "passage moindre, ou non déclaré : transmise",
    "scaffold_max_projection_m": "saillie plus grande, ou non déclarée : transmise",
    "address_max_distance_m": "emprise plus loin de son adresse : transmise",
    "territory_margin_km": "dessin plus loin du ressort : la demande n’est pas reçue",
    "footprint_tolerance_m": "retrait de chaque emprise avant de la comparer à ses voisines et aux zones",
    "footprint_min_width_m": "emprise plus étroite quelque part : la demande n’est pas reçue",
    "dimensions_tolerance_percent": "écart plus grand que les deux limites : la surface dessinée est facturée",
    "dimensions_tolerance_m2": "écart plus grand que les deux limites : la surface dessinée est facturée",
    "evidence_max_age_hours": (
        "à cet âge, et à 23 heures au plus, une réponse ne fonde plus rien : le registre est interrogé de nouveau"
    ),
    "silence_months": "sans réponse dans ce délai, la demande est réputée rejetée",
}
