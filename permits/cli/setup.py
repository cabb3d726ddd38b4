"""Prepare an installation: schema, keys, and the files written from the code."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer
from stdnum.fr import siren as stdnum_siren

from permits.cli.common import database_url, fail, own_authority
from permits.settings import ROOT

app = typer.Typer()
keys = typer.Typer(no_args_is_help=True, help="Clés d’accès des clients.")
app.add_typer(keys, name="keys")


@app.command()
def migrate() -> None:
    """Mettre la base au dernier schéma."""
    from permits.register.database import connect
    from permits.register.database import migrate as run_migrations

    run_migrations(connect(database_url(), pool_size=2))


@app.command()
def openapi(output: Annotated[Path, typer.Option(help="Fichier à écrire")] = ROOT / "openapi.yaml") -> None:
    """Écrire le contrat OpenAPI tel que le code le sert."""
    from permits.web.app import contract_yaml

    output.write_text(contract_yaml(), encoding="utf-8")


@app.command()
def schema(output: Annotated[Path, typer.Option(help="Fichier à écrire")] = ROOT / "migrations" / "schema.sql") -> None:
    """Écrire le schéma que les migrations produisent sur une base neuve, et à côté l’empreinte de chaque garde."""
    import tempfile

    from permits.embedded_postgres import EmbeddedPostgres
    from permits.register.database import connect
    from permits.register.database import migrate as run_migrations
    from permits.register.fsck.guards import FILE, definitions, file_text
    from permits.register.schema_dump import dump_schema

    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        server = EmbeddedPostgres(Path(directory), durable=False)
        url = server.start()
        try:
            engine = connect(url, pool_size=2)
            run_migrations(engine)
            with engine.connect() as connection:
                guards = file_text(definitions(connection))
            engine.dispose()
            output.write_text(dump_schema(url), encoding="utf-8")
            output.with_name(FILE.name).write_text(guards, encoding="utf-8")
        finally:
            server.stop()


@keys.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="Nom du client")],
    siren: Annotated[list[str] | None, typer.Option(help="SIREN auquel elle est remise (répétable)")] = None,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Pour essayer : numéros à part, SPÉCIMEN")] = False,
) -> None:
    """Créer une clé d’accès ; elle n’est montrée qu’une fois."""
    sirens = siren or []
    if wrong := [each for each in sirens if not stdnum_siren.is_valid(each)]:
        fail(f"ce SIREN n’est pas valable : {wrong[0]}")
    from permits.register.clients import add_client, new_key
    from permits.register.database import connect

    key = new_key()
    engine = connect(database_url(), pool_size=1)
    add_client(engine, own_authority(), name, sirens, key, uuid4(), datetime.now(UTC), sandbox=sandbox)
    typer.echo(key.get_secret_value())


@keys.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="Les 8 caractères après « pv_ »")],
) -> None:
    """Révoquer une clé d’accès, dès maintenant et pour toujours."""
    from permits.register.clients import revoke_client
    from permits.register.database import connect

    engine = connect(database_url(), pool_size=1)
    if not revoke_client(engine, own_authority(), key_id, datetime.now(UTC)):
        fail(f"aucune clé en service n’a pour identifiant {key_id}")
    typer.echo(f"clé {key_id} révoquée")
