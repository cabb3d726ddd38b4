"""Composition root: the only file that knows every room and wires them together."""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Thread
from wsgiref.simple_server import WSGIServer

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from fastapi import FastAPI
from prometheus_client import start_http_server
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from permits.desk import Desk, RulebookUnreadable
from permits.document.codes import CodeKey
from permits.document.errors import CodeError, SealError
from permits.document.press import Press
from permits.document.quarantine import Quarantine
from permits.document.sealing.keys import expires_soon
from permits.document.sealing.seal import Seal
from permits.document.sealing.stamping import Stamping
from permits.document.sealing.tsa import TimeStampAuthority
from permits.document.trust import load_roots
from permits.domain.calendar import PARIS, paris_day
from permits.domain.dated import NotInForce
from permits.domain.establishment import Source
from permits.domain.filing import ActNotPossible
from permits.domain.french import day_text
from permits.domain.limits import limit_values
from permits.domain.rulebook import Rulebook
from permits.domain.sealing import SealLevel, check_deferral
from permits.geocoding.geoplateforme import Geoplateforme
from permits.jobs.archive import Archiving
from permits.jobs.worker import Worker, resume
from permits.law.load import RulebookError
from permits.laws import Directory as RulebookDirectory
from permits.laws import KeptLaws, authority_of, load_law
from permits.register.archive import Archive
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
from permits.register.trusted import remember_code_key, remember_seal, seals
from permits.register.waiting import WaitingLine
from permits.register.witness import Witness, hold
from permits.seal import open_key
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
    except (DatabaseUnfit, RulebookError, SealError, CodeError, CheckpointRefused) as error:
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
    seal = _open_seal(settings, register)
    archive = Archive(engine, authority, register.floor)
    press = _make_press(settings, seal, archive)
    codes = _code_key(settings, register)
    desk = Desk(
        clock=now,
        registry=directory,
        geocoder=geocoder,
        laws=laws,
        law=law,
        register=register,
        press=press,
        codes=codes,
        public_url=settings.base_url,
    )
    archiving = Archiving(archive, seal, seal.stamping, now) if seal.stamping else None
    worker = Worker(desk, engine, authority, archiving, warn_of_expiry=lambda: seal.warn_of_expiry(now()))

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
        seal.close()
        directory.close()
        geocoder.close()
        if witness is not None:
            witness.stop()
        engine.dispose()

    context = Context(
        desk=desk,
        catalogue=register,
        authenticate=partial(authenticate, engine, authority),
        readiness=partial(
            _readiness, register, press, directory, worker, laws, RulebookDirectory(settings.rulebook), seal, archive
        ),
        note_reading=partial(note_reading, engine, authority),
        read_stranger=Quarantine().read,
        trusted_roots=tuple(root.public_bytes(Encoding.PEM).decode() for root in seal.roots),
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


def _open_seal(settings: Settings, register: Register) -> Seal:
    """Return the seal, its certificate recorded before it seals anything. Raises SealError."""
    roots = load_roots(settings.seal_trust)
    seal = Seal(open_key(settings), _stamping(settings, roots), roots)
    own = seal.certificate.fingerprint(SHA256()).hex()
    if any(each.sha256 == own and each.revoked_at for each in seals(register.engine, register.authority)):
        raise SealError("ce certificat de cachet a été retiré (`permits withdraw-seal`) : il en faut un autre")
    chain = remember_seal(register.engine, register.floor, seal.certificate, seal.key.chain, now())
    seal.key.signer.send(chain)
    seal.warn_of_expiry(now())
    return seal


def _stamping(settings: Settings, roots: tuple[x509.Certificate, ...]) -> Stamping | None:
    """Return who stamps the time of seals, None where nobody is named."""
    if settings.tsa_url is None:
        return None
    authority = TimeStampAuthority(settings.tsa_url, authorization=settings.tsa_authorization, roots=roots)
    return Stamping(authority, roots, now)


def _check_deferral(archive: Archive) -> None:
    at = now()
    check_deferral(archive.oldest_deferred(at), at)


def _make_press(settings: Settings, seal: Seal, archive: Archive) -> Press:
    return Press(
        seal,
        may_seal=partial(_check_deferral, archive) if seal.stamping else lambda: None,
        workers=settings.workers,
        capacity=settings.documents_in_hand,
    )


def _code_key(settings: Settings, register: Register) -> CodeKey:
    """Return the key of the codes, recorded before it signs any. Raises CodeError."""
    if settings.code_key is None:
        raise Misconfigured(
            "PERMITS_CODE_KEY manque : donnez la clé qui signe les codes QR (`permits codes make-key` en fait une)"
        )
    codes = CodeKey.load(settings.code_key)
    remember_code_key(register.engine, register.floor, codes.kid, codes.public, now())
    return codes


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
    register: Register,
    press: Press,
    directory: Directory,
    worker: Worker,
    laws: KeptLaws,
    kept_in: RulebookDirectory,
    seal: Seal,
    archive: Archive,
) -> list[Readiness]:
    day = paris_day(now())
    checks = [_database(register), _press(press), _seal(seal, now())]
    if checks[0].ok:
        checks += _rulebooks(laws, kept_in, day)
        checks += [_waiting(register), _acts(register, now()), _timestamps(seal, archive)]
    checks.append(Readiness("jobs", worker.is_alive(), "ce qui a été interrompu est repris", failing=False))
    return checks + list(_registries(register, directory, asks_database=checks[0].ok))


