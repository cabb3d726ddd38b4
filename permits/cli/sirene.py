"""The company registry, as it is operated: who waits for it, and which source is left alone."""

import json
import logging
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import reduce
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from permits.cli.common import AsJson, Authority, By, database_url, fail, turning
from permits.cli.show import counted
from permits.domain.calendar import PARIS
from permits.domain.establishment import Audience, Establishment, Evidence, Source, Verdict, verdict_of
from permits.domain.french import day_text
from permits.domain.siret import Siret, key_is_valid
from permits.settings import Settings
from permits.sirene.reasons import in_french

if TYPE_CHECKING:
    from permits.sirene.directory import Heard

app = typer.Typer()
sirene = typer.Typer(no_args_is_help=True, help="Registre des entreprises.")
app.add_typer(sirene, name="sirene")

Named = Annotated[Source, typer.Argument(metavar="SOURCE", help=" ou ".join(Source))]
Because = Annotated[str, typer.Option(help="Pourquoi ; le registre des actes le garde")]


@sirene.command("check")
def check(
    siret: Annotated[str, typer.Argument(help="SIRET de l’établissement, 14 chiffres")],
    public: Annotated[
        bool, typer.Option("--public", help="Ne demander que ce qui peut être montré à tout le monde")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Interroger chaque source sur un SIRET, et dire ce que chacune répond, quand, et ce qu’elles disent ensemble."""
    from app import open_directory
    from permits.domain.second_opinion import together
    from permits.laws import authority_of
    from permits.register.database import check_schema, connect

    siret = _well_formed(siret)
    # What goes wrong is told source by source.
    logging.getLogger("permits.sirene").setLevel(logging.CRITICAL)
    engine = connect(database_url(), pool_size=1)
    try:
        with engine.connect() as connection:
            check_schema(connection)
        directory = open_directory(Settings(), engine, authority_of(engine, Settings().rulebook))
        with closing(directory):
            heard = directory.ask_each(siret, Audience.PUBLIC if public else Audience.AUTHORITY)
    finally:
        engine.dispose()
    answers = [each.answer for each in heard if each.answer is not None]
    verdict = verdict_of(reduce(together, answers)) if answers else None
    if as_json:
        told = {"siret": siret, "verdict": verdict, "sources": [_heard_as_json(each) for each in heard]}
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        _tell_heard(siret, heard, verdict)
    if verdict is None:
        raise typer.Exit(1)


@sirene.command("waiting")
def waiting(authority: Authority = None, as_json: AsJson = False) -> None:
    """Dire combien de demandes attendent le registre, depuis quand et pourquoi. Ne demande que la base."""
    from permits.laws import authority_of
    from permits.register.database import check_schema, connect
    from permits.register.source_switch import switched_off
    from permits.register.waiting import WaitingLine

    engine = connect(database_url(), pool_size=1)
    try:
        with engine.connect() as connection:
            check_schema(connection)
        whose = authority or authority_of(engine, Settings().rulebook)
        found, off = WaitingLine(engine, whose).summary(), switched_off(engine, whose)
    finally:
        engine.dispose()
    if as_json:
        oldest = found.oldest.isoformat() if found.oldest else None
        told = {
            "waiting": found.count,
            "oldest": oldest,
            "reasons": found.reasons,
            "off": [each.source for each in off],
        }
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    for each in off:
        typer.echo(f"{each.source} est laissée de côté depuis le {_minute(each.since)} (Paris) : {each.reason}")
    if found.oldest is None:
        typer.echo("Aucune demande n’attend le registre")
        return
    verb = "attendent" if found.count > 1 else "attend"
    since = _minute(found.oldest)
    typer.echo(f"{counted(found.count, 'demandes')} {verb} le registre, la plus ancienne depuis le {since} (Paris)")
    for reason, count in found.reasons.items():
        typer.echo(f"{count:>6}  {in_french(reason)}")


def _minute(at: datetime) -> str:
    return f"{at.astimezone(PARIS):%Y-%m-%d %H:%M}"


@sirene.command("off")
def off(source: Named, because: Because, by: By, authority: Authority = None) -> None:
    """Ne plus interroger une source, dès la prochaine demande, dans tous les services. Ne demande que la base."""
    _turn(source, off=True, because=because, by=by, authority=authority)
    typer.echo(f"{source} : laissée de côté ; `permits sirene on {source}` y revient")


@sirene.command("on")
def on(source: Named, because: Because, by: By, authority: Authority = None) -> None:
    """Interroger de nouveau une source."""
    _turn(source, off=False, because=because, by=by, authority=authority)
    typer.echo(f"{source} : interrogée de nouveau")


def _turn(source: Source, *, off: bool, because: str, by: str, authority: str | None) -> None:
    from permits.register.source_switch import turn

    if not because.strip():
        fail("--because : dites pourquoi, le registre le garde")
    with turning(authority) as (url, named):
        turn(url, named, source, off=off, reason=because, by=by, at=datetime.now(UTC))


def _well_formed(siret: str) -> str:
    try:
        return TypeAdapter(Siret).validate_python(siret)
    except ValidationError:
        fail("un SIRET compte 14 chiffres")


def _heard_as_json(heard: "Heard") -> dict[str, object]:
    evidence = heard.answer.evidence if heard.answer is not None else ()
    return {
        "source": heard.source,
        "at": heard.at.isoformat(),
        "verdict": None if heard.answer is None else verdict_of(heard.answer),
        "reason": heard.reason,
        "evidence": [each.model_dump(mode="json") for each in evidence],
    }


def _tell_heard(siret: str, heard: "list[Heard]", verdict: Verdict | None) -> None:
    for each in heard:
        at = f"{each.at.astimezone(PARIS):%Y-%m-%d %H:%M:%S}"
        if each.answer is None:
            typer.echo(f"{each.source.label}\n  {at}  sans réponse : {in_french(each.reason or '')}")
            continue
        typer.echo(f"{each.source.label}\n  {at}  {verdict_of(each.answer).label}")
        if isinstance(each.answer, Establishment):
            typer.echo(f"    {' · '.join(_described(each.answer))}")
        for evidence in each.answer.evidence:
            typer.echo(f"    {' · '.join(_proved(evidence))}")
    if not key_is_valid(siret):
        typer.echo("La clé de contrôle de ce SIRET est inhabituelle : un agent confirme l’identité")
    typer.echo(f"Ensemble : {verdict.label if verdict else 'inconnu pour le moment, aucune source n’a répondu'}")


def _described(found: Establishment) -> Iterator[str]:
    # On an operator's screen as elsewhere: what the company asked to hide is not shown.
    yield "diffusion partielle" if found.partially_diffusible else found.name or "nom masqué"
    if found.was_merged:
        yield f"remplacé par {found.siret}"
    if (since := found.closed_on or found.unit_ceased_on) is not None:
        yield f"depuis le {day_text(since)}"


def _proved(evidence: Evidence) -> Iterator[str]:
    yield evidence.told or "réponse"
    if evidence.source_updated_at is not None:
        yield f"donnée du {evidence.source_updated_at.astimezone(PARIS):%Y-%m-%d}"
    yield f"empreinte {evidence.sha256[:12]}"
    if evidence.request_id is not None:
        yield f"X-Request-ID {evidence.request_id}"
