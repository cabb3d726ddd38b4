"""Look at the register as it is: every promise checked again, every decision taken again."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from permits.cli.common import database_url, day_option, fail, open_desk, own_authority
from permits.cli.show import Held, counted, progress_bar, tell_replay, tell_report
from permits.settings import Misconfigured, Settings

if TYPE_CHECKING:
    from cryptography import x509
    from sqlalchemy import Engine

    from permits.document.trust import Known
    from permits.register.checkpoint import Checkpoint
    from permits.register.fsck import Report, Seals

app = typer.Typer()

AsJson = Annotated[bool, typer.Option("--json", help="Écrire le résultat en JSON, pour un programme")]
Lines = Annotated[int, typer.Option(min=1, max=1000, help="Lignes au plus par sorte de constat")]


@app.command()
def fsck(
    seals: Annotated[str, typer.Option(help="Cachets à vérifier : un nombre tiré au hasard, ou all")] = "20",
    seed: Annotated[int | None, typer.Option(help="Graine du tirage, pour le refaire")] = None,
    certificate: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, help="Certificat d’un cachet précédent, PEM ou DER (répétable)"),
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(exists=True, help="Point de contrôle, ou dossier (PERMITS_CHECKPOINT)")
    ] = None,
    public_key: Annotated[
        Path | None, typer.Option(exists=True, help="Clé publique du point de contrôle (PERMITS_CHECKPOINT_PUBLIC_KEY)")
    ] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Sceller ce qui est réservé, puis vérifier de nouveau")
    ] = False,
    lines: Lines = 20,
    as_json: AsJson = False,
) -> None:
    """Vérifier tout le registre : chaîne, numéros, empreintes, documents, redevances, emprises, gardes, cachets."""
    from permits.register.fsck import check

    former = _read_certificates(certificate or [])
    with _engine() as engine:
        authority = own_authority()
        chosen, trusted = _seals(engine, authority, seals, seed, former)
        shown = _checkpoint(engine, authority, checkpoint, public_key)

        def look() -> "Report":
            with progress_bar(shown=not as_json) as progress:
                return check(engine, authority, datetime.now(UTC), checkpoint=shown, seals=chosen, progress=progress)

        begun = time.monotonic()
        report = look()
        if repair and _repair(report):
            report = look()
    tell_report(report, Held(shown, chosen, trusted), time.monotonic() - begun, None if as_json else lines)
    if report.counts:
        raise typer.Exit(1)


@app.command()
def replay(
    since: Annotated[date | None, day_option(help="Premier jour de décision, à Paris")] = None,
    number: Annotated[str | None, typer.Option(help="Numéro d’un permis ou d’un refus")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Nombre de décisions, les plus anciennes d’abord")] = None,
    lines: Lines = 20,
    as_json: AsJson = False,
) -> None:
    """Reprendre les décisions gardées, avec le règlement d’alors, et dire toute différence."""
    from permits.replay import replay as take_again

    with _engine() as engine, progress_bar(shown=not as_json) as progress:
        done = take_again(
            engine,
            own_authority(),
            since=since,
            number=number,
            limit=limit,
            progress=lambda taken, total: progress("décisions", taken, total),
        )
    if number is not None and done.taken + done.erased == 0:
        fail(f"le registre ne tient aucune décision numérotée {number}")
    tell_replay(done, None if as_json else lines)
    if done.differing:
        raise typer.Exit(1)


def _repair(report: "Report") -> bool:
    """Seal what is reserved; tell whether there was something to do. Nothing is written in a book that is wrong."""
    from permits.jobs.worker import resume
    from permits.register.fsck import Code

    if wrong := sorted(report.counts.keys() - {Code.ACT_LATE}):
        typer.echo(f"Rien n’est réparé : ce registre a d’autres défauts ({', '.join(wrong)}).", err=True)
        return False
    issued = 0
    with open_desk() as desk:
        for _ in range(1000):
            waiting = list(desk.register.reserved_before(datetime.now(UTC)))
            sealed = resume(desk, waiting) if waiting else 0
            issued += sealed
            if not sealed:
                break
    typer.echo(counted(issued, "actes réservés scellés"), err=True)
    return True


def _seals(
    engine: "Engine", authority: str, asked: str, seed: int | None, former: "list[x509.Certificate]"
) -> tuple["Seals | None", bool]:
    """Return the seals to verify, None for none, and whether a trusted certificate is known."""
    from permits.document.errors import SealError
    from permits.document.trust import Verifier, load_roots
    from permits.register.fsck import Seals

    if asked != "all" and not asked.isdecimal():
        fail("--seals attend un nombre, ou all")
    if asked == "0":
        return None, False
    trusted = [(each, None) for each in former] + _known_seals(engine, authority)
    drawn = secrets.randbelow(1_000_000) if seed is None else seed
    try:
        verifier = Verifier(trusted, load_roots(Settings().seal_trust))
    except SealError as error:
        fail(f"une racine de PERMITS_SEAL_TRUST ne peut pas être lue : {error}")
    return Seals(verifier.check, None if asked == "all" else int(asked), drawn), bool(trusted)


def _read_certificates(paths: list[Path]) -> "list[x509.Certificate]":
    """Return the certificates of these files, PEM or DER, or stop."""
    from cryptography import x509

    found = []
    try:
        for path in paths:
            content = path.read_bytes()
            pem = content.lstrip().startswith(b"-----BEGIN")
            found.append(x509.load_pem_x509_certificate(content) if pem else x509.load_der_x509_certificate(content))
    except ValueError as error:
        fail(f"le certificat ne peut pas être lu : {error}")
    return found


def _known_seals(engine: "Engine", authority: str) -> "list[Known]":
    """Return the certificates that are trusted, each with its chain: those that sealed here, and the settings' one."""
    from cryptography import x509
    from sqlalchemy.exc import ProgrammingError

    from permits.document.errors import SealError
    from permits.register.trusted import seals
    from permits.seal import open_key

    settings, known = Settings(), list["Known"]()
    if settings.has_seal:
        try:
            key = open_key(settings)
        except (SealError, Misconfigured) as error:
            fail(f"le cachet ne peut pas être lu : {error}")
        known.append((key.certificate, key.chain))
        key.close()
    # A schema that is not this software's, and a certificate that is none any more, are told by the look itself.
    with suppress(ProgrammingError):
        for seal in seals(engine, authority):
            with suppress(ValueError):
                chain = x509.load_pem_x509_certificates(seal.chain.encode()) if seal.chain else []
                known.append((x509.load_pem_x509_certificate(seal.certificate.encode()), tuple(chain)))
    return known


