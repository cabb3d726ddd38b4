"""Who may call: API keys, of which only the digest is kept.

A key reads pv_<8 characters of id>_<43 characters of secret>_<8 hexadecimal characters of CRC-32>.
"""

import hashlib
import hmac
import secrets
import zlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from permits.register.tables import ClientRow

_ABSENT = hashlib.sha256(b"no such key").hexdigest()


@dataclass(frozen=True)
class Client:
    """A known caller. `sirens` are the companies its key was handed to; a `sandbox` key issues specimens only."""

    id: UUID
    name: str
    sirens: frozenset[str]
    sandbox: bool = False


def new_key() -> SecretStr:
    """Return a fresh key: 256 random bits behind a public id."""
    body = f"pv_{secrets.token_hex(4)}_{secrets.token_urlsafe(32)}"
    return SecretStr(f"{body}_{zlib.crc32(body.encode()):08x}")


def add_client(
    engine: Engine,
    authority: str,
    name: str,
    sirens: list[str],
    key: SecretStr,
    client_id: UUID,
    at: datetime,
    *,
    sandbox: bool = False,
) -> None:
    """Record a client and the digest of its key."""
    secret = key.get_secret_value()
    with Session(engine) as session, session.begin():
        session.add(
            ClientRow(
                id=client_id,
                authority=authority,
                name=name,
                key_id=_key_id(secret) or "",
                key_sha256=hashlib.sha256(secret.encode()).hexdigest(),
                sirens=sorted(sirens),
                sandbox=sandbox,
                created_at=at,
            )
        )


def authenticate(engine: Engine, authority: str, key: SecretStr) -> Client | None:
    """Return the authority's client this key belongs to, None when it belongs to nobody (any more)."""
    secret = key.get_secret_value()
    key_id = _key_id(secret)
    if key_id is None:
        return None
    with Session(engine) as session:
        known = select(ClientRow).where(col(ClientRow.authority) == authority, col(ClientRow.key_id) == key_id)
        row = session.exec(known).first()
    # The comparison is made even for an unknown id, so that time tells nothing.
    expected = row.key_sha256 if row else _ABSENT
    same = hmac.compare_digest(expected, hashlib.sha256(secret.encode()).hexdigest())
    if row is None or not same or row.revoked_at is not None:
        return None
    return Client(id=row.id, name=row.name, sirens=frozenset(row.sirens), sandbox=row.sandbox)


def revoke_client(engine: Engine, authority: str, key_id: str, at: datetime) -> bool:
    """Revoke the key of that id from now on; return False when no key in use has it."""
    query = select(ClientRow).where(
        col(ClientRow.authority) == authority, col(ClientRow.key_id) == key_id, col(ClientRow.revoked_at).is_(None)
    )
    with Session(engine) as session, session.begin():
        row = session.exec(query.with_for_update()).first()
        if row is None:
            return False
        row.revoked_at = at
        session.add(row)
    return True


def _key_id(secret: str) -> str | None:
    body, _, checksum = secret.rpartition("_")
    if not secret.startswith("pv_") or not secret.isascii() or len(secret) > 200 or len(body) < 12:
        return None
    if f"{zlib.crc32(body.encode()):08x}" != checksum:
        return None
    return body[3:11]
