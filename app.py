"""Composition root: the only file that knows every room and wires them together."""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Thread
from wsgiref.simple_server import WSGIServer

from fastapi import FastAPI
from prometheus_client import start_http_server
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from permits.desk import Desk, RulebookUnreadable
from permits.document.errors import SealError
from permits.document.press import Press
from permits.document.seal import Pkcs12Seal
from permits.domain.calendar import PARIS, paris_day
from permits.domain.dated import NotInForce
from permits.domain.establishment import Source
from permits.domain.filing import ActNotPossible
from permits.domain.limits import limit_values
from permits.domain.rulebook import Rulebook
from permits.geocoding.geoplateforme import Geoplateforme
from permits.jobs.worker import Worker, resume
from permits.law.load import RulebookError
from permits.laws import Directory as RulebookDirectory
from permits.laws import KeptLaws, authority_of, load_law
from permits.register.book import Register
from permits.register.checkpoint import CheckpointRefused, load_keys
from permits.register.clients import authenticate
from permits.register.database import DatabaseUnfit, check_server, connect
from permits.register.floor import BookRolledBack
from permits.register.publications import Publications
from permits.register.queue import ProcrastinateQueue
from permits.register.readings import note_reading
from permits.register.source_switch import is_off, switched_off
from permits.register.traces import TracedSource, note_reuse
from permits.register.waiting import WaitingLine
from permits.register.witness import Witness, hold
from permits.settings import Misconfigured, Settings
from permits.sirene.api_entreprise import ApiEntreprise
from permits.sirene.directory import Directory, RegistrySource
from permits.sirene.insee import Insee
from permits.sirene.reasons import in_french
from permits.sirene.recherche_entreprises import RechercheEntreprises
from permits.web.app import create_web_app
from permits.web.context import Context, Readiness

log = logging.getLogger(__name__)

OVERDUE_AFTER = timedelta(hours=1)


def build(settings: Settings) -> FastAPI:
    """Return the service, its database checked and its rulebook kept. Nothing runs before it is served.

    Raises Misconfigured, in French, for what an operator can mend.
    """
    try:
        return _build(settings)
    except (DatabaseUnfit, RulebookError, SealError, CheckpointRefused) as error:
        raise Misconfigured(str(error)) from error
    except RulebookUnreadable as error:
        raise Misconfigured(f"{error} : vérifiez la base (`permits fsck`)") from error
    except BookRolledBack as error:
        raise Misconfigured(
            f"{error}. Restaurez une sauvegarde plus récente, ou rejouez les journaux de PostgreSQL : "
            "docs/operations.md, « Sauvegarder et restaurer »"
        ) from error
    except OperationalError as error:
        raise Misconfigured(f"la base ne répond pas : {error.orig}") from error


def _build(settings: Settings) -> FastAPI:
    if settings.database_url is None:
        raise Misconfigured("PERMITS_DATABASE_URL manque : donnez l’adresse d’un PostgreSQL 15 ou plus récent")
    engine = connect(settings.database_url.get_secret_value())
    if not settings.allow_unsafe_database:
        check_server(engine)
    authority = authority_of(engine, settings.rulebook)
    register = Register(engine, authority, ProcrastinateQueue())
    witness = _hold(register, settings)
    laws = _laws(register, settings.rulebook)
    law = laws.on(paris_day(now()))
    if law.rulebook.signatory_on(paris_day(now())) is None:
        log.warning("no signatory has a valid delegation today: every application will be referred")
    directory = open_directory(settings, engine, authority)
    geocoder = Geoplateforme(settings.geocoder_url, contact=settings.contact)
    press = Press(_seal(settings), workers=settings.workers, capacity=settings.documents_in_hand)
    desk = Desk(
        clock=now,
        registry=directory,
        geocoder=geocoder,
        laws=laws,
        law=law,
        register=register,
        press=press,
        public_url=settings.base_url,
    )
    worker = Worker(desk, engine, authority)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        # Whatever was reserved before this process started was interrupted: finish it, and warm the press by it.
        interrupted = register.reserved_before(now())
        press.start()
        worker.start()
        if witness is not None:
            witness.start()
        metrics = _expose_metrics(settings)
        resuming = Thread(target=resume, args=(desk, list(interrupted)), name="resume", daemon=True)
        resuming.start()
        yield
        if metrics is not None:
            metrics.shutdown()
        worker.stop()
        press.close()
        directory.close()
        geocoder.close()
        if witness is not None:
            witness.stop()
        engine.dispose()

    context = Context(
        desk=desk,
        catalogue=register,
        authenticate=partial(authenticate, engine, authority),
        readiness=partial(_readiness, register, press, directory, worker, laws, RulebookDirectory(settings.rulebook)),
        note_reading=partial(note_reading, engine, authority),
    )
    return create_web_app(context, lifespan)


