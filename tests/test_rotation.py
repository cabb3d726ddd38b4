"""Keys and certificates change, acts do not: what each of them sealed and signed verifies after the last change."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12
from pydantic import SecretStr
from sqlalchemy import Connection, Engine, text
from starlette.testclient import TestClient
from typer.testing import CliRunner

import app
from permits import cli
from permits.document import TEMPLATES
from permits.document.codes import make_code_key, verify_code
from permits.document.errors import CodeError, SealError
from permits.document.offline import Proof, examine
from permits.document.pool import PRINTED
from permits.document.print import warm_up
from permits.document.sealing.seal import Seal
from permits.document.trust import Verifier
from permits.document.verify import verify_seal
from permits.document.worker import answer
from permits.domain.establishment import Source
from permits.domain.trust import TrustBundle
from permits.examples import with_coming_dates
from permits.register.clients import add_client, new_key
from permits.register.database import connect
from permits.register.fsck import Code, Report, Seals
from permits.register.fsck.check import check_on
from permits.settings import Settings
from tests.conftest import fresh_database
from tests.document.conftest import town_seal
from tests.document.issuing import DAY, Issuer
from tests.fakes import FakeClock, FakeGeocoder, FakeRegistry
from tests.register.every_kind import body_at
from tests.register.forcing import force, rewrite_chain, superuser

# Long enough to start a service and to issue one permit, also on a machine that is busy.
FIRST_CERTIFICATE_S = 5


class PrintedHere:
    """What a worker process does, in this one; it keeps what was asked for and what came out."""

    def __init__(self) -> None:
        self.code, self.pdf = "", b""

    def ask(self, request: bytes) -> bytes:
        self.code = request.split(b"\n", 1)[0].decode().strip()
        made = answer(request, TEMPLATES)
        self.pdf = made.removeprefix(PRINTED)
        return made


@dataclass(frozen=True)
class Issued:
    """A permit as its holder has it: number, file and code, and the certificate of the seal of that day."""

    number: str
    file: bytes
    code: str
    verification_url: str
    certificate: x509.Certificate
    unsealed: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.file).hexdigest()


@dataclass
class Town:
    """One book and one folder of keys, on which one service after another is started."""

    url: str
    folder: Path
    issuer: Issuer = field(default_factory=Issuer)
    clock: FakeClock = field(default_factory=lambda: FakeClock(datetime.now(UTC)))
    permits: dict[str, Issued] = field(default_factory=dict)

    def keep(self, name: str, key: ec.EllipticCurvePrivateKey, until: datetime) -> Path:
        """Have a certificate made for a key; keep both in a PKCS#12 file, as an authority gets them."""
        own = self.issuer.certify(key.public_key(), until=until)
        above, protection = [self.issuer.certificate], BestAvailableEncryption(b"phrase")
        path = self.folder / f"{name}.p12"
        path.write_bytes(pkcs12.serialize_key_and_certificates(b"cachet", key, own, above, protection))
        return path

    @contextmanager
    def service(self, seal: Path, code_key: Path) -> Iterator[TestClient]:
        """Start a service with these keys and stop it; only the registry and the geocoder are not real."""
        given = {
            "database_url": SecretStr(self.url),
            "allow_unsafe_database": True,
            "sirene_sources": (Source.RECHERCHE_ENTREPRISES,),
            "seal_pkcs12": seal,
            "seal_passphrase": SecretStr("phrase"),
            "code_key": code_key,
        }
        service = app.build(Settings().model_copy(update=given))
        context = service.state.context
        desk = replace(context.desk, registry=FakeRegistry(self.clock), geocoder=FakeGeocoder())
        service.state.context = replace(context, desk=desk)
        desk.press._pool = PrintedHere()
        try:
            yield TestClient(service)
        finally:
            desk.press._seal.close()
            context.catalogue.engine.dispose()

    def issue(self, name: str, http: TestClient, spot: int) -> None:
        """File for a permit, get it, and download it."""
        context, key = http.app.state.context, new_key()  # type: ignore[attr-defined]
        add_client(context.catalogue.engine, "exemple", name, ["999990013"], key, uuid4(), self.clock())
        http.headers["Authorization"] = f"Bearer {key.get_secret_value()}"
        body = with_coming_dates(body_at(spot), self.clock().date())
        answered = http.post("/v1/applications", json=body, headers={"Idempotency-Key": str(uuid4())})
        assert answered.status_code == 201, answered.text
        permit, press = answered.json()["permit"], context.desk.press
        assert permit["state"] == "issued"
        self.permits[name] = Issued(
            number=permit["number"],
            file=http.get(f"/v1/permits/{permit['number']}/document").content,
            code=press._pool.code,
            verification_url=permit["verification_url"],
            certificate=press._seal.certificate,
            unsealed=press._pool.pdf,
        )


