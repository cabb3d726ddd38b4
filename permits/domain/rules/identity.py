"""Who asks: the establishment, its company, and whether the applicant speaks for them."""

from collections.abc import Iterator

from permits.domain.decision import Finding
from permits.domain.establishment import Establishment, Protected, Standing
from permits.domain.french import day_text
from permits.domain.limits import Assurance
from permits.domain.rules.case import Case


def establishment_is_open(case: Case) -> Iterator[Finding]:
    """A company identifies itself with its SIRENE number (CRPA art. R112-9-1): open, and its unit active."""
    answer = case.facts.registry
    if isinstance(answer, Establishment):
        well = answer.is_at_work
        since = answer.unit_ceased_on if answer.is_open else answer.closed_on
        state = "ouvert" if well else "fermé" + (f" depuis le {day_text(since)}" if since else "")
        message = f"L’établissement {answer.siret} est {state} au registre Sirene."
    elif isinstance(answer, Protected):
        well = False
        message = "Le registre détient cet établissement mais ne peut en communiquer l’état : un agent vérifie."
    else:
        well = False
        message = "L’établissement n’a pas été trouvé dans la source consultée : un agent vérifie."
    yield case.finding("SIRET-EXISTS", well, message)


def establishment_is_certain(case: Case) -> Iterator[Finding]:
    """The number's key is right, the answer is about the number asked, no source disputes it, the name is known."""
    answer = case.facts.registry
    doubts = []
    if not case.facts.siret_key_is_valid:
        doubts.append("la clé de contrôle du SIRET est inhabituelle")
    if isinstance(answer, Establishment):
        if answer.disagreement is not None:
            doubts.append(f"les sources ne disent pas la même chose ({answer.disagreement})")
        if answer.was_merged:
            doubts.append(f"le registre a fusionné ce SIRET avec {answer.siret}")
        if answer.name is None:
            doubts.append("le nom de l’entreprise est masqué par le registre")
    message = "L’identité de l’établissement est certaine."
    if doubts:
        message = "Un agent confirme l’identité : " + " ; ".join(doubts) + "."
    yield case.finding("SIRET-CERTAIN", not doubts, message)


def company_is_in_good_standing(case: Case) -> Iterator[Finding]:
    """Struck off, insolvent or unknown to the source: no ground to refuse, a person looks at it."""
    if not isinstance(case.facts.registry, Establishment):
        return
    standing, since = case.facts.registry.standing, case.facts.registry.standing_since
    dated = f" depuis le {day_text(since)}" if since else ""
    messages = {
        Standing.REGISTERED: "L’entreprise est inscrite, sans procédure collective signalée.",
        Standing.NOT_REGISTERED: "L’entreprise n’est pas de celles qui s’inscrivent au registre du commerce.",
        Standing.STRUCK_OFF: f"L’entreprise est radiée{dated} : un agent vérifie qui peut la représenter.",
        Standing.INSOLVENCY: f"Une procédure collective est signalée{dated} : un agent vérifie qui peut s’engager.",
        Standing.UNKNOWN: "La source consultée ne dit rien d’une radiation ou d’une procédure collective.",
    }
    well = standing in (Standing.REGISTERED, Standing.NOT_REGISTERED)
    yield case.finding("SIRET-STANDING", well, messages[standing])


_ASSURANCE_TEXT = {
    Assurance.NONE: "rien ne relie le demandeur à l’entreprise",
    Assurance.CONFIRMED_EMAIL: "une adresse électronique a été confirmée",
    Assurance.PROCONNECT_SIRET: "le demandeur s’est identifié par ProConnect pour ce SIRET",
    Assurance.KEY_BOUND_TO_SIREN: "la clé d’accès a été remise à cette entreprise",
}


def applicant_speaks_for_the_company(case: Case) -> Iterator[Finding]:
    """Nobody makes a permit in another firm's name by typing its SIRET."""
    threshold = case.rulebook.limits.applicant_assurance_threshold.on(case.facts.decided_on)
    assurance = case.facts.assurance
    yield case.finding(
        "APPLICANT",
        assurance >= threshold.value,
        f"Lien entre le demandeur et l’entreprise : {_ASSURANCE_TEXT[assurance]}.",
        measured=assurance.code,
        limit=threshold.value.code,
        citation=threshold.citation,
    )


def payer_agrees(case: Case) -> Iterator[Finding]:
    """Nobody makes a debt in another firm's name: a payer other than the company must be known as well."""
    if case.application.payer_siret is None:
        return
    threshold = case.rulebook.limits.applicant_assurance_threshold.on(case.facts.decided_on)
    assurance = case.facts.payer_assurance
    yield case.finding(
        "PAYER",
        assurance >= threshold.value,
        f"Lien entre le demandeur et le payeur désigné : {_ASSURANCE_TEXT[assurance]}.",
        measured=assurance.code,
        limit=threshold.value.code,
    )
