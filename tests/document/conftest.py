"""One printed permit, one ruling of each kind, one seal and one press for all the tests of the document."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from permits.document.press import Press
from permits.document.print import print_act
from permits.document.sealing.demo import load_demo_seal, make_demo_seal
from permits.document.sealing.pkcs12 import Pkcs12Key
from permits.document.sealing.seal import Seal
from permits.domain.permit import Permit
from permits.domain.ruling import Ruling, RulingKind
from tests.document.sample import sample_permit
from tests.document.sample_acts import sample_ruling


@pytest.fixture(scope="session")
def permit() -> Permit:
    return sample_permit()


@pytest.fixture(scope="session")
def pdf(permit: Permit) -> bytes:
    return print_act(permit)


@pytest.fixture(scope="session", params=RulingKind)
def ruling(request: pytest.FixtureRequest) -> Ruling:
    return sample_ruling(request.param)


@pytest.fixture(scope="session")
def ruling_pdf(ruling: Ruling) -> bytes:
    return print_act(ruling)


@pytest.fixture
def ruling_file(ruling_pdf: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "ruling.pdf"
    path.write_bytes(ruling_pdf)
    return path


@pytest.fixture(scope="session")
def seal(tmp_path_factory: pytest.TempPathFactory) -> Seal:
    directory = tmp_path_factory.mktemp("seal")
    make_demo_seal(directory)
    return load_demo_seal(directory)


@pytest.fixture(scope="session")
def sealed(pdf: bytes, seal: Seal) -> bytes:
    return seal.seal(pdf).content


@pytest.fixture
def sealed_file(sealed: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "sealed.pdf"
    path.write_bytes(sealed)
    return path


@pytest.fixture(scope="session")
def press(seal: Seal) -> Iterator[Press]:
    press = Press(seal, workers=2, capacity=3)
    press.start()
    yield press
    press.close()


def town_seal(
    *, valid_for: timedelta = timedelta(days=1), since: timedelta = timedelta(hours=1), with_chain: bool = False
) -> Seal:
    """Return a new elliptic-curve seal that does not call itself a specimen, self-signed or issued by an authority."""
    key, authority_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP384R1())
    name, authority = _named("Cachet d’essai"), _named("Autorité d’essai")
    start = datetime.now(UTC) - since
    end = start + valid_for
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    builder = _certificate(name, key.public_key(), start, end).add_extension(usage, critical=True)
    if not with_chain:
        return Seal(Pkcs12Key(key, builder.issuer_name(name).sign(key, SHA256())))
    issuer = _certificate(authority, authority_key.public_key(), start, end).issuer_name(authority)
    issuer = issuer.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    chain = (issuer.sign(authority_key, SHA256()),)
    return Seal(Pkcs12Key(key, builder.issuer_name(authority).sign(authority_key, SHA256()), chain))


def _named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _certificate(
    subject: x509.Name, key: ec.EllipticCurvePublicKey, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).public_key(key)
    return builder.serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(end)