def _checkpoint(engine: "Engine", authority: str, given: Path | None, public_key: Path | None) -> "Checkpoint | None":
    """Return the last verified checkpoint that is shown, None when none is asked for.

    None too when the one of the settings is not there yet because the book is empty; lost, it stops the command.
    """
    from permits.register.checkpoint import CheckpointRefused, last_checkpoint, load_keys
    from permits.register.floor import is_empty, snapshot

    settings = Settings()
    path = given or settings.checkpoint
    if path is None:
        return None
    try:
        keys = load_keys(settings.checkpoint_key, public_key or settings.checkpoint_public_key)
        if keys.public is None:
            fail("le point de contrôle demande --public-key, ou PERMITS_CHECKPOINT_PUBLIC_KEY")
        found = last_checkpoint(path, keys.public, authority)
    except CheckpointRefused as refusal:
        fail(str(refusal))
    if found is None:
        with snapshot(engine) as connection:
            lost = given is not None or not is_empty(connection, authority)
        if lost:
            fail(f"{path} ne contient aucun point de contrôle de ce registre : remettez le dernier qui a été gardé")
    return found


@contextmanager
def _engine() -> "Iterator[Engine]":
    from permits.register.database import connect

    engine = connect(database_url(), pool_size=1)
    try:
        yield engine
    finally:
        engine.dispose()
