"""What `/readyz` and the log say of the seal: its end, 60 days ahead, and a key that does not answer."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from croniter import croniter  # type: ignore[import-untyped]
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from pydantic import SecretStr
from sqlalchemy import text
from starlette.testclient import TestClient

import app
from permits.document.codes import make_code_key
from permits.document.sealing.csc import CscKey
from permits.document.sealing.seal import Seal
from permits.domain.act import Act, ActState
from permits.domain.establishment import Source
from permits.issue import issue_permit
from permits.jobs.worker import Worker
from permits.settings import Settings
from tests.acting import again, rows, wait
from tests.document.conftest import town_seal
from tests.document.csc_service import TrustService, instead, serving
from tests.document.issuing import Issuer
from tests.fakes import FakeOffice
from tests.jobs.test_archive import BlankPages
from tests.register.every_kind import body_at

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
EXPIRY = "the certificate of the seal expires soon"
TO_RENEW = "Demandez un autre certificat"


def warnings(caplog: pytest.LogCaptureFixture) -> int:
    return sum(record.getMessage() == EXPIRY for record in caplog.records)


@pytest.mark.parametrize(
    ("left", "is_warned", "still_valid"),
    [
        (61 * DAY, False, True),
        (60 * DAY + SECOND, False, True),
        (60 * DAY, True, True),
        (DAY, True, True),
        (0 * DAY, True, True),
        (-SECOND, True, False),
    ],
    ids=["61 days", "60 days and a second", "60 days", "1 day", "0 days", "expired"],
)
def test_the_end_of_the_certificate_is_told_sixty_days_ahead(
    left: timedelta, is_warned: bool, still_valid: bool, caplog: pytest.LogCaptureFixture
) -> None:
    seal = town_seal(valid_for=365 * DAY)
    at = seal.expires_at - left
    told = app._seal(seal, at)

    assert (told.name, told.ok, told.failing) == ("seal", not is_warned, False)
    assert (TO_RENEW in told.detail) is is_warned
    assert told.detail.startswith("Clé dans un fichier PKCS#12. ")
    assert ("Certificat valable jusqu’au " in told.detail) is still_valid
    assert ("Le certificat du cachet a expiré le " in told.detail) is not still_valid
    assert warnings(caplog) == 0, "whoever looks at the readiness writes nothing"

    seal.warn_of_expiry(at)
    assert warnings(caplog) == is_warned


@pytest.mark.parametrize(("days", "times"), [(61, 0), (59, 1)])
def test_a_service_warns_when_it_starts_and_not_each_time_that_it_is_looked_at(
    days: int, times: int, database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = Issuer().certify(key.public_key(), until=datetime.now(UTC) + days * DAY)
    file, phrase = tmp_path / "seal.p12", BestAvailableEncryption(b"phrase")
    file.write_bytes(pkcs12.serialize_key_and_certificates(b"seal", key, certificate, None, phrase))
    given = {
        "database_url": SecretStr(database_url),
        "allow_unsafe_database": True,
        "sirene_sources": (Source.RECHERCHE_ENTREPRISES,),
        "seal_pkcs12": file,
        "seal_passphrase": SecretStr("phrase"),
        "code_key": make_code_key(tmp_path),
    }
    http = TestClient(app.build(Settings().model_copy(update=given)))
    for _ in range(3):
        (told,) = [each for each in http.get("/readyz").json()["checks"] if each["name"] == "seal"]
        assert told["ok"] is (times == 0)

    assert warnings(caplog) == times
    http.app.state.context.catalogue.engine.dispose()  # type: ignore[attr-defined]


def test_it_warns_again_every_night(office: FakeOffice, caplog: pytest.LogCaptureFixture) -> None:
    seal = town_seal()
    worker = Worker(
        office.desk,
        office.register.engine,
        office.register.authority,
        warn_of_expiry=lambda: seal.warn_of_expiry(datetime.now(UTC)),
    )
    with office.register.engine.begin() as connection:
        queued = "INSERT INTO jobs.procrastinate_jobs (queue_name, task_name, args) VALUES ('default', :task, :args)"
        connection.execute(text(queued), {"task": "warn_of_expiry", "args": '{"timestamp": 1}'})
    with caplog.at_level(logging.WARNING):
        worker.start()
        try:
            assert wait(lambda: warnings(caplog) == 1)
        finally:
            worker.stop()
    crons = {each.task.name: each.cron for each in worker._app.periodic_registry.periodic_tasks.values()}
    ticks = croniter(crons["warn_of_expiry"], datetime(2027, 1, 1, tzinfo=UTC))
    assert ticks.get_next(datetime) + DAY == ticks.get_next(datetime)


class TestAKeyFarAway:
    @pytest.fixture
    def service(self) -> Iterator[TrustService]:
        with serving(TrustService(ec.generate_private_key(ec.SECP256R1()))) as service:
            yield service

    @pytest.fixture
    def seal(self, office: FakeOffice, service: TrustService) -> Seal:
        """The seal of an office two minutes in the past, so that what it enqueues is due at once."""
        office.clock.now = datetime.now(UTC) - timedelta(minutes=2)
        seal = Seal(CscKey(service.where()))
        object.__setattr__(office.desk, "press", BlankPages(seal))
        return seal

    def test_what_it_does_not_seal_keeps_its_number_and_is_sealed_when_it_answers_again(
        self, office: FakeOffice, service: TrustService, seal: Seal
    ) -> None:
        assert app._seal(seal, datetime.now(UTC)).ok
        service.spoil = instead("signatures/signHash", (503, {}, b""))
        first, second = (reserved(office, spot) for spot in range(2))
        asked = len(service.calls)
        told = app._seal(seal, datetime.now(UTC))

        assert [again(office, act).state for act in (first, second)] == [ActState.RESERVED] * 2
        assert len(rows(office, "SELECT 1 FROM jobs.procrastinate_jobs WHERE task_name = 'finish_permit'")) == 2
        assert (told.ok, told.failing) == (False, False)
        assert "La clé ne signe plus depuis le " in told.detail
        assert "le service de cachet refuse (signatures/signHash : 503)." in told.detail
        assert len(service.calls) == asked, "nobody signs to tell whether it can"

        service.spoil = lambda _call, _answer: None
        worker = Worker(office.desk, office.register.engine, office.register.authority, first_wait_s=1)
        worker.start()
        try:
            assert wait(lambda: all(again(office, act).state is ActState.ISSUED for act in (first, second)))
        finally:
            worker.stop()
        assert app._seal(seal, datetime.now(UTC)).ok

    def test_is_said_silent_since_its_first_refusal(
        self, office: FakeOffice, service: TrustService, seal: Seal
    ) -> None:
        service.spoil = instead("credentials/authorize", (500, {}, b""))
        reserved(office, 0)
        first = seal.key.signer.failure
        service.spoil = instead("credentials/authorize", (401, {}, b""))
        reserved(office, 1)
        last = seal.key.signer.failure

        assert first is not None and last is not None
        assert first.since == last.since
        assert "PERMITS_SEAL_CSC_TOKEN" in last.why != first.why


def reserved(office: FakeOffice, spot: int) -> Act:
    """File for a permit whose seal can't be made: it is granted, under its number."""
    filed, _ = issue_permit(office.desk, office.filing(body_at(spot)))
    assert filed.outcome == "granted" and filed.act is not None
    return filed.act
