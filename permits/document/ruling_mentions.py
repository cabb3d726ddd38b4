"""What the document of a refusal, an abrogation or a withdrawal must say, taken from its payload."""

from collections.abc import Iterator
from datetime import date

from permits.document import french
from permits.document.mentions import Mention, algorithm, cited, common_mentions
from permits.domain.ruling import FeeTerms, Ruling, RulingKind

TITLES = {
    RulingKind.REFUSAL: "portant refus de permis de stationnement",
    RulingKind.ABROGATION: "portant abrogation d’un permis de stationnement",
    RulingKind.WITHDRAWAL: "portant retrait d’un permis de stationnement",
}


def ruling_mentions(ruling: Ruling) -> Iterator[Mention]:
    """Yield all that the document must show, each in its place."""
    yield from common_mentions(ruling)
    yield Mention("titre de l’acte", f"{ruling.number} {TITLES[ruling.kind]}")
    yield Mention("recours examiné par un agent", f"{ruling.appeal.authority} – examiné par un agent –")
    yield from _grounds(ruling)
    yield from _effect(ruling)
    if ruling.algorithm_contact:
        yield from algorithm(ruling.algorithm_contact)
    if ruling.fee_terms:
        yield from _fee(ruling.fee_terms)
    period = french.period(ruling.starts_on, ruling.ends_on)
    is_refusal = ruling.kind is RulingKind.REFUSAL
    role = "La demande a été présentée pour" if is_refusal else "Le permis avait été accordé à"
    yield Mention("qualité du bénéficiaire", f"{role} : {ruling.beneficiary.name}")
    yield Mention("période", f"Période {'demandée' if is_refusal else 'accordée'} : {period}")
    for place in ruling.places:
        yield Mention("emplacement", french.clause(place))


def _fee(terms: FeeTerms) -> Iterator[Mention]:
    yield Mention("redevance", f"Redevance {terms.text} [{terms.citation.text}]")
    charged = french.money(terms.charged, terms.currency)
    if terms.due is None:
        told = f"La redevance était de {charged} ; ce qui en reste dû est fixé par le service."
    else:
        no_longer = french.money(terms.charged - terms.due, terms.currency)
        due = french.money(terms.due, terms.currency)
        told = f"La redevance était de {charged} ; il en reste dû {due}, et {no_longer} ne le sont plus."
    yield Mention("ce qui reste dû", told, is_figure=True)


def _grounds(ruling: Ruling) -> Iterator[Mention]:
    """The motives in fact and in law, and how the holder could be heard (CRPA art. L211-5, L121-1)."""
    for motive in ruling.motives:
        yield Mention("motif", f"Considérant {french.consideration(motive.fact)} [{motive.citation.text}] ;")
    yield Mention("procédure contradictoire", f"Considérant {french.consideration(ruling.hearing)} ;")


def _effect(ruling: Ruling) -> Iterator[Mention]:
    """What happens to which act or application, and from which day."""
    if ruling.cites is None:
        application = f"n° {ruling.application_id}"
        received = french.paris_date(ruling.received_at)
        yield Mention("visa de la demande", f"Vu la demande {application}")
        yield Mention("demande refusée", f"stationnement {application}, reçue le {received}, est refusée.")
        return
    act = cited(ruling.cites)
    yield Mention("visa de l’acte cité", f"Vu l{act}")
    yield Mention("remise en état", "remet en état")
    if ruling.effective_on is None:
        yield Mention("acte retiré", f"L{act} est retiré : il est réputé n’avoir jamais existé.")
        return
    yield from _end(act, ruling.effective_on, ruling.starts_on)


def _end(act: str, effective_on: date, starts_on: date) -> Iterator[Mention]:
    yield Mention("date d’effet", f"L{act} est abrogé à compter du {french.long_date(effective_on)} :")
    if effective_on <= starts_on:
        start = french.long_date(starts_on)
        words = f"la période accordée ne commençant que le {start}, il n’autorise l’occupation aucun jour."
        yield Mention("jours autorisés", words)
    else:
        last = french.eve(effective_on)
        yield Mention("jours autorisés", f"le {last} est le dernier jour où il autorise l’occupation.")
        yield Mention("jours autorisés", f"Jusqu’au {last} compris, le bénéficiaire respecte les prescriptions")
