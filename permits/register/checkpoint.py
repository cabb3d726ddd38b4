"""Signed checkpoints: what the book was at an instant, so that an older or another book is recognised later.

They are signed with an Ed25519 key of their own, not the seal's: who may seal an act need not vouch for
the book. A checkpoint holds no person's data, and may be given to anybody who wants to witness.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from pydantic import AwareDatetime, Field, ValidationError

from permits.domain.canonical import canonical_json
from permits.domain.model import Value

PRIVATE_KEY_FILE = "checkpoint-key.pem"
PUBLIC_KEY_FILE = "checkpoint-public.pem"
FORMAT: Literal["permits.checkpoint/1"] = "permits.checkpoint/1"
_MOST_FILES = 2000

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class CheckpointRefused(Exception):
    """This key or this checkpoint can't be used; says in French which, and why."""


class Counter(Value):
    """The last number given in a series and year."""

    series: str
    year: int
    value: int


class Checkpoint(Value):
    """The head of one authority's audit chain and its counters, all read at once. An empty book has position 0."""

    authority: str
    position: Annotated[int, Field(ge=0)]
    sha256: Sha256
    counters: tuple[Counter, ...]
    at: AwareDatetime


class SignedCheckpoint(Value):
    """A checkpoint as it is exported; `key` is the SHA-256 of the public key (SubjectPublicKeyInfo, DER)."""

    format: Literal["permits.checkpoint/1"]
    checkpoint: Checkpoint
    key: Sha256
    signature: Annotated[str, Field(pattern="^[0-9a-f]{128}$")]


@dataclass(frozen=True)
class Keys:
    """What an installation has: the private key signs, the public one, which may come alone, verifies."""

    private: Ed25519PrivateKey | None = None
    public: Ed25519PublicKey | None = None


def sign(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> SignedCheckpoint:
    """Return the checkpoint with its signature."""
    name = fingerprint(key.public_key())
    signature = key.sign(_signed_bytes(checkpoint, name)).hex()
    return SignedCheckpoint(format=FORMAT, checkpoint=checkpoint, key=name, signature=signature)


def opened(content: str, key: Ed25519PublicKey, name: str) -> Checkpoint:
    """Return the checkpoint of this exported text once its signature is verified, or raise CheckpointRefused.

    `name` is how the error calls it.
    """
    try:
        signed = SignedCheckpoint.model_validate_json(content, strict=True)
    except ValidationError as error:
        raise CheckpointRefused(f"{name} n’est pas un point de contrôle") from error
    if signed.key != fingerprint(key):
        raise CheckpointRefused(
            f"{name} est signé par une autre clé ({signed.key[:16]}…) que celle qui est donnée "
            f"({fingerprint(key)[:16]}…)"
        )
    try:
        key.verify(bytes.fromhex(signed.signature), _signed_bytes(signed.checkpoint, signed.key))
    except InvalidSignature as error:
        raise CheckpointRefused(f"la signature de {name} est fausse : ce fichier a été modifié") from error
    return signed.checkpoint


def last_checkpoint(path: Path, key: Ed25519PublicKey, authority: str) -> Checkpoint | None:
    """Return the checkpoint of this file, or the highest of this directory's `*.json`; None when there is none.

    Raises CheckpointRefused when any of them is not signed by `key`. In a directory, other authorities'
    are passed over.
    """
    try:
        files = sorted(path.glob("*.json")) if path.is_dir() else [path]
        if len(files) > _MOST_FILES:
            raise CheckpointRefused(f"{path} contient plus de {_MOST_FILES} fichiers .json : gardez les derniers")
        found = [opened(file.read_text(encoding="utf-8"), key, str(file)) for file in files if file.exists()]
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointRefused(f"le point de contrôle {path} ne peut pas être lu : {error}") from error
    own = [checkpoint for checkpoint in found if checkpoint.authority == authority]
    if found and not own and not path.is_dir():
        raise CheckpointRefused(f"{path} est le point de contrôle de « {found[0].authority} », pas de « {authority} »")
    return max(own, key=lambda checkpoint: checkpoint.position, default=None)


def file_for(path: Path, authority: str) -> Path:
    """Return where this authority's checkpoint is written: the file itself, or one of its own in a directory."""
    return path / f"{quote(authority, safe='')}.json" if path.is_dir() else path


def fingerprint(key: Ed25519PublicKey) -> str:
    """Return the SHA-256 of the public key, in hexadecimal."""
    digest = Hash(SHA256())
    digest.update(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    return digest.finalize().hex()


def load_keys(private: Path | None, public: Path | None) -> Keys:
    """Read the keys, PEM files without passphrase; the public one is taken from the private one when it is alone.

    Raises CheckpointRefused when one can't be read, or when the two are not a pair.
    """
    signing = None if private is None else _pem(private, lambda content: load_pem_private_key(content, None))
    verifying = None if public is None else _pem(public, load_pem_public_key)
    if not isinstance(signing, Ed25519PrivateKey | None):
        raise CheckpointRefused(f"{private} n’est pas une clé Ed25519 : `permits checkpoint make-key` en fait une")
    if not isinstance(verifying, Ed25519PublicKey | None):
        raise CheckpointRefused(f"{public} n’est pas une clé publique Ed25519")
    if signing is None:
        return Keys(None, verifying)
    if verifying is not None and verifying != signing.public_key():
        raise CheckpointRefused(f"{public} n’est pas la clé publique de {private}")
    return Keys(signing, signing.public_key())


def make_key(directory: Path) -> str:
    """Make a new key pair in `directory`, the private one readable by its owner only; return its fingerprint.

    Raises CheckpointRefused when a key is already there: what it signed would no longer be recognised.
    """
    for name in (PRIVATE_KEY_FILE, PUBLIC_KEY_FILE):
        if (directory / name).exists():
            raise CheckpointRefused(f"{directory / name} existe déjà : une clé ne se remplace pas")
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, content, mode in ((PRIVATE_KEY_FILE, private, 0o600), (PUBLIC_KEY_FILE, public, 0o644)):
            write_new(directory / name, content, mode)
    except OSError as error:
        raise CheckpointRefused(f"la clé ne peut pas être écrite : {error}") from error
    return fingerprint(key.public_key())


def write_new(path: Path, content: bytes, mode: int) -> None:
    """Write a file that did not exist, whole or not at all, to the disk and not only to its cache."""
    made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(made, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink()
        raise


def put_in_place(draft: Path, path: Path) -> None:
    """Give a written draft its name, to the disk: the name shows all of it, or what was there before."""
    draft.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _pem(path: Path, load: Callable[[bytes], object]) -> object:
    try:
        return load(path.read_bytes())
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CheckpointRefused(f"la clé {path} ne peut pas être lue : {error}") from error


def _signed_bytes(checkpoint: Checkpoint, key: str) -> bytes:
    # The format is under the signature too: no other paper that this key may sign can be taken for a checkpoint.
    signed = {"format": FORMAT, "checkpoint": checkpoint.model_dump(mode="json"), "key": key}
    return canonical_json(signed).encode()
