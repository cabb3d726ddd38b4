"""What every act must say, whatever it does: who takes it, whom it is for, how to contest it, how to check it."""

from collections.abc import Iterator
from typing import NamedTuple

from permits.document import french
from permits.document.payload import Payload
from permits.domain.permit import Appeal, Beneficiary, CitedAct, KeptFor


class Mention(NamedTuple):
    """Words that the document must show, in this order and in one piece, and how staff call them.

    A figure is not found inside of a longer one: 6,60 m² is not in 16,60 m².
    """

    what: str
    words: str
    is_figure: bool = False


# Without these words the act can be annulled, or its time limits never run.
ALWAYS = {
    "délai de recours": "dans les deux mois de sa notification",
    "recours gracieux": "d’un recours gracieux auprès de",
    "recours devant le juge": "ou d’un recours devant la juridiction suivante",
    "données d’autres administrations": "autre administration (article L. 114-8",
    "droit de rectification": "de les faire rectifier",
    "information sur les données personnelles": "règlement (UE) 2016/679",
    "notification": "dès sa notification (article L. 221-8",
    "date de la notification": "il l’est à la date de sa première consultation dans le téléservice",
    "dispense de signature": "Notifié par ce téléservice, cet acte est dispensé de la signature de son auteur "
    "(article L. 212-2, 1°",
    "téléservice de recours": "ou www.telerecours.fr",
    "effet du recours gracieux": "Le recours gracieux interrompt le délai de recours contentieux",
    "code QR": "Vérifier cet acte",
    "durées de conservation": "selon les règles des archives publiques",
}

# Of what rests on the machine, even partly (CRPA art. L311-3-1, R311-3-1-1).
ALGORITHM = {
    "mention du traitement algorithmique": "sur le fondement d’un traitement algorithmique",
    "article du code sur la mention": "article L. 311-3-1 du code des relations entre le public",
    "finalité du traitement": "Finalité : vérifier la conformité de la demande",
    "droit à communication des règles": "demander la communication des règles définissant",
    "saisine de la CADA": "Commission d’accès aux documents administratifs (CADA)",
}


def common_mentions(payload: Payload) -> Iterator[Mention]:
    """Yield what the act must say of itself, of its author and of its reader's rights."""
    for what, words in ALWAYS.items():
        yield Mention(what, words)
    yield Mention("numéro de l’acte", f"ARRÊTÉ n° {payload.number}")
    yield Mention("chantier", f"Chantier : {payload.worksite}")
    for visa in payload.visas:
        yield Mention("visa", f"Vu {french.visa(visa.text)} ;")
    yield from _appeal(payload.appeal)
    yield from _author(payload)
    yield from _party(payload.beneficiary)
    yield Mention("adresse de vérification", payload.verification_url)
    if payload.specimen:
        yield Mention("acte d’essai", "Spécimen. Acte d’essai, sans effet, quel que soit le cachet électronique")
    for fetched in payload.fetched_data:
        told = f"{fetched.data} – source : {fetched.source}, consultée le {french.paris_moment(fetched.fetched_at)}"
        if fetched.source_updated_at:
            told += f" (mise à jour le {french.paris_date(fetched.source_updated_at)})"
        yield Mention("donnée obtenue", told)
    if payload.kept:
        yield from _kept(payload.kept)


def algorithm(contact: str) -> Iterator[Mention]:
    """Yield the mention of the algorithm, and where its rules are asked for."""
    for what, words in ALGORITHM.items():
        yield Mention(what, words)
    yield Mention("accès aux règles", f"à l’adresse suivante : {contact}")


def cited(act: CitedAct) -> str:
    """Return how an act is named wherever another one cites it."""
    return f"’arrêté n° {act.number} du {french.long_date(act.decided_on)}"


def _kept(kept: KeptFor) -> Iterator[Mention]:
    periods = (
        f"courriel et téléphone, {kept.contact_months} mois après la fin du dossier",
        f"une personne physique, {kept.registry_answer_months} mois après la fin du dossier",
        f"traces des appels aux registres, {kept.registry_traces_months} mois",
        f"traces des lectures du dossier, {kept.reading_traces_months} mois",
    )
    for words in periods:
        yield Mention("durée de conservation", words)


def _appeal(appeal: Appeal) -> Iterator[Mention]:
    yield Mention("recours gracieux", f"auprès de l’autorité suivante : {appeal.authority}")
    yield Mention("juridiction", f"la juridiction suivante : {appeal.court} ({appeal.court_address}")


def _author(payload: Payload) -> Iterator[Mention]:
    author, authority = payload.signatory, payload.authority
    yield Mention("autorité", f"{authority.name} {authority.service} {', '.join(authority.postal_address)}")
    if authority.fictional:
        yield Mention("autorité fictive", "Ses règles et ses prix sont inventés")
    yield Mention("contact pour les données", f"opposition : {authority.data_protection_contact}")
    yield Mention("auteur en tête de l’acte", f"{author.first_name} {author.name}, {author.quality}, Vu")
    signed = f"Fait à {authority.place}, le {french.paris_date(payload.decided_at)}"
    signatory = f"{author.first_name} {author.name} {author.quality} {author.service}"
    yield Mention("auteur de l’acte", f"{signed} {signatory}")
    if author.delegation:
        yield Mention("délégation", f"Par délégation : {author.delegation}.")


def _party(beneficiary: Beneficiary) -> Iterator[Mention]:
    yield Mention("bénéficiaire", f"{beneficiary.name} SIRET {french.spaced_siret(beneficiary.siret)}")
    if beneficiary.address:
        yield Mention("adresse du bénéficiaire", f"– {', '.join(beneficiary.address)}")
