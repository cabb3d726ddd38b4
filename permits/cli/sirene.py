"""The company registry, as it is operated: who waits for it, and which source is left alone."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from permits.cli.common import AsJson, Authority, By, database_url, fail, turning
from permits.cli.show import counted
from permits.domain.calendar import PARIS
from permits.domain.establishment import Source
from permits.settings import Settings

app = typer.Typer()
sirene = typer.Typer(no_args_is_help=True, help="Registre des entreprises.")
app.add_typer(sirene, name="sirene")

Named = Annotated[Source, typer.Argument(metavar="SOURCE", help=" ou ".join(Source))]
Because = Annotated[str, typer.Option(help="Pourquoi ; le registre des actes le garde")]


@sirene.command("waiting")
def waiting(authority: Authority = None, as_json: AsJson = False) -> None:
    """Dire combien de demandes attendent le registre, depuis quand et pourquoi. Ne demande que la base."""
    from permits.laws import authority_of
    from permits.register.database import check_schema, connect
    from permits.register.waiting import WaitingLine

    engine = connect(database_url(), pool_size=1)
    try:
        with engine.connect() as connection:
            check_schema(connection)
        found = WaitingLine(engine, authority or authority_of(engine, Settings().rulebook)).summary()
    finally:
        engine.dispose()
    if as_json:
        oldest = found.oldest.isoformat() if found.oldest else None
        typer.echo(json.dumps({"waiting": found.count, "oldest": oldest, "reasons": found.reasons}, ensure_ascii=False))
        return
    if found.oldest is None:
        typer.echo("Aucune demande n’attend le registre")
        return
    verb = "attendent" if found.count > 1 else "attend"
    since = f"{found.oldest.astimezone(PARIS):%Y-%m-%d %H:%M}"
    typer.echo(f"{counted(found.count, 'demandes')} {verb} le registre, la plus ancienne depuis le {since} (Paris)")
    for reason, count in found.reasons.items():
        typer.echo(f"{count:>6}  {reason}")


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
