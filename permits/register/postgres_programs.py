"""PostgreSQL's own programs: which one fits a server and a backup, and how it is run without showing a password."""

import os
import re
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import Engine

from permits.embedded_postgres import EmbeddedPostgresError
from permits.embedded_postgres import program as program_of_the_wheel
from permits.register.database import conninfo

_LONGEST_S = 12 * 3600
# From this version on, pg_restore begins with a setting (transaction_timeout) that older servers don't know.
_NOT_FOR_OLDER = 17


class BackupRefused(Exception):
    """The backup or the restore can't be made; says in French why. Nothing was left half done."""


def pg_dump_for(server: int) -> tuple[int, Path]:
    """Return the pg_dump nearest to the server's version and not older, with the oldest server that can restore it."""
    programs = _programs("pg_dump")
    major = min((found for found in programs if found >= server), default=None)
    if major is None:
        raise BackupRefused(
            f"aucun pg_dump n’est aussi récent que le serveur (PostgreSQL {server}) : installez ses programmes clients "
            f"(Debian : postgresql-client-{server}) ou mettez leur dossier dans PATH"
        )
    return (_NOT_FOR_OLDER if major >= _NOT_FOR_OLDER else major), programs[major]


def pg_restore_for(server: int, file: Path) -> Path:
    """Return a pg_restore that reads this backup and that the server understands, of its version if possible."""
    programs = _programs("pg_restore")
    dumped_by = _dumped_by(file, programs[max(programs)])
    fit = [major for major in programs if major >= dumped_by and (major < _NOT_FOR_OLDER or server >= _NOT_FOR_OLDER)]
    if not fit and dumped_by >= _NOT_FOR_OLDER:
        raise BackupRefused(
            f"cette sauvegarde, faite par pg_dump {dumped_by}, ne peut pas être restaurée dans PostgreSQL {server} : "
            f"il faut PostgreSQL {_NOT_FOR_OLDER} ou plus récent"
        )
    if not fit:
        raise BackupRefused(
            f"aucun pg_restore ne convient à cette sauvegarde (pg_dump {dumped_by}) et à PostgreSQL {server} : "
            f"installez ses programmes clients (Debian : postgresql-client-{server})"
        )
    return programs[min(fit, key=lambda major: (major < server, abs(major - server)))]


def _dumped_by(file: Path, pg_restore: Path) -> int:
    """Return the major version of the pg_dump that made this backup."""
    if not file.is_file():
        raise BackupRefused(f"{file} n’existe pas")
    listed = run(dict(os.environ), pg_restore, "--list", str(file))
    version = re.search(r"^; +Dumped by pg_dump version: (\d+)", listed, re.MULTILINE)
    if version is None:
        raise BackupRefused(f"{file} n’est pas une sauvegarde")
    return int(version[1])


def _programs(name: str) -> dict[int, Path]:
    """Return where this program of PostgreSQL is found, by major version: in PATH, as Debian lays it, in the wheel."""
    found = [Path(path)] if (path := shutil.which(name)) else []
    found += sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    with suppress(EmbeddedPostgresError):
        found.append(program_of_the_wheel(name))
    by_major: dict[int, Path] = {}
    for program in found:
        version = re.search(r"\(PostgreSQL\) (\d+)", run(dict(os.environ), program, "--version"))
        if version is not None:
            by_major.setdefault(int(version[1]), program)
    if not by_major:
        raise BackupRefused(f"{name} n’est pas installé : il vient avec les programmes clients de PostgreSQL")
    return by_major


def target(engine: Engine) -> tuple[str, dict[str, str]]:
    """Return the database's address, and the environment that holds its password: a command line is public."""
    parameters = conninfo_to_dict(conninfo(engine))
    if "sslpassword" in parameters:
        raise BackupRefused("sslpassword ne peut pas être passé à pg_dump sans être montré : utilisez une clé sans lui")
    # Ours would cut a long dump short.
    parameters.pop("options", None)
    password = parameters.pop("password", None)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PERMITS_")}
    if password is not None:
        environment["PGPASSWORD"] = str(password)
    return make_conninfo("", **parameters), environment


def run(environment: dict[str, str], program: Path, *arguments: str) -> str:
    """Run one of PostgreSQL's programs to its end; return what it says, or raise BackupRefused with its complaint."""
    try:
        done = subprocess.run(
            [program, *arguments],
            env=environment | {"LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_LONGEST_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BackupRefused(f"{program.name} n’a pas abouti : {error}") from error
    if done.returncode != 0:
        complaint = " ; ".join(done.stderr.strip().splitlines()[:3]) or f"code {done.returncode}"
        raise BackupRefused(f"{program.name} a échoué : {complaint}")
    return done.stdout
