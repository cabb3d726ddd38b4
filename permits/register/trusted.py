"""Who sealed and who signed codes here, ever: what the trust bundle is made of. A rotation forgets none.

An act outlives the key that sealed it. Each certificate and each key is one row and one entry of the chain.
"""

import ssl
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import Engine, TextClause, text
from sqlmodel import Session, col, select

from permits.domain.canonical import canonical_json, digest
from permits.domain.trust import CodeKey, TrustedSeal
from permits.register import audit
from permits.register.digests import seal_digest
from permits.register.floor import Floor
from permits.register.tables import CodeKeyRow, SealCertificateRow

_REMEMBER_SEAL = text(
    "INSERT INTO seal_certificate (authority, sha256, certificate, chain, first_used_at)"
    " VALUES (:authority, :name, :certificate, :chain, :at) ON CONFLICT DO NOTHING RETURNING 1"
)
_WITHDRAWN = text(
    "SELECT entry ->> 'key' AS key, entry ->> 'revoked_at' AS revoked_at FROM audit_entry"
    " WHERE authority = :authority AND event = 'key_withdrawn'"
)
_REMEMBER_CODE_KEY = text(
    "INSERT INTO code_key (authority, kid, public_key, first_used_at)"
    " VALUES (:authority, :name, CAST(:public_key AS jsonb), :at) ON CONFLICT DO NOTHING RETURNING 1"
)


def remember_seal(
    engine: Engine, floor: Floor, certificate: x509.Certificate, chain: Sequence[x509.Certificate], at: datetime
) -> tuple[x509.Certificate, ...]:
    """Record the certificate that seals from now on, and return the chain to send with it: that of its first day.

    One already known stays as it is: the files that it sealed are held to that chain. Raises BookRolledBack.
    """
    der = certificate.public_bytes(Encoding.DER)
    above = "".join(each.public_bytes(Encoding.PEM).decode() for each in chain)
    row = {"name": certificate.fingerprint(SHA256()).hex(), "certificate": der, "chain": above}
    _remember(engine, floor, "seal", _REMEMBER_SEAL, row, seal_digest(der, above), at)
    with Session(engine) as session:
        recorded = session.exec(
            select(SealCertificateRow.chain).filter_by(authority=floor.authority, sha256=row["name"])
        )
        return tuple(x509.load_pem_x509_certificates(pem.encode())) if (pem := recorded.one()) else ()


def remember_code_key(engine: Engine, floor: Floor, kid: str, public_key: dict[str, str], at: datetime) -> None:
    """Record the public key (JWK, RFC 7517) of the codes signed from now on; one already known stays as it is.

    Raises BookRolledBack.
    """
    row = {"name": kid, "public_key": canonical_json(public_key)}
    _remember(engine, floor, "code", _REMEMBER_CODE_KEY, row, digest(public_key), at)


def withdraw_seal(engine: Engine, floor: Floor, sha256: str, revoked_at: datetime, at: datetime) -> None:
    """Record, in the chain alone, from when a certificate is trusted no more; once, and for ever.

    Raises ValueError for one that never sealed here, or that was withdrawn already, and BookRolledBack.
    """
    entry = {"kind": "seal", "key": sha256, "revoked_at": audit.instant_text(revoked_at)}
    with Session(engine) as session:
        with session.begin():
            floor.check(session)
            known = session.get(SealCertificateRow, (floor.authority, sha256), with_for_update=True)
            if known is None or sha256 in _withdrawn(session, floor.authority):
                raise ValueError(f"{sha256} never sealed here, or was withdrawn already")
            position = audit.append(session, floor.authority, "key_withdrawn", at, entry)
        floor.raise_to(position)


def seals(engine: Engine, authority: str) -> tuple[TrustedSeal, ...]:
    """Return every certificate that sealed for this authority, the first used first."""
    query = select(SealCertificateRow).where(col(SealCertificateRow.authority) == authority)
    with Session(engine) as session:
        withdrawn = _withdrawn(session, authority)
        rows = session.exec(query.order_by(col(SealCertificateRow.first_used_at), col(SealCertificateRow.sha256)))
        return tuple(
            TrustedSeal(
                sha256=row.sha256,
                certificate=ssl.DER_cert_to_PEM_cert(row.certificate),
                chain=row.chain,
                first_used_at=row.first_used_at,
                revoked_at=withdrawn.get(row.sha256),
            )
            for row in rows
        )


def code_keys(engine: Engine, authority: str) -> tuple[CodeKey, ...]:
    """Return every public key that signed QR codes for this authority, the first used first: public members only."""
    query = select(CodeKeyRow).where(col(CodeKeyRow.authority) == authority)
    with Session(engine) as session:
        rows = session.exec(query.order_by(col(CodeKeyRow.first_used_at), col(CodeKeyRow.kid)))
        return tuple(CodeKey(kid=row.kid, x=row.public_key["x"], y=row.public_key["y"]) for row in rows)


def _withdrawn(session: Session, authority: str) -> dict[str, datetime]:
    rows = session.execute(_WITHDRAWN, {"authority": authority})
    return {row.key: datetime.fromisoformat(row.revoked_at) for row in rows}


def _remember(
    engine: Engine,
    floor: Floor,
    kind: Literal["seal", "code"],
    statement: TextClause,
    row: dict[str, Any],
    sealed: str,
    at: datetime,
) -> None:
    entry = {"kind": kind, "key": row["name"], "key_sha256": sealed}
    with Session(engine) as session:
        with session.begin():
            floor.check(session)
            given = row | {"authority": floor.authority, "at": at}
            if session.execute(statement, given).first() is None:
                return
            position = audit.append(session, floor.authority, "key_recorded", at, entry)
        floor.raise_to(position)