def _seal(seal: Seal, at: datetime) -> Readiness:
    """Where the key lies, whether it signed when it was last asked to, and until when; nothing is signed for this.

    A key that does not answer fails nothing: what is granted keeps its number, and the next attempt may succeed.
    """
    why_not, failure, ends_soon = seal.why_not(at), seal.key.signer.failure, expires_soon(seal.certificate, at)
    last_day = day_text(paris_day(seal.expires_at))
    told = [f"Clé {seal.key.kind}.", why_not or f"Certificat valable jusqu’au {last_day}."]
    if failure is not None:
        since = f"{failure.since.astimezone(PARIS):%Y-%m-%d %H:%M}"
        told.append(f"La clé ne signe plus depuis le {since} : {failure.why}.")
    if ends_soon:
        told.append("Demandez un autre certificat, puis changez les réglages du cachet.")
    return Readiness("seal", not (why_not or failure or ends_soon), " ".join(told), failing=False)


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


def _timestamps(seal: Seal, archive: Archive) -> Readiness:
    """At which level acts are sealed now, and which of them wait for their time stamp since when."""
    waiting, level, dated = archive.deferred(), seal.last_level, archive.only_dated()
    ok, told = True, [f"les cachets sont horodatés ({level})" if level else "rien n’a encore été scellé"]
    if seal.stamping is None:
        told = ["aucune autorité d’horodatage : les cachets sont B-B"]
    elif level is SealLevel.B_B:
        ok, told = False, ["l’autorité d’horodatage ne répond pas : le dernier cachet est B-B"]
    if waiting.oldest is not None:
        how_many = f"{waiting.count} actes attendent leur" if waiting.count > 1 else "1 acte attend son"
        ok, since = False, f"{waiting.oldest.astimezone(PARIS):%Y-%m-%d %H:%M}"
        stops = " : quatre heures après, plus aucun acte n’est délivré" if seal.stamping else ""
        told.append(f"{how_many} horodatage, depuis le {since}{stops}")
    if dated:
        counted = f"{dated} copies d’archive ne prouvent" if dated > 1 else "1 copie d’archive ne prouve"
        told.append(f"{counted} que sa date (B-T)" if dated == 1 else f"{counted} que leur date (B-T)")
    return Readiness("timestamps", ok, " ; ".join(told), failing=False)


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