def open_directory(settings: Settings, engine: Engine, authority: str) -> Directory:
    """Return the sources of the settings behind one function, each exchange traced. Raises Misconfigured."""
    sources = [TracedSource(_source(each, settings), engine, authority, now) for each in settings.sirene_sources]
    return Directory(
        sources,
        is_off=partial(is_off, engine, authority),
        on_reuse=partial(note_reuse, engine, authority, now),
    )


def now() -> datetime:
    """Return the present instant."""
    return datetime.now(UTC)


def _laws(register: Register, directory: Path) -> KeptLaws:
    """Return the rulebooks of this book; an empty one adopts that of the directory. Raises RulebookError."""
    publications, at = Publications(register.engine, register.authority, register.floor), now()
    if not publications.until(paris_day(at)):
        law = load_law(directory)
        register.keep_rulebook(law.rulebook.digest, law.files, at)
        # Somebody who starts beside us may have adopted it meanwhile.
        with suppress(ActNotPossible):
            publications.adopt(law.rulebook.digest, paris_day(at), at)
    return KeptLaws(publications)


def _hold(register: Register, settings: Settings) -> Witness | None:
    """Hold the book to its last checkpoint; where the key is here, export a new one and return who goes on."""
    keys = load_keys(settings.checkpoint_key, settings.checkpoint_public_key)
    if settings.checkpoint is None:
        return None
    if keys.public is None:
        raise Misconfigured("PERMITS_CHECKPOINT demande PERMITS_CHECKPOINT_KEY ou PERMITS_CHECKPOINT_PUBLIC_KEY")
    hold(register.engine, register.floor, settings.checkpoint, keys.public)
    if keys.private is None:
        return None
    witness = Witness(register.engine, keys.private, settings.checkpoint, register.floor)
    witness.export()
    return witness


def _seal(settings: Settings) -> Pkcs12Seal:
    if settings.seal_pkcs12 is None:
        raise Misconfigured("PERMITS_SEAL_PKCS12 manque : donnez le fichier PKCS#12 du cachet de l’autorité")
    return Pkcs12Seal.load(settings.seal_pkcs12, settings.seal_passphrase or SecretStr(""))


def _expose_metrics(settings: Settings) -> WSGIServer | None:
    """Serve the counters apart from the service, on this machine only; without them it goes on."""
    if settings.metrics_port is None:
        return None
    try:
        server, _ = start_http_server(settings.metrics_port, addr="127.0.0.1")
    except OSError as error:
        log.error("the metrics can't be served", extra={"port": settings.metrics_port, "reason": str(error)})
        return None
    return server


def _source(source: Source, settings: Settings) -> RegistrySource:
    if source is Source.RECHERCHE_ENTREPRISES:
        return RechercheEntreprises(
            settings.recherche_entreprises_url,
            contact=settings.contact,
            calls=settings.recherche_entreprises_calls_a_second,
        )
    if source is Source.API_ENTREPRISE:
        if settings.api_entreprise_token is None or settings.api_entreprise_recipient is None:
            raise Misconfigured(
                "API Entreprise demande PERMITS_API_ENTREPRISE_TOKEN et PERMITS_API_ENTREPRISE_RECIPIENT "
                "(le SIRET de l’administration) ; sans jeton, PERMITS_SIRENE_SOURCES=recherche-entreprises"
            )
        return ApiEntreprise(
            settings.api_entreprise_url,
            settings.api_entreprise_token,
            settings.api_entreprise_recipient,
            contact=settings.contact,
            only_diffusible=settings.api_entreprise_only_diffusible,
            calls=settings.api_entreprise_calls_a_minute,
        )
    if settings.insee_key is None:
        raise Misconfigured("l’API Sirene de l’Insee demande PERMITS_INSEE_KEY (portail-api.insee.fr, plan « Simple »)")
    return Insee(settings.insee_url, settings.insee_key, contact=settings.contact, calls=settings.insee_calls_a_minute)


