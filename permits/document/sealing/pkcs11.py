"""A key in a hardware module, reached through its maker's PKCS#11 library: it never leaves the module.

One session is opened once and signs for every thread in turn, as PKCS#11 allows one operation a
session. A module that was unplugged or restarted is opened again at the next signature; a PIN that
was refused is never sent twice, for modules lock themselves after a few.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import pkcs11
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from pkcs11 import Attribute, Mechanism, ObjectClass
from pkcs11.util.ec import encode_ecdsa_signature
from pydantic import SecretStr

from permits.document.errors import SealError
from permits.document.sealing.signer import KeySigner

TRIAL = b"permits: the key signs, and the certificate is its own"
_PIN_REFUSED = (pkcs11.PinIncorrect, pkcs11.PinLocked, pkcs11.PinExpired, pkcs11.PinInvalid, pkcs11.PinLenRange)


@dataclass(frozen=True)
class TokenKey:
    """Where the key lies: the library of the module, the label of the token, that of the key, and the user PIN."""

    module: Path
    token: str
    label: str
    pin: SecretStr


class Pkcs11Key:
    """An RSA or elliptic-curve key of a token, and the certificates that the token holds beside it.

    The certificate has the key's label; those above it are found by their names. Raises SealError, which says in
    French what to give.
    """

    kind = "dans un module PKCS#11"

    def __init__(self, where: TokenKey) -> None:
        self._where = where
        self._lock = Lock()
        self._session: Any = None
        self._private: Any = None
        self._pin_refused = False
        with self._lock, self._told():
            self._open()
            self._certificate, chain = self._read_certificates()
            self._check_pair()
        self._signer = _TokenSigner(self, chain)

    @property
    def certificate(self) -> x509.Certificate:
        return self._certificate

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        return self._signer.chain

    @property
    def signer(self) -> KeySigner:
        return self._signer

    def sign(self, data: bytes) -> bytes:
        """Return the signature of `data`; opens the token again, once, when it was lost. Raises SealError."""
        with self._lock, self._told():
            if self._session is not None:
                with suppress(pkcs11.PKCS11Error):
                    return self._sign(data)
                self._drop()
            self._open(anew=True)
            return self._sign(data)

    def close(self) -> None:
        """Close the session; the token is then logged out."""
        with self._lock:
            self._drop()

    def _sign(self, data: bytes) -> bytes:
        if isinstance(self._certificate.public_key(), rsa.RSAPublicKey):
            return bytes(self._private.sign(data, mechanism=Mechanism.SHA256_RSA_PKCS))
        # Not every module hashes for a curve; all of them sign a digest.
        raw = self._private.sign(hashlib.sha256(data).digest(), mechanism=Mechanism.ECDSA)
        return bytes(encode_ecdsa_signature(raw))

    def _open(self, *, anew: bool = False) -> None:
        """Open the session and find the key; `anew` has the library forget a module that was lost."""
        if self._pin_refused:
            raise pkcs11.PinIncorrect
        library = self._library()
        if anew:
            library.reinitialize()
        self._session = self._log_in(library.get_token(token_label=self._where.token))
        wanted = {Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.LABEL: self._where.label}
        found = list(self._session.get_objects(wanted))
        if len(found) != 1:
            self._drop()
            raise SealError(f"PERMITS_SEAL_PKCS11_KEY : {len(found)} clés privées {self._named}, il en faut une")
        self._private = found[0]

    def _library(self) -> Any:
        try:
            return pkcs11.lib(str(self._where.module))
        except pkcs11.PKCS11Error as error:
            raise SealError(f"PERMITS_SEAL_PKCS11_MODULE : {error}") from error

    def _log_in(self, token: Any) -> Any:
        try:
            return token.open(user_pin=self._where.pin.get_secret_value())
        except pkcs11.UserAlreadyLoggedIn:
            # A login is that of the whole process: another session holds it.
            return token.open()
        except _PIN_REFUSED:
            self._pin_refused = True
            raise

    def _drop(self) -> None:
        session, self._session, self._private = self._session, None, None
        if session is not None:
            with suppress(pkcs11.PKCS11Error):  # what is lost can't be closed
                session.close()

    def _read_certificates(self) -> tuple[x509.Certificate, tuple[x509.Certificate, ...]]:
        """Return the certificate of the key, and the chain above it as far as the token holds it."""
        held, own = [], []
        for each in self._session.get_objects({Attribute.CLASS: ObjectClass.CERTIFICATE}):
            certificate = x509.load_der_x509_certificate(each[Attribute.VALUE])
            held.append(certificate)
            if each[Attribute.LABEL] == self._where.label:
                own.append(certificate)
        if len(own) != 1:
            self._drop()
            raise SealError(
                f"PERMITS_SEAL_PKCS11_KEY : {len(own)} certificats {self._named}, à côté de sa clé il en faut un"
            )
        return own[0], tuple(_above(own[0], held))

    def _check_pair(self) -> None:
        """Sign once, so that neither a wrong certificate nor a key that may not sign is found out on an act."""
        public = self._certificate.public_key()
        try:
            signature = self._sign(TRIAL)
            if isinstance(public, rsa.RSAPublicKey):
                public.verify(signature, TRIAL, padding.PKCS1v15(), SHA256())
            elif isinstance(public, ec.EllipticCurvePublicKey):
                public.verify(signature, TRIAL, ec.ECDSA(SHA256()))
            else:
                raise SealError(f"le certificat {self._named} n’est ni RSA ni d’une courbe elliptique")
        except (InvalidSignature, pkcs11.MechanismInvalid, pkcs11.KeyTypeInconsistent):
            self._drop()
            raise SealError(f"la clé et le certificat {self._named} ne vont pas ensemble") from None

    @property
    def _named(self) -> str:
        return f"« {self._where.label} » sur le jeton « {self._where.token} »"

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Tell what went wrong by the name of the setting to look at; the PIN is in no message."""
        try:
            yield
        except pkcs11.NoSuchToken:
            raise SealError(f"PERMITS_SEAL_PKCS11_TOKEN : aucun jeton « {self._where.token} »") from None
        except _PIN_REFUSED:
            raise SealError(
                "PERMITS_SEAL_PKCS11_PIN : le jeton refuse ce code, ou s’est bloqué. Corrigez-le et redémarrez : "
                "il n’est pas essayé deux fois"
            ) from None
        except pkcs11.PKCS11Error as error:
            raise SealError(f"le jeton « {self._where.token} » ne répond pas ({type(error).__name__})") from None


class _TokenSigner(KeySigner):
    def __init__(self, key: Pkcs11Key, chain: tuple[x509.Certificate, ...]) -> None:
        super().__init__(key.certificate, chain)
        self._key = key

    async def sign(self, data: bytes) -> bytes:
        return self._key.sign(data)


def _above(certificate: x509.Certificate, held: list[x509.Certificate]) -> Iterator[x509.Certificate]:
    """Yield who issued a certificate, who issued that one, and so on, as far as they are held."""
    while certificate.issuer != certificate.subject:
        issuers = [each for each in held if _issued(each, certificate)]
        if not issuers:
            return
        certificate = issuers[0]
        held = [each for each in held if each != certificate]
        yield certificate


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
