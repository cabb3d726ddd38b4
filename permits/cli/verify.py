"""Check a sealed file far from the service: no database, no settings, no network."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from permits.document.offline import Examined
    from permits.domain.trust import TrustBundle

app = typer.Typer()

MAX_FILE_BYTES = 64 * 1024**2
SECONDS = 30.0
# What the command ends with: the seal holds, does not, or nothing can be said.
HOLDS, FAILS, UNKNOWN = 0, 1, 2


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Le PDF scellé")],
    trust: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Liste de confiance : /.well-known/permits-trust.json"),
    ] = None,
) -> None:
    """Vérifier un PDF scellé, hors ligne. Code de fin : 0 le cachet tient, 1 il ne tient pas, 2 on ne peut le dire."""
    from permits.document.offline import Proof

    bundle = _bundle(trust) if trust else None
    examined = _examined(file, trust)
    if examined is None:
        _stop("le fichier n’a pas pu être lu dans les limites de temps et de mémoire : rien n’est vérifié")
    if examined.proof is Proof.BROKEN:
        typer.echo(f"LE CACHET NE TIENT PAS : ce fichier n’est pas un acte scellé intact ({examined.why}).")
        raise typer.Exit(FAILS)
    _tell(examined, bundle)
    raise typer.Exit({Proof.HOLDS: HOLDS, Proof.FOREIGN: FAILS}.get(examined.proof, UNKNOWN))


def _tell(examined: "Examined", bundle: "TrustBundle | None") -> None:
    from permits.document.offline import Proof
    from permits.domain.calendar import PARIS

    if examined.proof is Proof.HOLDS and bundle is not None:
        typer.echo(f"CACHET VALABLE : scellé par {bundle.authority.name}, pas un octet n’a changé depuis.")
    elif examined.proof is Proof.WITHDRAWN and examined.revoked_at is not None:
        since = f"{examined.revoked_at.astimezone(PARIS):%d/%m/%Y à %H:%M}"
        typer.echo(
            f"CACHET RETIRÉ : il n’est plus de confiance depuis le {since} (Paris), et aucun horodatage ne prouve"
        )
        typer.echo("que ce fichier soit d’avant. L’autorité seule le sait, par son empreinte SHA-256.")
    elif examined.proof is Proof.CONTINUED:
        typer.echo(
            "FICHIER CONTINUÉ : il commence par un acte scellé et intact, mais le cachet ne couvre pas la suite."
        )
        typer.echo("Une copie d’archive est ainsi faite, une falsification aussi : l’acte est le fichier délivré, dont")
        typer.echo(f"l’empreinte SHA-256 est {examined.begins_with}")
    elif examined.proof is Proof.FOREIGN and bundle is not None:
        typer.echo(f"CACHET ÉTRANGER : le fichier est intact, mais {bundle.authority.name} ne l’a pas scellé.")
    else:
        typer.echo("ORIGINE NON PROUVÉE : le fichier est intact depuis son cachet ; --trust dirait qui l’a scellé.")
    if examined.demonstration or examined.specimen:
        typer.echo("SPÉCIMEN : acte d’essai, sans effet.")
    typer.echo(f"Numéro       {examined.number or 'aucun acte de ce service dans le fichier'}")
    typer.echo(f"Certificat   {examined.sealed_by}")
    proven = "par un horodatage" if examined.time_is_proven else "par la seule horloge de qui a scellé"
    if examined.at is not None:
        typer.echo(f"Scellé le    {examined.at.astimezone(PARIS):%d/%m/%Y à %H:%M:%S} (Paris), {proven}")
    unproven = (
        " ; horodatage non vérifié : aucune racine de la liste ne le prouve" if examined.has_unproven_stamp else ""
    )
    typer.echo(f"Niveau       PAdES {examined.level}{unproven}")
    ask = f" : {examined.verification_url}" if examined.verification_url else ""
    typer.echo(f"L’état présent (en vigueur, abrogé, retiré, remplacé) ne se sait pas hors ligne{ask}")


def _bundle(path: Path) -> "TrustBundle":
    from pydantic import ValidationError

    from permits.domain.trust import TrustBundle

    try:
        return TrustBundle.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        _stop(f"{path} n’est pas une liste de confiance de la forme permits-trust/1")


def _examined(file: Path, trust: Path | None) -> "Examined | None":
    """Return what a process of its own says of the file, None when it was ended by its limits."""
    from pydantic import ValidationError

    from permits.document.offline import Examined
    from permits.document.quarantine import ask

    if file.stat().st_size > MAX_FILE_BYTES:
        return None
    paths = [str(path.resolve()) for path in (file, trust) if path is not None]
    try:
        return Examined.model_validate_json(
            ask([sys.executable, "-E", "-s", "-m", "permits.document.offline", *paths], b"", SECONDS)
        )
    except ValidationError:
        return None


def _stop(why: str) -> NoReturn:
    typer.echo(f"permits : {why}", err=True)
    raise typer.Exit(UNKNOWN)
