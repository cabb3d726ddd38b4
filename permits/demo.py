"""The demonstration: one command starts everything on this machine, and stops it.

The processes: this one (which starts and watches), PostgreSQL, the sandbox registry, and the service.
When the service dies, this process stops the others; when this one is killed, the service and the
sandbox end with it, and PostgreSQL survives to be adopted by the next start.

A second start must be quick: what only the first one needs is imported where it is made.
"""

import ctypes
import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

from pydantic import SecretStr
from sqlalchemy import Engine

from permits.domain.establishment import Source
from permits.domain.siret import siren_of
from permits.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError
from permits.examples import with_coming_dates
from permits.settings import ROOT, Settings

_PR_SET_PDEATHSIG = 1
_READY_WITHIN_S = 60
_SANDBOX_RECIPIENT = "21299999900015"
# The one sandbox company whose permits the demonstration key can't obtain.
_NOT_BOUND = "999990039"


class DemoError(Exception):
    """The demonstration can't start; says what to do."""


def run_demo(settings: Settings) -> None:
    """Start everything, say how to use it, and wait until the service stops or Ctrl-C is pressed."""
    settings.var.mkdir(parents=True, exist_ok=True)
    _check_port_is_free(settings)
    signal.signal(signal.SIGTERM, _interrupt)
    with ExitStack() as stack:
        try:
            # First, so that it gets ready while the database does.
            sandbox_url = stack.enter_context(_sandbox())
            database_url = stack.enter_context(_database(settings))
            key = _prepare(database_url, settings)
            server = stack.enter_context(_child(["serve"], _environment(settings, database_url, sandbox_url)))
            _wait_until_ready(settings, server)
            _tell(settings, key, sandbox_url)
            code = server.wait()
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave anything behind
            print("\nArrêt…", flush=True)
            return
    if code != 0:
        raise DemoError("le service s’est arrêté ; rien n’est perdu : relancez `make run`, il reprend où il en était")


@contextmanager
def _database(settings: Settings) -> Iterator[str]:
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    server = EmbeddedPostgres(settings.var)
    try:
        url = server.start()
    except EmbeddedPostgresError as error:
        raise DemoError(str(error)) from error
    except KeyboardInterrupt:
        server.stop()
        raise
    try:
        yield url
    finally:
        server.stop()


def _prepare(database_url: str, settings: Settings) -> str:
    """Migrate, make the demonstration seal and keys where missing, write a request to try; return the key."""
    from permits.register.database import connect, migrate

    engine = connect(database_url, pool_size=2)
    try:
        migrate(engine)
        key = _demo_key(engine, settings)
        if _is_own_book(settings):
            _first_checkpoint(engine, settings)
    finally:
        engine.dispose()
    if not settings.has_seal and not (settings.var / "seal" / "seal.p12").exists():
        from permits.document.sealing.demo import make_demo_seal

        make_demo_seal(settings.var / "seal")
    if settings.code_key is None and not (settings.var / "codes").exists():
        from permits.document.codes import make_code_key

        make_code_key(settings.var / "codes")
    body = json.loads(_first_example(settings).read_text(encoding="utf-8"))
    moved = with_coming_dates(body, date.today())
    (settings.var / "example.json").write_text(json.dumps(moved, ensure_ascii=False, indent=1), encoding="utf-8")
    return key


def _demo_key(engine: Engine, settings: Settings) -> str:
    from permits.law.load import load_directory
    from permits.register.clients import authenticate

    rulebook, _ = load_directory(settings.rulebook)
    authority, path = rulebook.authority.identity.id, settings.var / "demo-key"
    if path.exists() and authenticate(engine, authority, SecretStr(path.read_text().strip())) is not None:
        return path.read_text().strip()
    key = _new_key(engine, authority)
    path.touch(mode=0o600)
    path.write_text(key + "\n")
    return key


def _new_key(engine: Engine, authority: str) -> str:
    """Return a new key, bound to all the sandbox's companies but one."""
    from permits.register.clients import add_client, new_key
    from permits.sandbox.companies import sandbox_sirets

    key = new_key()
    bound = sorted({siren_of(line.siret) for line in sandbox_sirets()} - {_NOT_BOUND})
    add_client(engine, authority, "démonstration", bound, key, uuid4(), datetime.now(UTC))
    return key.get_secret_value()


def _is_own_book(settings: Settings) -> bool:
    """The demonstration keeps checkpoints of its own database only: another may be shown under the same `var`."""
    return settings.database_url is None and settings.checkpoint is None and settings.checkpoint_key is None


def _first_checkpoint(engine: Engine, settings: Settings) -> None:
    """Make the checkpoint key and the first checkpoint, both or none; the service goes on from there."""
    folder, draft = settings.var / "checkpoint", settings.var / "checkpoint.draft"
    if folder.exists():
        return
    from permits.law.load import load_directory
    from permits.register.checkpoint import PRIVATE_KEY_FILE, load_keys, make_key
    from permits.register.witness import export_checkpoint

    shutil.rmtree(draft, ignore_errors=True)
    make_key(draft)
    key = load_keys(draft / PRIVATE_KEY_FILE, None).private
    assert key is not None
    rulebook, _ = load_directory(settings.rulebook)
    export_checkpoint(engine, rulebook.authority.identity.id, key, draft)
    draft.rename(folder)