@dataclass(frozen=True)
class Later:
    """The book after every change, under the service of the last keys; and what anybody can take away from it."""

    town: Town
    http: TestClient
    engine: Engine
    trust: Path
    bundle: TrustBundle

    def certificates(self) -> list[x509.Certificate]:
        """Return the certificates of the bundle."""
        return [x509.load_pem_x509_certificate(each.certificate.encode()) for each in self.bundle.seals]

    def fsck(self, connection: Connection, trusted: list[x509.Certificate] | None = None) -> Report:
        """Check the book and every seal, under the certificates of the bundle unless others are given."""
        verifier = Verifier([(each, None) for each in (self.certificates() if trusted is None else trusted)])
        return check_on(connection, "exemple", datetime.now(UTC), seals=Seals(verifier.check, None, 0))


ROTATIONS = ("the first", "another key", "the first key, renewed")


@pytest.fixture(scope="module")
def later(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Later]:
    """Three services one after the other, each with its own certificate; the first has expired since."""
    with fresh_database(postgres) as url:
        town = Town(url, tmp_path_factory.mktemp("keys"))
        code_keys = [make_code_key(town.folder / name) for name in ("before", "after")]
        first, other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        warm_up(TEMPLATES)
        ends = datetime.now(UTC) + timedelta(seconds=FIRST_CERTIFICATE_S)
        changes = (
            (first, ends, code_keys[0]),
            (other, ends + 400 * DAY, code_keys[1]),
            (first, ends + 800 * DAY, code_keys[1]),
        )
        for spot, (name, (key, until, code_key)) in enumerate(zip(ROTATIONS, changes, strict=True)):
            with town.service(town.keep(str(spot), key, until), code_key) as http:
                town.issue(name, http, spot)
        with town.service(town.folder / "2.p12", code_keys[1]) as http:
            trust = town.folder / "trust.json"
            trust.write_bytes(http.get("/.well-known/permits-trust.json").content)
            engine = connect(url, pool_size=1)
            time.sleep(max(0, (ends - datetime.now(UTC)).total_seconds()) + 1)
            yield Later(town, http, engine, trust, TrustBundle.model_validate_json(trust.read_bytes()))
            engine.dispose()


@pytest.fixture(params=ROTATIONS)
def permit(request: pytest.FixtureRequest, later: Later) -> Issued:
    return later.town.permits[request.param]


def test_three_certificates_and_two_keys_sealed_and_the_first_has_expired(later: Later) -> None:
    """The ground on which the others stand."""
    first, other, renewed = (each.certificate for each in later.town.permits.values())

    assert first.not_valid_after_utc < datetime.now(UTC) < other.not_valid_after_utc
    assert first.public_key() == renewed.public_key() != other.public_key()
    assert len({first, other, renewed}) == 3


def test_the_service_of_today_answers_for_what_every_seal_made(later: Later, permit: Issued) -> None:
    assert verify_seal(permit.file, permit.certificate).at <= permit.certificate.not_valid_after_utc
    told = later.http.get(f"/v1/documents/{permit.sha256}").json()
    page = later.http.get(permit.verification_url.removeprefix("http://127.0.0.1:8000"))

    assert (told["role"], told["number"], told["title"]) == ("delivered", permit.number, "Document authentique")
    assert page.status_code == 200 and permit.number in page.text


def test_a_file_holds_offline_by_the_bundle_of_today(later: Later, permit: Issued) -> None:
    examined = examine(permit.file, later.bundle)

    assert (examined.proof, examined.number) == (Proof.HOLDS, permit.number)


