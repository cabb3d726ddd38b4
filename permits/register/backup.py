"""One file that holds the whole database, made while the service runs, and a new database made from it.

PostgreSQL's own pg_dump and pg_restore do the work; here is what must be true before and after them.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, Engine, text

from permits.register.checkpoint import Checkpoint, put_in_place, write_new
from permits.register.floor import read_checkpoint, snapshot
from permits.register.postgres_programs import BackupRefused, pg_dump_for, pg_restore_for, run, target
from permits.register.witness import signed_text

# What makes a database not empty: anything but the system's own and what an extension brought.
_FOUND = text(
    """
    SELECT found.kind || ' ' || found.name FROM (
        SELECT 1 AS rank, 'la table' AS kind, 'pg_class'::regclass AS catalogue, oid, relnamespace AS schema,
               oid::regclass::text AS name
        FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f')
        UNION ALL
        SELECT 2, 'le schéma', 'pg_namespace'::regclass, oid, oid, nspname FROM pg_namespace WHERE nspname <> 'public'
        UNION ALL
        SELECT 3, 'la fonction', 'pg_proc'::regclass, oid, pronamespace, oid::regproc::text FROM pg_proc
        UNION ALL
        SELECT 4, 'le type', 'pg_type'::regclass, oid, typnamespace, oid::regtype::text
        FROM pg_type WHERE typtype IN ('d', 'e')
        UNION ALL
        SELECT 5, 'la séquence', 'pg_class'::regclass, oid, relnamespace, oid::regclass::text
        FROM pg_class WHERE relkind = 'S'
    ) found JOIN pg_namespace ON pg_namespace.oid = found.schema
    WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
      AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE classid = catalogue AND objid = found.oid AND deptype = 'e')
    ORDER BY rank, name LIMIT 5
    """
)


@dataclass(frozen=True)
class Backup:
    """A backup that was made: its checkpoint, and major versions of PostgreSQL: its server's, the oldest it suits."""

    checkpoint: Checkpoint | None
    server: int
    oldest_server: int


def checkpoint_beside(file: Path) -> Path:
    """Return where the checkpoint of a backup lies."""
    return file.with_name(f"{file.name}.checkpoint.json")


def back_up(engine: Engine, file: Path, authority: str, at: datetime, key: Ed25519PrivateKey | None) -> Backup:
    """Write the whole database, as it is at one instant, to a file that did not exist.

    With a key, its signed checkpoint is written beside it, read in the same snapshot. The file appears
    last, whole and on the disk. Raises BackupRefused, or BookRolledBack when the chain's head is broken.
    """
    try:
        return _back_up(engine, file, authority, at, key)
    except OSError as error:
        raise BackupRefused(f"{file} ne peut pas être écrit : {error}") from error


def _back_up(engine: Engine, file: Path, authority: str, at: datetime, key: Ed25519PrivateKey | None) -> Backup:
    beside = checkpoint_beside(file)
    for present in (file, beside):
        if present.exists():
            raise BackupRefused(f"{present} existe déjà : une sauvegarde ne se remplace pas, donnez un autre nom")
    with _draft(file) as draft, snapshot(engine) as connection:
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        held: str = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        checkpoint = read_checkpoint(connection, authority, at) if key is not None else None
        server = _server_major(connection)
        oldest_server, pg_dump = pg_dump_for(server)
        address, environment = target(engine)
        options = ("--format=custom", "--no-comments", f"--snapshot={held}", "--lock-wait-timeout=60s")
        run(environment, pg_dump, *options, f"--file={draft}", f"--dbname={address}")
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        if checkpoint is not None and key is not None:
            write_new(beside, signed_text(checkpoint, key), 0o644)
        # Last: when the backup is there, all that goes with it is.
        put_in_place(draft, file)
    return Backup(checkpoint, server, oldest_server)


def restore(engine: Engine, file: Path) -> None:
    """Make the database of this engine, which must be empty, what the backup holds: all of it or nothing.

    Owners and privileges are those of the present role, not of the backup. Raises BackupRefused.
    """
    with engine.connect() as connection:
        found = connection.execute(_FOUND).scalars().all()
        server = _server_major(connection)
    if found:
        raise BackupRefused(f"cette base n’est pas vide ({', '.join(found)}…) : restaurez dans une base neuve")
    pg_restore = pg_restore_for(server, file)
    address, environment = target(engine)
    # No comments: that of the extension belongs to whoever created it, who may be the server's administrator.
    options = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", "--no-comments")
    run(environment, pg_restore, *options, f"--dbname={address}", str(file))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("ANALYZE"))
        connection.execute(text("RESET statement_timeout"))


@contextmanager
def _draft(file: Path) -> Iterator[Path]:
    """Make the file's draft beside it, for its owner only; nobody else may be writing it, and none is left."""
    draft = file.with_name(f"{file.name}.part")
    try:
        write_new(draft, b"", 0o600)
    except FileExistsError as error:
        raise BackupRefused(
            f"{draft} existe : une autre sauvegarde l’écrit, ou a été interrompue ; dans ce cas, supprimez-le"
        ) from error
    try:
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _server_major(connection: Connection) -> int:
    return int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10000
