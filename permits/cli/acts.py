"""What a person decides: ending, correcting, refusing, annulling, notifying; and the issuing switch."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Annotated
from uuid import UUID

import typer

from permits.cli.common import Authority, By, day_option, fail, open_desk, turning
from permits.domain.act import Act, ActKind, ActState, Channel, Notification
from permits.domain.decision import Citation
from permits.domain.filing import ActNotPossible
from permits.domain.ruling import Motive

app = typer.Typer()

KINDS = {
    ActKind.PERMIT: "permis",
    ActKind.EXTENSION: "prolongation",
    ActKind.CORRECTION: "rectification",
    ActKind.REFUSAL: "refus",
    ActKind.ABROGATION: "abrogation",
    ActKind.WITHDRAWAL: "retrait",
}
STATES = {
    ActState.ISSUED: "acte scellé",
    ActState.ANNULLED: "numéro annulé",
    ActState.ABROGATED: "acte abrogé",
    ActState.WITHDRAWN: "acte retiré",
    ActState.SUPERSEDED: "acte remplacé",
}

Number = Annotated[str, typer.Argument(help="Numéro de l’acte, par exemple EX-2027-000001")]
Fact = Annotated[list[str], typer.Option("--fact", help="Un fait qui motive l’acte (répétable)")]
Ground = Annotated[str, typer.Option(help="Motif de droit, tel que le règlement le nomme (authority.yaml, endings)")]
Hearing = Annotated[str, typer.Option(help="Comment le titulaire a pu présenter ses observations, ou pourquoi non")]
Day = Annotated[date, day_option()]


@app.command()
def abrogate(number: Number, ground: Ground, fact: Fact, hearing: Hearing, effective_on: Day, by: By) -> None:
    """Abroger un permis pour l’avenir, par un acte numéroté et scellé."""
    from permits import acts

    with _told(), open_desk() as desk:
        grounds = acts.Grounds(ground, tuple(fact), hearing)
        _tell(acts.abrogate(desk, number, grounds, effective_on, by))


@app.command()
def withdraw(number: Number, ground: Ground, fact: Fact, hearing: Hearing, by: By) -> None:
    """Retirer un permis dès l’origine, dans les quatre mois, par un acte numéroté et scellé."""
    from permits import acts

    with _told(), open_desk() as desk:
        _tell(acts.withdraw(desk, number, acts.Grounds(ground, tuple(fact), hearing), by))


@app.command()
def correct(
    number: Number,
    change: Annotated[list[str], typer.Option("--set", help="champ=valeur JSON : worksite, urbanism_file, insurance")],
    reason: Annotated[list[str], typer.Option(help="Ce qui est corrigé, en une phrase (répétable)")],
    by: By,
) -> None:
    """Remplacer un permis par un autre, sans son erreur matérielle."""
    from permits import acts

    changes = dict(_change(each) for each in change)
    with _told(), open_desk() as desk:
        _tell(acts.correct(desk, number, changes, tuple(reason), by))


@app.command()
def refuse(
    application: Annotated[UUID, typer.Argument(help="Identifiant de la demande transmise à un agent")],
    fact: Fact,
    law: Annotated[list[str], typer.Option(help="Le texte qui fonde chaque fait, dans le même ordre")],
    hearing: Hearing,
    by: By,
) -> None:
    """Refuser une demande transmise, par un acte motivé, numéroté et scellé."""
    from permits import acts

    if len(fact) != len(law):
        fail("donnez un --law pour chaque --fact : un refus est motivé en fait et en droit")
    motives = tuple(Motive(fact=each, citation=Citation(text=text)) for each, text in zip(fact, law, strict=True))
    with _told(), open_desk() as desk:
        filed = desk.register.application(application)
        if filed is None:
            fail(f"le registre ne tient aucune demande {application}")
        _tell(acts.refuse(desk, filed, motives, hearing, by))


@app.command()
def annul(
    number: Number,
    reason: Annotated[str, typer.Option(help="Pourquoi ce numéro ne peut être scellé ; le titulaire le lit")],
    by: By,
) -> None:
    """Annuler un numéro réservé qui ne peut pas être scellé : il reste au registre, avec le motif."""
    from permits import acts

    with _told(), open_desk() as desk:
        _tell(acts.annul(desk, number, reason, by))


@app.command()
def notify(
    number: Number,
    on: Day,
    channel: Annotated[Channel, typer.Option(help="Voie de la notification ; le service note lui-même « online »")],
    proof: Annotated[str, typer.Option(help="Référence de la preuve : numéro de recommandé, récépissé…")],
    by: By,
) -> None:
    """Enregistrer la notification d’un acte : sa date ouvre le délai de recours."""
    from permits import acts

    notification = Notification(notified_on=on, channel=channel, proof=proof)
    with _told(), open_desk() as desk:
        _tell(acts.notify(desk, number, notification, by))


@app.command()
def halt(
    reason: Annotated[str, typer.Option(help="Pourquoi la délivrance automatique est suspendue")],
    by: By,
    authority: Authority = None,
) -> None:
    """Suspendre la délivrance automatique partout : les demandes reçues vont aux agents."""
    _turn(halted=True, reason=reason, by=by, authority=authority)
    typer.echo("délivrance suspendue : les demandes sont reçues et transmises aux agents")


@app.command("resume-issuing")
def resume_issuing(
    reason: Annotated[str, typer.Option(help="Pourquoi elle reprend")],
    by: By,
    authority: Authority = None,
) -> None:
    """Reprendre la délivrance automatique."""
    _turn(halted=False, reason=reason, by=by, authority=authority)
    typer.echo("délivrance reprise")


def _turn(*, halted: bool, reason: str, by: str, authority: str | None) -> None:
    from permits.register.switch import turn_issuing

    if not reason.strip():
        fail("--reason : dites pourquoi, le registre le garde")
    with turning(authority) as (url, named):
        turn_issuing(url, named, halted=halted, reason=reason, by=by, at=datetime.now(UTC))


def _change(given: str) -> tuple[str, object]:
    name, separator, value = given.partition("=")
    if not separator:
        fail(f"« {given} » : écrivez champ=valeur, la valeur en JSON")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def _tell(act: Act) -> None:
    """Tell what became of an act; one that waits for its seal has changed nothing, and the command has not done."""
    if act.state is ActState.RESERVED:
        fail(
            f"{act.number} : {KINDS[act.kind]}, réservé mais pas encore scellé : pas encore d’effet. Le service essaie "
            "de nouveau, `permits resume` aussi ; s’il ne peut être scellé, `permits annul`"
        )
    sealed = f", document {act.document_sha256}" if act.document_sha256 else ""
    typer.echo(f"{act.number} : {KINDS[act.kind]}, {STATES[act.state]}{sealed}")


@contextmanager
def _told() -> Iterator[None]:
    """Tell in one line why an act can't be taken."""
    try:
        yield
    except ActNotPossible as refusal:
        fail(str(refusal))
