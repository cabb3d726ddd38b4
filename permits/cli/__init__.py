"""`permits …`: serve, try, operate. Each command is short: the work is in the rooms."""

import sys

import typer
from pydantic import ValidationError

from permits.cli import (
    acts,
    backup,
    codes,
    inspect,
    police_order,
    purge,
    rulebook,
    seal,
    service,
    setup,
    sirene,
    verify,
)
from permits.logs import set_up
from permits.settings import Misconfigured, Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Permis de stationnement : du SIRET à l’arrêté scellé.",
)
for _group in (service, setup, rulebook, acts, police_order, backup, codes, inspect, purge, seal, sirene, verify):
    app.add_typer(_group.app)


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

    from permits.domain.french_errors import french_message
    from permits.law.load import RulebookError
    from permits.register.database import DatabaseUnfit

    if isinstance(error, ValidationError) and error.title == Settings.__name__:
        first = error.errors(include_input=False)[0]
        return f"réglage PERMITS_{'_'.join(str(part) for part in first['loc'][:1]).upper()} : {french_message(first)}"
    if isinstance(error, OperationalError):
        return f"la base ne répond pas : {error.orig}"
    return str(error) if isinstance(error, Misconfigured | DatabaseUnfit | RulebookError) else None
