"""What lies in the gap and no signature protects: the time stamp beside the signature, the certificates sent along."""

import asyncio
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256

from asn1crypto import cms, keys  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper

from permits.document.sealing.pades import to_asn1
from permits.document.stamp import in_one_form
from tests.document.attacks.hole import edited
from tests.document.attacks.target import Target


@cache
def own_authority() -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Return the certificate and key of an authority that anybody can make, which stamps any date that it is told."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name.from_rfc4514_string("CN=Horodatage qualifié")
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1)
    builder = builder.not_valid_before(datetime(2020, 1, 1)).not_valid_after(datetime(2040, 1, 1))
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    return builder.sign(key, SHA256()), key


def _token(digest: bytes, at: datetime) -> cms.ContentInfo:
    certificate, key = own_authority()
    # pyHanko's own signs with RSA alone, which leaves no room in a gap that was made for no stamp.
    other = rsa.generate_private_key(65537, 1024).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    stamper = DummyTimeStamper(to_asn1(certificate), keys.PrivateKeyInfo.load(other), fixed_dt=at)
    token = asyncio.run(stamper.async_timestamp(digest, "sha256"))
    info = token["content"]["signer_infos"][0]
    info["signature_algorithm"] = {"algorithm": "sha256_ecdsa"}
    info["signature"] = key.sign(info["signed_attrs"].untag().dump(), ec.ECDSA(SHA256()))
    return in_one_form(token)


def _stamped(target: Target, at: datetime) -> bytes:
    def edit(content: cms.SignedData) -> None:
        info = content["signer_infos"][0]
        token = _token(sha256(info["signature"].native).digest(), at)
        info["unsigned_attrs"] = [cms.CMSAttribute({"type": "signature_time_stamp_token", "values": [token]})]

    return edited(target, edit)


def stamped_years_before(target: Target) -> bytes:
    return _stamped(target, datetime(2022, 3, 4, 10, tzinfo=UTC))


def stamped_years_after(target: Target) -> bytes:
    return _stamped(target, datetime(2030, 3, 4, 10, tzinfo=UTC))


def stamped_now_by_a_stranger(target: Target) -> bytes:
    return _stamped(target, datetime.now(UTC).replace(microsecond=0))


def stamp_taken_away(target: Target) -> bytes:
    def edit(content: cms.SignedData) -> None:
        del content["signer_infos"][0]["unsigned_attrs"]

    return edited(target, edit)


def chain_cut(target: Target) -> bytes:
    """Only the seal's own certificate is left: the others can be found elsewhere."""
    own = cms.CertificateChoices("certificate", to_asn1(target.seal.certificate))
    return edited(target, lambda content: content.__setitem__("certificates", [own]))


def root_added(target: Target) -> bytes:
    return _with_certificate(target, target.roots[0])


def cross_certificate_added(target: Target) -> bytes:
    """The root's name and key, in a certificate of somebody else's: the chain holds, and leads there."""
    root, key = target.roots[0], rsa.generate_private_key(65537, 2048)
    issuer = x509.Name.from_rfc4514_string("CN=Autre racine")
    builder = x509.CertificateBuilder(issuer, root.subject, root.public_key(), 1)
    builder = builder.not_valid_before(root.not_valid_before_utc).not_valid_after(root.not_valid_after_utc)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return _with_certificate(target, builder.sign(key, SHA256()))


def _with_certificate(target: Target, certificate: x509.Certificate) -> bytes:
    def edit(content: cms.SignedData) -> None:
        added = cms.CertificateChoices("certificate", to_asn1(certificate))
        content["certificates"] = sorted([*content["certificates"], added], key=lambda each: each.dump())

    return edited(target, edit)


# On any file; on one that is stamped; on one whose chain leads to a root.
ATTACKS = (stamped_years_before, stamped_years_after, stamped_now_by_a_stranger)
ON_A_STAMP = (stamp_taken_away,)
ON_A_CHAIN = (chain_cut, root_added, cross_certificate_added)
