"""What a payload must hold before a page is made of it: a frozen payload is never completed afterwards."""

from collections.abc import Iterator

from permits.document.glyphs import drawable
from permits.document.payload import Payload
from permits.domain.permit import Permit
from permits.domain.ruling import Ruling, RulingKind

# The author and their title are never cut in two: so many letters fill the column of one page.
_MOST_OF_AN_AUTHOR = 1200


def gaps(payload: Payload) -> list[str]:
    """Return one French sentence for each thing that this kind of act cannot be taken without, or with."""
    own = _gaps_of_ruling(payload) if isinstance(payload, Ruling) else _gaps_of_permit(payload)
    return [*_excess_of_author(payload), *own]


def _excess_of_author(payload: Payload) -> Iterator[str]:
    by = payload.signatory
    shown = (payload.authority.place, by.first_name, by.name, by.quality, by.service)
    if sum(len(drawable(each)) for each in shown) > _MOST_OF_AN_AUTHOR:
        yield "l’auteur de l’acte et son titre ne tiennent pas sur une page"


def _gaps_of_permit(permit: Permit) -> Iterator[str]:
    amends = permit.amends
    if amends and amends.kind == "correction" and not (amends.reasons and all(map(str.strip, amends.reasons))):
        yield "une rectification dit ce qu’elle corrige"


def _gaps_of_ruling(ruling: Ruling) -> Iterator[str]:
    """The law wants motives in fact and in law (CRPA art. L211-5), and the holder heard (art. L121-1, L122-1)."""
    if not ruling.motives:
        yield "aucun motif n’est donné"
    for motive in ruling.motives:
        if not motive.fact.strip() or not motive.citation.text.strip():
            yield "un motif n’a pas son fait ou son texte"
    if not ruling.hearing.strip():
        yield "il n’est pas dit comment le bénéficiaire a pu être entendu, ou pourquoi il n’avait pas à l’être"
    if ruling.kind is RulingKind.REFUSAL and not (ruling.algorithm_contact or "").strip():
        yield "un refus suit ce que la machine a constaté : il n’est pas dit où en demander les règles"
    if ruling.kind is not RulingKind.REFUSAL and not (ruling.fee_terms and ruling.fee_terms.text.strip()):
        yield "il n’est pas dit ce que devient la redevance"
    if not ruling.visas:
        yield "aucun visa n’est donné"
    if not ruling.places:
        yield "aucun emplacement n’est donné"
    yield from _gaps_of_effect(ruling)


def _gaps_of_effect(ruling: Ruling) -> Iterator[str]:
    if (ruling.cites is None) != (ruling.kind is RulingKind.REFUSAL):
        yield "une abrogation ou un retrait cite le permis qui prend fin, un refus n’en cite aucun"
    if (ruling.effective_on is None) != (ruling.kind is not RulingKind.ABROGATION):
        yield "une abrogation, et elle seule, dit de quel jour elle prend effet"
    elif ruling.effective_on is not None and ruling.effective_on > ruling.ends_on:
        yield "une abrogation prend effet au plus tard le dernier jour du permis"
