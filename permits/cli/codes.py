"""The key of the signed QR codes."""

from pathlib import Path
from typing import Annotated

import typer

from permits.cli.common import fail

app = typer.Typer()
codes = typer.Typer(no_args_is_help=True, help="Codes QR signés.")
app.add_typer(codes, name="codes")


@codes.callback()
def _group() -> None:
    """Keep `make-key` a word of its own, though it is alone."""


@codes.command("make-key")
def make_key(directory: Annotated[Path, typer.Argument(file_okay=False, help="Dossier où écrire la clé")]) -> None:
    """Faire la clé qui signe les codes QR, distincte de celle du cachet."""
    from permits.document.codes import CodeKey, make_code_key
    from permits.document.errors import CodeError

    try:
        path = make_code_key(directory)
        kid = CodeKey.load(path).kid
    except CodeError as error:
        fail(str(error))
    typer.echo(f"Clé privée (PERMITS_CODE_KEY) : {path}")
    typer.echo(f"Nom de la clé (kid) : {kid}")
