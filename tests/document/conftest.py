"""One printed permit, one seal and one press for all the tests of the document."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from permits.document.press import Press
from permits.document.print import print_permit
from permits.document.seal import Pkcs12Seal, load_demo_seal, make_demo_seal
from permits.domain.permit import Permit
from tests.document.sample import sample_permit


@pytest.fixture(scope="session")
def permit() -> Permit:
    return sample_permit()


@pytest.fixture(scope="session")
def pdf(permit: Permit) -> bytes:
    return print_permit(permit)


@pytest.fixture(scope="session")
def seal(tmp_path_factory: pytest.TempPathFactory) -> Pkcs12Seal:
    directory = tmp_path_factory.mktemp("seal")
    make_demo_seal(directory)
    return load_demo_seal(directory)


@pytest.fixture(scope="session")
def sealed(pdf: bytes, seal: Pkcs12Seal) -> bytes:
    return seal.seal(pdf)


@pytest.fixture
def sealed_file(sealed: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "sealed.pdf"
    path.write_bytes(sealed)
    return path


@pytest.fixture(scope="session")
def press(seal: Pkcs12Seal) -> Iterator[Press]:
    press = Press(seal, workers=2, capacity=3)
    press.start()
    yield press
    press.close()


def town_seal(*, valid_for: timedelta = timedelta(days=1), since: timedelta = timedelta(hours=1)) -> Pkcs12Seal:
    """Return a new elliptic-curve seal that does not call itself a specimen."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Cachet d’essai")])
    start = datetime.now(UTC) - since
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + valid_for)
        .add_extension(usage, critical=True)
        .sign(key, SHA256())
    )
    return Pkcs12Seal(key, certificate)
