"""Back up, restore, and hold the book to what it was, by signed checkpoints."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from permits.cli.common import database_url, fail, own_authority
from permits.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from permits.register.checkpoint import Checkpoint, Keys

app = typer.Typer()
checkpoint = typer.Typer(no_args_is_help=True, help="Points de contrôle signés du registre.")
app.add_typer(checkpoint, name="checkpoint")


@app.command()
def backup(file: Annotated[Path, typer.Argument(help="Fichier à créer")]) -> None:
    """Sauvegarder toute la base dans un fichier neuf, pendant le service, avec son point de contrôle à côté."""
    from permits.register.backup import back_up, checkpoint_beside

    with _book() as engine:
        made = back_up(engine, file, own_authority(), datetime.now(UTC), _keys().private)
    typer.echo(f"Sauvegarde écrite : {file}")
    if made.checkpoint is None:
        typer.echo("Sans point de contrôle : PERMITS_CHECKPOINT_KEY n’est pas réglé.", err=True)
    else:
        typer.echo(f"Point de contrôle : {checkpoint_beside(file)}, entrée {made.checkpoint.position} de la chaîne")
    if made.oldest_server > made.server:
        typer.echo(
            f"Elle ne se restaure que dans PostgreSQL {made.oldest_server} ou plus récent ; pour pouvoir la restaurer "
            f"dans PostgreSQL {made.server}, installez ses programmes clients et recommencez.",
            err=True,
        )


@app.command()
def restore(file: Annotated[Path, typer.Argument(help="Fichier écrit par permits backup")]) -> None:
    """Restaurer une sauvegarde dans la base de PERMITS_DATABASE_URL, qui doit être vide."""
    from permits.register.backup import checkpoint_beside
    from permits.register.backup import restore as restore_into
    from permits.register.checkpoint import last_checkpoint

    with _book() as engine:
        restore_into(engine, file)
        typer.echo(f"Sauvegarde restaurée : {file}")
        beside, public = checkpoint_beside(file), _keys().public
        if public is None:
            typer.echo("Copie non comparée : ni PERMITS_CHECKPOINT_KEY ni PERMITS_CHECKPOINT_PUBLIC_KEY.", err=True)
        elif (shown := last_checkpoint(beside, public, own_authority())) is None:
            typer.echo(f"Copie non comparée, sans point de contrôle : {beside} n’existe pas.", err=True)
        else:
            _stop_if_different(engine, shown)
            typer.echo(f"La copie correspond à son point de contrôle : {beside}, entrée {shown.position}")
    typer.echo(
        "Avant d’ouvrir : lancez `permits fsck`, puis démarrez avec le dernier point de contrôle exporté "
        "(PERMITS_CHECKPOINT), non celui de la sauvegarde."
    )


@checkpoint.command("export")
def export(
    file: Annotated[Path | None, typer.Argument(help="Fichier ou dossier ; sans lui, à l’écran")] = None,
) -> None:
    """Écrire le point de contrôle signé du registre, tel qu’il est maintenant."""
    from permits.register.floor import read_checkpoint, snapshot
    from permits.register.witness import export_checkpoint, signed_text

    with _book() as engine:
        key, authority = _keys().private, own_authority()
        if key is None:
            fail("PERMITS_CHECKPOINT_KEY manque : `permits checkpoint make-key` fait une clé")
        if file is not None:
            made = export_checkpoint(engine, authority, key, file)
            typer.echo(f"Point de contrôle écrit : entrée {made.position} de la chaîne")
            return
        with snapshot(engine) as connection:
            made = read_checkpoint(connection, authority, datetime.now(UTC))
    typer.echo(signed_text(made, key), nl=False)


@checkpoint.command("compare")
def compare(
    file: Annotated[Path, typer.Argument(exists=True, help="Point de contrôle, ou dossier qui en contient")],
    public_key: Annotated[Path | None, typer.Option(help="Clé publique PEM ; par défaut celle des réglages")] = None,
) -> None:
    """Vérifier un point de contrôle et dire en quoi le registre n’en est pas la suite."""
    from permits.register.checkpoint import last_checkpoint, load_keys

    with _book() as engine:
        public = (_keys() if public_key is None else load_keys(None, public_key)).public
        if public is None:
            fail("donnez --public-key, ou PERMITS_CHECKPOINT_PUBLIC_KEY")
        shown = last_checkpoint(file, public, own_authority())
        if shown is None:
            fail(f"{file} ne contient aucun point de contrôle de cette autorité")
        _stop_if_different(engine, shown)
    typer.echo(f"Le registre est la suite de ce point de contrôle : entrée {shown.position}, {shown.at.isoformat()}")
    typer.echo("Les entrées précédentes ne sont pas relues : `permits fsck --checkpoint` recalcule toute la chaîne.")


@checkpoint.command("make-key")
def make_key(directory: Annotated[Path, typer.Argument(file_okay=False, help="Dossier où écrire la clé")]) -> None:
    """Faire la clé qui signe les points de contrôle, distincte de celle du cachet."""
    from permits.register.checkpoint import PRIVATE_KEY_FILE, PUBLIC_KEY_FILE
    from permits.register.checkpoint import make_key as make_key_in

    with _told():
        fingerprint = make_key_in(directory)
    typer.echo(f"Clé privée (PERMITS_CHECKPOINT_KEY) : {directory / PRIVATE_KEY_FILE}")
    typer.echo(f"Clé publique, pour qui compare : {directory / PUBLIC_KEY_FILE}")
    typer.echo(f"Empreinte : {fingerprint}")


def _stop_if_different(engine: "Engine", shown: "Checkpoint") -> None:
    from permits.register.floor import differences, snapshot

    with snapshot(engine) as connection:
        found = differences(connection, shown)
    if found:
        fail("le registre n’est pas la suite de ce point de contrôle :\n" + "\n".join(f"- {each}" for each in found))


def _keys() -> "Keys":
    from permits.register.checkpoint import load_keys

    settings = Settings()
    return load_keys(settings.checkpoint_key, settings.checkpoint_public_key)


@contextmanager
def _book() -> "Iterator[Engine]":
    from permits.register.database import connect

    engine = connect(database_url(), pool_size=2)
    try:
        with _told():
            yield engine
    finally:
        engine.dispose()


@contextmanager
def _told() -> Iterator[None]:
    """Tell what a person can mend, and stop."""
    from permits.register.checkpoint import CheckpointRefused
    from permits.register.floor import BookRolledBack
    from permits.register.postgres_programs import BackupRefused

    try:
        yield
    except (BackupRefused, BookRolledBack, CheckpointRefused) as refusal:
        fail(str(refusal))
