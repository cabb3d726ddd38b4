"""Serve, try and issue."""

import json
import logging
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer
import uvicorn

from permits import failpoint
from permits.cli.common import RequestFile, coming, fail, open_desk
from permits.settings import Settings

log = logging.getLogger(__name__)

app = typer.Typer()


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Adresse d’écoute (PERMITS_HOST)")] = None,
    port: Annotated[int | None, typer.Option(help="Port d’écoute (PERMITS_PORT)")] = None,
) -> None:
    """Servir l’API et les pages."""
    given = {name: value for name, value in {"host": host, "port": port}.items() if value is not None}
    settings = Settings().model_copy(update=given)
    from app import build

    if settings.failpoint is not None:
        _arm(settings.failpoint)
    service = build(settings)
    # The key is held now: the processes that lay out pages have no use for what opens it.
    for secret in ("PASSPHRASE", "PKCS11_PIN", "CSC_TOKEN", "CSC_PIN"):
        os.environ.pop(f"PERMITS_SEAL_{secret}", None)
    uvicorn.run(service, host=settings.host, port=settings.port, log_level="warning", server_header=False)


def _arm(faults: str) -> None:
    try:
        failpoint.arm(faults)
    except ValueError as error:
        fail(f"réglage PERMITS_FAILPOINT : {error}")
    log.warning("this service will fail on purpose (PERMITS_FAILPOINT): for tests only", extra={"faults": faults})


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
    """Terminer maintenant les actes réservés qu’un arrêt a interrompus."""
    from permits.jobs.worker import resume as finish

    with open_desk() as desk:
        acts = list(desk.register.reserved_before(datetime.now(UTC)))
        typer.echo(f"{finish(desk, acts)} actes délivrés sur {len(acts)} réservés")
