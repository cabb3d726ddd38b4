"""`permits …`: serve, try, operate. Each command is short: the work is in the rooms."""

import json
import os
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, NoReturn
from uuid import uuid4

import typer
import uvicorn
from pydantic import ValidationError
from stdnum.fr import siren as stdnum_siren

from permits.logs import set_up
from permits.settings import ROOT, Misconfigured, Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Permis de stationnement : du SIRET à l’arrêté scellé.",
)
keys = typer.Typer(no_args_is_help=True, help="Clés d’accès des clients.")
rulebook = typer.Typer(no_args_is_help=True, help="Règlement.")
app.add_typer(keys, name="keys")
app.add_typer(rulebook, name="rulebook")

RequestFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Une demande en JSON, voir examples/")]


def main() -> None:
    """Run the command line; what a person can mend is told in one line, without a traceback."""
    set_up()
    try:
        app(prog_name="permits")
    except Exception as error:
        message = _mendable(error)
        if message is None:
            raise
        typer.echo(f"permits : {message}", err=True)
        sys.exit(1)


def _mendable(error: Exception) -> str | None:
    """Return what an operator should read of this error, None when it is a fault of ours."""
    from sqlalchemy.exc import OperationalError

    from permits.register.database import DatabaseUnfit

    if isinstance(error, ValidationError) and error.title == Settings.__name__:
        first = error.errors(include_input=False)[0]
        return f"réglage PERMITS_{'_'.join(str(part) for part in first['loc'][:1]).upper()} : {first['msg']}"
    if isinstance(error, OperationalError):
        return f"la base ne répond pas : {error.orig}"
    return str(error) if isinstance(error, Misconfigured | DatabaseUnfit) else None


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Adresse d’écoute (PERMITS_HOST)")] = None,
    port: Annotated[int | None, typer.Option(help="Port d’écoute (PERMITS_PORT)")] = None,
) -> None:
    """Servir l’API et les pages."""
    given = {name: value for name, value in {"host": host, "port": port}.items() if value is not None}
    settings = Settings().model_copy(update=given)
    from app import build

    service = build(settings)
    # The key is held now: the processes that lay out pages have no use for its passphrase.
    os.environ.pop("PERMITS_SEAL_PASSPHRASE", None)
    uvicorn.run(service, host=settings.host, port=settings.port, log_level="warning", server_header=False)


@app.command()
def demo() -> None:
    """Tout mettre en route sur cette machine : base, cachet de démonstration, bac à sable, service."""
    from permits.demo import DemoError, run_demo

    try:
        run_demo(Settings())
    except DemoError as error:
        fail(str(error))


@app.command()
def sandbox(port: Annotated[int, typer.Option(help="Port d’écoute sur la boucle locale")] = 8001) -> None:
    """Servir le bac à sable : les contrats réels du registre et du géocodeur, des entreprises fictives."""
    from permits.sandbox.app import create_app

    uvicorn.run(create_app(), host="127.0.0.1", port=port, log_level="warning")


@app.command()
def migrate() -> None:
    """Mettre la base au dernier schéma."""
    from permits.register.database import connect
    from permits.register.database import migrate as run_migrations

    run_migrations(connect(_database_url(), pool_size=2))


@app.command()
def issue(
    request: RequestFile,
    url: Annotated[str | None, typer.Option(help="Adresse du service")] = None,
    key_file: Annotated[Path | None, typer.Option(help="Fichier de la clé d’accès (var/demo-key)")] = None,
    as_written: Annotated[bool, typer.Option("--as-written", help="Garder les dates du fichier")] = False,
    output: Annotated[Path, typer.Option(help="Dossier où enregistrer l’arrêté")] = Path(),
    idempotency_key: Annotated[str | None, typer.Option(help="Clé d’idempotence ; une nouvelle par défaut")] = None,
) -> None:
    """Déposer une demande et enregistrer l’arrêté."""
    from permits.partner import Partner, RequestRefused

    settings = Settings()
    partner = Partner(url or settings.base_url, (key_file or settings.var / "demo-key").read_text().strip())
    body = json.loads(request.read_text())
    try:
        outcome = partner.issue(body if as_written else coming(body), idempotency_key or str(uuid4()), output)
    except RequestRefused as refusal:
        fail(str(refusal))
    typer.echo(outcome)