def _first_example(settings: Settings) -> Path:
    """Return the request to try: on the State's open API only a real SIRET is found."""
    examples = ROOT / "examples"
    if settings.sirene_sources == (Source.RECHERCHE_ENTREPRISES,):
        return examples / "open-api-granted.json"
    return sorted(examples.glob("*.json"))[0]


@contextmanager
def _sandbox() -> Iterator[str]:
    port = _free_port()
    with _child(["sandbox", "--port", str(port)], dict(os.environ), die=signal.SIGKILL):
        yield f"http://127.0.0.1:{port}"


def _free_port() -> int:
    """Return a port below those of outgoing connections, any of which could take it before the sandbox does."""
    for port in random.sample(range(20000, 32000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise DemoError("aucun port libre pour le bac à sable entre 20000 et 32000")


def _environment(settings: Settings, database_url: str, sandbox_url: str) -> dict[str, str]:
    """Point the service at the sandbox, unless the environment already names something else."""
    defaults = {
        "PERMITS_API_ENTREPRISE_URL": sandbox_url,
        "PERMITS_API_ENTREPRISE_TOKEN": "bac-a-sable",
        "PERMITS_API_ENTREPRISE_RECIPIENT": _SANDBOX_RECIPIENT,
        "PERMITS_INSEE_URL": f"{sandbox_url}/api-sirene/3.11",
        "PERMITS_INSEE_KEY": "bac-a-sable",
        "PERMITS_GEOCODER_URL": f"{sandbox_url}/geocodage",
    }
    # The open API alone means the State's own; as a second source of the demonstration, the sandbox's.
    if settings.sirene_sources != (Source.RECHERCHE_ENTREPRISES,):
        defaults["PERMITS_RECHERCHE_ENTREPRISES_URL"] = sandbox_url
    if not settings.has_seal:
        defaults["PERMITS_SEAL_PKCS12"] = str(settings.var / "seal" / "seal.p12")
        defaults["PERMITS_SEAL_PASSPHRASE"] = (settings.var / "seal" / "passphrase").read_text().strip()
    if settings.code_key is None:
        defaults["PERMITS_CODE_KEY"] = str(settings.var / "codes" / "code-key.pem")
    if _is_own_book(settings):
        defaults["PERMITS_CHECKPOINT"] = str(settings.var / "checkpoint")
        defaults["PERMITS_CHECKPOINT_KEY"] = str(settings.var / "checkpoint" / "checkpoint-key.pem")
    fixed = {"PERMITS_DATABASE_URL": database_url, "PERMITS_VAR": str(settings.var)}
    return defaults | dict(os.environ) | fixed


@contextmanager
def _child(
    arguments: list[str], environment: dict[str, str], die: signal.Signals = signal.SIGTERM
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `permits …` as a child that ends with this process, however this process ends."""

    def end_with_parent() -> None:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, die)

    child = subprocess.Popen(
        [sys.executable, "-m", "permits", *arguments],
        env=environment,
        cwd=ROOT,
        preexec_fn=end_with_parent,
        start_new_session=True,
    )
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(timeout=15)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _check_port_is_free(settings: Settings) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError:
            raise DemoError(
                f"le port {settings.port} est déjà pris : arrêtez l’autre service ou donnez PERMITS_PORT"
            ) from None


def _wait_until_ready(settings: Settings, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise DemoError("le service n’a pas pu démarrer : la raison est écrite ci-dessus")
        if _is_ready(settings):
            return
        time.sleep(0.05)
    raise DemoError(f"le service n’est pas prêt après {_READY_WITHIN_S} s : voyez /readyz")


def _is_ready(settings: Settings) -> bool:
    connection = http.client.HTTPConnection(settings.host, settings.port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _tell(settings: Settings, key: str, sandbox_url: str) -> None:
    base, var = settings.base_url, os.path.relpath(settings.var)
    example = os.path.relpath(_first_example(settings))
    usual = Settings.model_construct()  # what another shell assumes, which knows nothing of our PERMITS_…
    here = (base, settings.var) == (usual.base_url, usual.var)
    elsewhere = "" if here else f" --url {base} --key-file {var}/demo-key"
    print(
        f"""
Permis de stationnement, démonstration : {base}
  (règles, prix et autorité fictifs ; les arrêtés portent la mention SPÉCIMEN)

Un permis, par curl :
  curl -sS {base}/v1/applications \\
    -H "Authorization: Bearer {key}" \\
    -H "Idempotency-Key: $(date +%s%N)" \\
    -H "Content-Type: application/json" \\
    --data @{var}/example.json

Le même, avec l’arrêté en PDF :
  .venv/bin/permits issue {example}{elsewhere}

Pages : {base}/   {base}/readyz   {base}/openapi.json
Clé de démonstration : {var}/demo-key     Autres demandes : examples/
Bac à sable (registre et géocodeur fictifs) : {sandbox_url}
Quitter : Ctrl-C (les données restent dans {var}/ ; les effacer : rm -r {var})
Quitter la démonstration : docs/operations.md (PERMITS_DATABASE_URL, cachet, jeton API Entreprise)
""",
        flush=True,
    )


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
