"""An authority of the tests, which certifies keys wherever they lie."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


class Issuer:
    """Signs certificates; `certificate` is its own, self-signed."""

    def __init__(self, name: str = "Autorité d’essai") -> None:
        self._key = ec.generate_private_key(ec.SECP384R1())
        self._name = named(name)
        basic = x509.BasicConstraints(ca=True, path_length=0)
        builder = self._draft(self._name, self._key.public_key(), datetime.now(UTC) + 3650 * DAY)
        self.certificate = builder.add_extension(basic, critical=True).sign(self._key, SHA256())

    def certify(
        self,
        key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey,
        name: str = "Cachet d’essai",
        until: datetime | None = None,
    ) -> x509.Certificate:
        """Return a certificate of a seal, valid from yesterday to `until`, a year from now by default."""
        usage = x509.KeyUsage(True, True, False, False, False, False, False, False, False)
        builder = self._draft(named(name), key, until or datetime.now(UTC) + 365 * DAY)
        return builder.add_extension(usage, critical=True).sign(self._key, SHA256())

    def _draft(
        self, subject: x509.Name, key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey, until: datetime
    ) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key)
        builder = builder.serial_number(x509.random_serial_number())
        return builder.not_valid_before(datetime.now(UTC) - DAY).not_valid_after(until)


def named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