@app.command()
def example(request: RequestFile) -> None:
    """Écrire une demande d’exemple avec des dates à venir."""
    typer.echo(json.dumps(coming(json.loads(request.read_text())), ensure_ascii=False, indent=1))


@app.command()
def resume() -> None:
    """Terminer maintenant les permis réservés qu’un arrêt a interrompus."""
    from app import build

    service = build(Settings())
    desk, press = service.state.context.desk, service.state.context.desk.press
    from permits.jobs.worker import resume as finish

    press.start()
    try:
        acts = list(service.state.context.catalogue.reserved_before(datetime.now(UTC)))
        typer.echo(f"{finish(desk, acts)} permis délivrés sur {len(acts)} réservés")
    finally:
        press.close()


@app.command()
def openapi(output: Annotated[Path, typer.Option(help="Fichier à écrire")] = ROOT / "openapi.yaml") -> None:
    """Écrire le contrat OpenAPI tel que le code le sert."""
    from permits.web.app import contract_yaml

    output.write_text(contract_yaml(), encoding="utf-8")


@app.command()
def schema(output: Annotated[Path, typer.Option(help="Fichier à écrire")] = ROOT / "migrations" / "schema.sql") -> None:
    """Écrire le schéma que les migrations produisent sur une base neuve."""
    import tempfile

    from permits.embedded_postgres import EmbeddedPostgres
    from permits.register.database import connect
    from permits.register.database import migrate as run_migrations
    from permits.register.schema_dump import dump_schema

    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        server = EmbeddedPostgres(Path(directory), durable=False)
        url = server.start()
        try:
            engine = connect(url, pool_size=2)
            run_migrations(engine)
            engine.dispose()
            output.write_text(dump_schema(url), encoding="utf-8")
        finally:
            server.stop()


@keys.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="Nom du client")],
    siren: Annotated[list[str] | None, typer.Option(help="SIREN auquel elle est remise (répétable)")] = None,
) -> None:
    """Créer une clé d’accès ; elle n’est montrée qu’une fois."""
    sirens = siren or []
    if wrong := [each for each in sirens if not stdnum_siren.is_valid(each)]:
        fail(f"ce SIREN n’est pas valable : {wrong[0]}")
    from app import load_law
    from permits.register.clients import add_client, new_key
    from permits.register.database import connect

    authority = load_law(Settings().rulebook).rulebook.authority.identity.id
    key = new_key()
    add_client(connect(_database_url(), pool_size=1), authority, name, sirens, key, uuid4(), datetime.now(UTC))
    typer.echo(key.get_secret_value())


@rulebook.command("check")
def check_rulebook(directory: Annotated[Path, typer.Argument(exists=True, file_okay=False)]) -> None:
    """Lire un règlement et dire son empreinte, ou la première erreur avec son fichier et sa ligne."""
    from app import load_law
    from permits.law.load import RulebookError

    try:
        law = load_law(directory)
    except RulebookError as error:
        fail(str(error))
    checked = law.rulebook
    typer.echo(f"{checked.authority.identity.name} : {len(law.files)} fichiers, empreinte {checked.digest}")


def coming(body: dict[str, object]) -> dict[str, object]:
    """Return the request moved to the first same weekday at least two weeks ahead, of the same length."""
    from permits.examples import with_coming_dates

    return with_coming_dates(body, date.today())


def _database_url() -> str:
    url = Settings().database_url
    if url is None:
        fail("PERMITS_DATABASE_URL manque")
    return url.get_secret_value()


def fail(message: str) -> NoReturn:
    """Tell a person what is wrong, and stop."""
    typer.echo(f"permits : {message}", err=True)
    raise typer.Exit(1)