def _readiness(
    register: Register, press: Press, directory: Directory, worker: Worker, laws: KeptLaws, kept_in: RulebookDirectory
) -> list[Readiness]:
    day = paris_day(now())
    checks = [_database(register), _press(press)]
    if checks[0].ok:
        checks += _rulebooks(laws, kept_in, day)
        checks += [_waiting(register), _acts(register, now())]
    checks.append(Readiness("jobs", worker.is_alive(), "ce qui a été interrompu est repris", failing=False))
    return checks + list(_registries(register, directory, asks_database=checks[0].ok))


def _registries(register: Register, directory: Directory, *, asks_database: bool) -> Iterator[Readiness]:
    off = switched_off(register.engine, register.authority) if asks_database else []
    whys = {each.source: f"laissée de côté depuis le {each.since.astimezone(PARIS):%Y-%m-%d %H:%M}" for each in off}
    for status in directory.status():
        failure, success = status.last_failure, status.last_success
        ok = failure is None or (success is not None and success >= failure)
        told = whys.get(status.name, in_french(status.last_reason or "sans incident"))
        yield Readiness(f"registry:{status.name}", ok and status.name not in whys, told, failing=False)


def _database(register: Register) -> Readiness:
    try:
        with register.engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1 FROM alembic_version")
            register.floor.check(connection)
    except BookRolledBack as error:
        log.error("the book was rolled back", extra={"floor": register.floor.position})
        return Readiness("database", False, str(error))
    except Exception:
        log.exception("the database does not answer")
        return Readiness("database", False, "la base ne répond pas")
    return Readiness("database", True, "la base répond")


def _waiting(register: Register) -> Readiness:
    found = WaitingLine(register.engine, register.authority).summary()
    if found.oldest is None:
        return Readiness("waiting", True, "aucune demande n’attend le registre", failing=False)
    how_many = f"{found.count} demandes attendent" if found.count > 1 else "1 demande attend"
    since = f"{found.oldest.astimezone(PARIS):%Y-%m-%d %H:%M}"
    told = f"{how_many} le registre, la plus ancienne depuis le {since} ; pourquoi : `permits sirene waiting`"
    return Readiness("waiting", False, told, failing=False)


def _acts(register: Register, at: datetime) -> Readiness:
    """A number that is not sealed within the hour will not be without a person."""
    count, numbers = register.overdue(at - OVERDUE_AFTER, limit=5)
    if not count:
        return Readiness("acts", True, "aucun numéro n’attend son cachet depuis plus d’une heure", failing=False)
    how_many = f"{count} numéros attendent leur cachet" if count > 1 else "1 numéro attend son cachet"
    named = ", ".join(numbers) + (", …" if count > len(numbers) else "")
    told = (
        f"{how_many} depuis plus d’une heure : {named} ; le journal dit pourquoi. `permits resume` essaie "
        "de nouveau ; si l’établissement n’est plus ouvert, ou si l’acte ne peut être scellé, `permits annul`"
    )
    return Readiness("acts", False, told, failing=False)


def _rulebooks(laws: KeptLaws, kept_in: RulebookDirectory, day: date) -> Iterator[Readiness]:
    try:
        law, fault = laws.read(day)
    except RulebookUnreadable as error:
        yield Readiness("rulebook", False, str(error))
        return
    yield _rulebook(law.rulebook, day)
    yield Readiness("rulebook:published", fault is None, fault or "se lit", failing=False)
    yield Readiness("rulebook:directory", True, kept_in.state(law.rulebook.digest), failing=False)


def _rulebook(rulebook: Rulebook, day: date) -> Readiness:
    """Every limit and a tariff are in force today; without a signatory everything is referred, which is told."""
    try:
        limit_values(rulebook.limits, day)
        rulebook.tariff.on(day)
    except NotInForce as missing:
        return Readiness("rulebook", False, f"« {missing.name} » n’a pas de valeur en vigueur ce jour")
    signed = "une délégation de signature est valable"
    told = signed if rulebook.signatory_on(day) else "aucune délégation valable : tout est transmis"
    return Readiness("rulebook", True, f"{rulebook.digest[:12]} ; {told}")


def _press(press: Press) -> Readiness:
    try:
        press.check()
    except Exception as error:
        log.exception("the press is not ready")
        return Readiness("document", False, str(error))
    return Readiness("document", True, "rendu et cachet prêts")