def test_the_command_says_so_of_a_file_whose_certificate_has_expired(later: Later, tmp_path: Path) -> None:
    permit, file = later.town.permits["the first"], tmp_path / "permit.pdf"
    file.write_bytes(permit.file)
    done = CliRunner().invoke(cli.app, ["verify", str(file), "--trust", str(later.trust)])

    assert done.exit_code == 0, done.output
    assert "CACHET VALABLE" in done.output and permit.number in done.output


def test_the_bundle_forgets_no_certificate_and_holds_each_once(later: Later) -> None:
    """Four starts, the last two with the same keys."""
    assert later.certificates() == [each.certificate for each in later.town.permits.values()]
    assert len(later.bundle.code_keys.keys) == 2


def test_a_code_holds_by_the_keys_of_today(later: Later, permit: Issued) -> None:
    before, after = keys = later.http.get("/.well-known/jwks.json").json()["keys"]
    other = after if permit is later.town.permits["the first"] else before

    assert verify_code(permit.code, keys)["n"] == permit.number
    with pytest.raises(CodeError, match="not known"):
        verify_code(permit.code, [other])


def test_the_whole_book_passes_and_every_change_is_in_its_chain(later: Later) -> None:
    with later.engine.connect() as connection:
        report = later.fsck(connection)
        recorded = connection.execute(text("SELECT entry FROM audit_entry WHERE event = 'key_recorded'")).all()

    assert report.findings == () and report.read["cachets"] == 3
    assert sorted(row.entry["kind"] for row in recorded) == ["code", "code", "seal", "seal", "seal"]


@pytest.mark.parametrize("forgotten", range(3), ids=ROTATIONS)
def test_a_certificate_that_were_forgotten_would_be_missed(later: Later, forgotten: int) -> None:
    """Negative control: each of them is needed."""
    kept = [each for index, each in enumerate(later.certificates()) if index != forgotten]
    with later.engine.connect() as connection:
        report = later.fsck(connection, kept)

    assert [finding.what for finding in report.findings] == [list(later.town.permits.values())[forgotten].number]
    assert report.counts == {Code.SEAL: 1}


class TestAStrangerWhoSealsAnActAgain:
    """With a certificate that never sealed here."""

    @pytest.fixture
    def stranger(self) -> Seal:
        return town_seal()

    @pytest.fixture
    def forged(self, later: Later, stranger: Seal) -> bytes:
        return stranger.seal(later.town.permits["another key"].unsealed).content

    def test_is_known_by_nobody(self, later: Later, forged: bytes) -> None:
        told = later.http.get(f"/v1/documents/{hashlib.sha256(forged).hexdigest()}").json()
        page = later.http.post("/verifier", files={"file": ("permit.pdf", forged, "application/pdf")})

        assert told["role"] == "unknown"
        assert "Ce n’est pas son document" in page.text and "Document authentique" not in page.text
        assert examine(forged, later.bundle).proof is Proof.FOREIGN
        with pytest.raises(SealError):
            verify_seal(forged, later.town.permits["another key"].certificate)

    def test_is_told_even_with_every_right_on_the_database(self, later: Later, stranger: Seal, forged: bytes) -> None:
        """Digests and chain are made to fit; then the certificate is added too, which the chain does not tell."""
        replaced = later.town.permits["another key"]
        given = {"old": replaced.sha256, "new": hashlib.sha256(forged).hexdigest(), "content": forged}
        with later.engine.connect() as connection, connection.begin() as transaction:
            with superuser(connection):
                for statement in (
                    "UPDATE document SET sha256 = :new, content = :content WHERE sha256 = :old",
                    "UPDATE act SET document_sha256 = :new WHERE document_sha256 = :old",
                    "UPDATE audit_entry SET entry = entry || jsonb_build_object('document_sha256', CAST(:new AS text))"
                    " WHERE entry ->> 'document_sha256' = :old",
                ):
                    assert force(connection, statement, **given) == 1
                rewrite_chain(connection)
            assert later.fsck(connection).counts == {Code.SEAL: 1}

            der = stranger.certificate.public_bytes(Encoding.DER)
            add = "INSERT INTO seal_certificate VALUES ('exemple', encode(sha256(:der), 'hex'), :der, '', now())"
            assert force(connection, add, der=der) == 1
            trusted = [*later.certificates(), stranger.certificate]
            assert later.fsck(connection, trusted).counts == {Code.KEY_UNKNOWN: 1}
            transaction.rollback()
