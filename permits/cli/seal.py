"""A seal's certificate that is to be trusted no more."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from permits.cli.common import fail, open_book

app = typer.Typer()


@app.command("withdraw-seal")
def withdraw_seal(
    sha256: Annotated[str, typer.Argument(help="Empreinte SHA-256 du certificat, comme dans la liste de confiance")],
    since: Annotated[
        datetime,
        typer.Option(
            formats=["%Y-%m-%dT%H:%M"], help="À Paris, le premier instant où la clé a pu être en d’autres mains"
        ),
    ],
) -> None:
    """Retirer un cachet pour toujours : hors ligne, seul un horodatage prouvera qu’un acte est d’avant cet instant."""
    from permits.domain.calendar import PARIS
    from permits.register.trusted import withdraw_seal as withdraw

    revoked_at, now = since.replace(tzinfo=PARIS), datetime.now(UTC)
    if revoked_at > now:
        fail("un cachet se retire depuis un instant passé")
    with open_book() as (register, _):
        try:
            withdraw(register.engine, register.floor, sha256.lower(), revoked_at, now)
        except ValueError:
            fail("ce certificat n’a jamais scellé ici, ou est déjà retiré (voyez /.well-known/permits-trust.json)")
    typer.echo(f"Cachet {sha256[:12]}… retiré depuis le {revoked_at:%d/%m/%Y à %H:%M}.")
    typer.echo("Redémarrez le service avec un autre cachet, et faites reprendre la liste de confiance.")
