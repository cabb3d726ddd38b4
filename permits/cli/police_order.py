"""The draft of an arrêté de police for an agent to complete, as plain text: nothing is recorded, nothing is sealed."""

import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from permits.cli.common import fail, open_book

if TYPE_CHECKING:
    from permits.domain.decision import Citation
    from permits.domain.police_order import OrderArticle, PoliceOrderDraft
    from permits.register.book import Register
    from permits.register.publications import Publications

app = typer.Typer()

_VERIFICATIONS = {"text_read": "texte lu", "secondary_source": "source secondaire", "unverified": "texte non vérifié"}
_WIDTH = 88


@app.command("draft-police-order")
def draft_police_order(
    application: Annotated[UUID, typer.Argument(help="Identifiant de la demande transmise à un agent")],
) -> None:
    """Écrire le projet d’arrêté de police d’une demande qui prend des places ou ferme une voie ; rien n’est gardé."""
    with open_book() as (register, publications):
        typer.echo("\n".join(_page(_draft(register, publications, application))))


def _draft(register: "Register", publications: "Publications", application_id: UUID) -> "PoliceOrderDraft":
    """Return the draft, from what is stored and the rulebook that examined it, or say in one line why there is none."""
    from permits.domain.act import ActKind
    from permits.domain.calendar import paris_day
    from permits.domain.police_order import draft_police_order as draft
    from permits.laws import KeptLaws

    filed = register.application(application_id)
    if filed is None:
        fail(f"le registre ne tient aucune demande {application_id}")
    if filed.filing.sandbox:
        fail("cette demande vient du bac à sable : elle n’occupe aucune rue")
    if filed.act is not None and filed.act.kind is ActKind.REFUSAL:
        fail(f"cette demande est refusée ({filed.act.number}) : il n’y a pas d’arrêté de police à prendre")
    if filed.facts is None or filed.rulebook_digest is None:
        fail("cette demande n’est pas encore examinée, ou la réponse du registre n’est plus gardée")
    rulebook = KeptLaws(publications).rulebook(filed.rulebook_digest)
    if rulebook.authority.police_order is None:
        fail(f"le règlement de cette demande ({rulebook.digest[:12]}) n’a pas de police_order dans authority.yaml")
    today = paris_day(datetime.now(UTC))
    found = draft(filed.filing.application, filed.facts, rulebook, application_id=str(application_id), on=today)
    if found is None:
        fail("cette demande ne prend ni place de stationnement ni voie : il n’y a pas d’arrêté de police à prendre")
    return found


def _page(draft: "PoliceOrderDraft") -> Iterator[str]:
    """Give the lines of a draft, in the order of an arrêté; what is left to a person comes last."""
    from permits.document.french import consideration, visa

    by = draft.authority
    yield "PROJET D’ARRÊTÉ, SANS EFFET JURIDIQUE"
    yield from _paragraph(draft.notice)
    yield from ("", f"{by.name} – {by.service}")
    if by.fictional:
        yield "Autorité fictive : ses règles sont inventées."
    yield ""
    yield from _paragraph(draft.title)
    yield ""
    for each in draft.visas:
        yield from _paragraph(f"Vu {visa(each.text)} [{_VERIFICATIONS[each.verification]}] ;")
    yield from _paragraph(f"Vu {draft.request} ;")
    yield ""
    for text in draft.considerations:
        yield from _paragraph(f"Considérant {consideration(text)} ;")
    yield from ("", "ARRÊTE")
    for number, article in enumerate(draft.articles, start=1):
        yield from ("", f"Article {number}{'er' if number == 1 else ''}. {article.title}")
        yield from _article(article)
    author = draft.signatory
    yield from ("", f"Fait à {by.place}, le [date]")
    yield f"{author.first_name} {author.name}, {author.quality}" if author else "[signataire à désigner]"
    yield from ("", "À COMPLÉTER OU À VÉRIFIER AVANT SIGNATURE")
    for number, text in enumerate(draft.to_complete, start=1):
        yield from _paragraph(text, f"{number:2}. ")


def _article(article: "OrderArticle") -> Iterator[str]:
    for sentence in article.sentences:
        is_item = sentence.startswith("– ")
        yield from _paragraph(sentence.removeprefix("– "), "  – " if is_item else "")
    if article.cites:
        yield from _paragraph(f"[{' ; '.join(map(_cited, article.cites))}]")


def _cited(citation: "Citation") -> str:
    return f"{citation.text}, {_VERIFICATIONS[citation.verification]}"


def _paragraph(text: str, start: str = "") -> list[str]:
    """Return French prose as lines that no punctuation begins; those after the first align with the first's words."""
    from permits.document.french import typeset

    return textwrap.wrap(
        typeset(text),
        _WIDTH,
        initial_indent=start,
        subsequent_indent=" " * len(start),
        break_long_words=False,
        break_on_hyphens=False,
    )
