"""The composition root: what it refuses to start on, and what it says of its readiness."""

import re
import shutil
import socket
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import SecretStr, ValidationError
from sqlalchemy import Engine, text
from typer.testing import CliRunner

import app
from permits import cli
from permits.document.codes import CodeKey, make_code_key
from permits.document.sealing.demo import make_demo_seal
from permits.domain.calendar import paris_day
from permits.domain.establishment import Source
from permits.law.load import RulebookError, digest_of
from permits.laws import KeptLaws, load_law
from permits.register.book import Register
from permits.register.database import connect
from permits.register.floor import Floor
from permits.register.publications import Publications
from permits.register.queue import ProcrastinateQueue
from permits.register.trusted import code_keys, seals
from permits.settings import ROOT, Misconfigured, Settings
from permits.sirene import metrics
from tests.document.conftest import town_seal
from tests.fakes import load_law as demo_law
from tests.register.forcing import superuser


def settings(**changes: object) -> Settings:
    return Settings().model_copy(update={"allow_unsafe_database": True, **changes})


def test_a_missing_database_is_told() -> None:
    with pytest.raises(Misconfigured, match="PERMITS_DATABASE_URL"):
        app.build(settings(database_url=None))


def test_a_database_that_may_lose_commits_is_refused(database_url: str) -> None:
    with pytest.raises(Misconfigured, match="power cut"):
        app.build(settings(database_url=SecretStr(database_url), allow_unsafe_database=False))


def test_a_silent_database_is_told_without_its_password() -> None:
    url = SecretStr("postgresql://somebody:azerty@127.0.0.1:9/permits")
    with pytest.raises(Misconfigured, match="ne répond pas") as error:
        app.build(settings(database_url=url, allow_unsafe_database=False))
    assert "azerty" not in str(error.value)


def test_a_missing_seal_and_a_wrong_passphrase_are_told(database_url: str, tmp_path: Path) -> None:
    known = {"database_url": SecretStr(database_url), "sirene_sources": (Source.RECHERCHE_ENTREPRISES,)}
    with pytest.raises(Misconfigured, match="PERMITS_SEAL_PKCS12"):
        app.build(settings(**known))
    make_demo_seal(tmp_path / "seal")
    with pytest.raises(Misconfigured, match=r"seal\.p12"):
        app.build(settings(**known, seal_pkcs12=tmp_path / "seal" / "seal.p12", seal_passphrase=SecretStr("non")))


def test_roots_that_cannot_be_read_and_an_address_that_is_none_are_told(database_url: str, tmp_path: Path) -> None:
    make_demo_seal(tmp_path)
    (tmp_path / "roots.pem").write_text("-----BEGIN")
    known = {
        "database_url": SecretStr(database_url),
        "sirene_sources": (Source.RECHERCHE_ENTREPRISES,),
        "seal_pkcs12": tmp_path / "seal.p12",
        "seal_passphrase": SecretStr((tmp_path / "passphrase").read_text()),
    }
    with pytest.raises(Misconfigured, match=r"roots\.pem"):
        app.build(settings(**known, seal_trust=(tmp_path / "roots.pem",)))
    with pytest.raises(ValidationError, match="http"):
        Settings(tsa_url="horodatage.example")


def test_a_missing_or_unreadable_key_of_the_codes_is_told(database_url: str, tmp_path: Path) -> None:
    make_demo_seal(tmp_path)
    known = {
        "database_url": SecretStr(database_url),
        "sirene_sources": (Source.RECHERCHE_ENTREPRISES,),
        "seal_pkcs12": tmp_path / "seal.p12",
        "seal_passphrase": SecretStr((tmp_path / "passphrase").read_text()),
    }
    with pytest.raises(Misconfigured, match="PERMITS_CODE_KEY manque"):
        app.build(settings(**known))
    with pytest.raises(Misconfigured, match="ne peut pas être lue"):
        app.build(settings(**known, code_key=tmp_path / "seal.p12"))
    path = make_code_key(tmp_path)
    app.build(settings(**known, code_key=path))
    engine = connect(database_url, pool_size=1)
    assert [each.kid for each in code_keys(engine, "exemple")] == [CodeKey.load(path).kid]
    engine.dispose()


def test_a_withdrawn_seal_is_told_and_roots_count_without_an_authority(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_demo_seal(tmp_path)
    root = town_seal().certificate
    (tmp_path / "root.pem").write_bytes(root.public_bytes(Encoding.PEM))
    known = settings(
        database_url=SecretStr(database_url),
        sirene_sources=(Source.RECHERCHE_ENTREPRISES,),
        seal_pkcs12=tmp_path / "seal.p12",
        seal_passphrase=SecretStr((tmp_path / "passphrase").read_text()),
        code_key=make_code_key(tmp_path),
        seal_trust=(tmp_path / "root.pem",),
    )
    assert app.build(known).state.context.trusted_roots == (root.public_bytes(Encoding.PEM).decode(),)

    engine = connect(database_url, pool_size=1)
    (sealed_here,) = seals(engine, "exemple")
    engine.dispose()
    monkeypatch.setenv("PERMITS_DATABASE_URL", database_url)
    words = ["withdraw-seal", sealed_here.sha256, "--since", "2026-01-01T08:00"]
    done = [CliRunner().invoke(cli.app, words) for _ in range(2)]
    assert [each.exit_code for each in done] == [0, 1]
    assert "retiré depuis le 01/01/2026 à 08:00" in done[0].output and "déjà retiré" in done[1].output
    with pytest.raises(Misconfigured, match="a été retiré"):
        app.build(known)


def test_api_entreprise_without_a_token_is_told(database_url: str) -> None:
    with pytest.raises(Misconfigured, match="PERMITS_API_ENTREPRISE_TOKEN"):
        app.build(settings(database_url=SecretStr(database_url), sirene_sources=(Source.API_ENTREPRISE,)))


def test_insee_without_a_key_is_told(database_url: str) -> None:
    with pytest.raises(Misconfigured, match="PERMITS_INSEE_KEY"):
        app.build(settings(database_url=SecretStr(database_url), sirene_sources=(Source.INSEE,)))


def test_an_unknown_projection_is_a_mistake_of_the_rulebook(tmp_path: Path, database_url: str) -> None:
    for path in (ROOT / "rulebooks" / "exemple").rglob("*.*"):
        copy = tmp_path / path.relative_to(ROOT / "rulebooks" / "exemple")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text().replace("EPSG:3948", "EPSG:9999"))
    with pytest.raises(Misconfigured, match=r"authority\.yaml: ligne 14, crs: aucune projection"):
        app.build(settings(database_url=SecretStr(database_url), rulebook=tmp_path))


def test_a_zone_that_crosses_itself_is_a_mistake_of_the_rulebook(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "rulebooks" / "exemple", tmp_path / "copy")
    zones = tmp_path / "copy" / "zones.geojson"
    corner, crossed = "[-3.878, 48.377], [-3.878, 48.3785]", "[-3.878, 48.3785], [-3.878, 48.377]"
    assert corner in zones.read_text()
    zones.write_text(zones.read_text().replace(corner, crossed))
    with pytest.raises(RulebookError, match="la zone marche se croise elle-même"):
        load_law(tmp_path / "copy")


def test_a_rulebook_in_force_altered_by_hand_is_refused_at_the_start(engine: Engine, database_url: str) -> None:
    given = settings(database_url=SecretStr(database_url), sirene_sources=(Source.RECHERCHE_ENTREPRISES,))
    with pytest.raises(Misconfigured, match="PERMITS_SEAL_PKCS12"):
        app.build(given)
    with engine.begin() as connection, superuser(connection):
        connection.execute(text("UPDATE rulebook SET files = files - 'retention.yaml'"))
    with pytest.raises(Misconfigured, match="n’est plus celui qui a été gardé sous cette empreinte : vérifiez la base"):
        app.build(given)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory of one's own to break."""
    return Path(shutil.copytree(ROOT / "rulebooks" / "exemple", tmp_path / "mine"))


def started(database_url: str, directory: Path) -> str:
    """Start as far as the seal, which is missing; return the digest of the law in force."""
    asked = settings(
        database_url=SecretStr(database_url),
        sirene_sources=(Source.RECHERCHE_ENTREPRISES,),
        rulebook=directory,
    )
    with pytest.raises(Misconfigured, match="PERMITS_SEAL_PKCS12"):
        app.build(asked)
    engine = connect(database_url, pool_size=1)
    try:
        return KeptLaws(publications(engine)).on(paris_day(app.now())).rulebook.digest
    finally:
        engine.dispose()


def publications(engine: Engine) -> Publications:
    return Publications(engine, "exemple", Floor("exemple"))


@pytest.mark.parametrize("broken", ["authority.yaml", "rules.yaml", "all of it"])
def test_a_broken_directory_stops_no_book_that_has_a_rulebook(database_url: str, directory: Path, broken: str) -> None:
    digest = started(database_url, directory)
    if broken == "all of it":
        shutil.rmtree(directory)
    else:
        (directory / broken).write_text("a: [", encoding="utf-8")
    assert started(database_url, directory) == digest


@pytest.mark.parametrize("broken", ["authority.yaml", "rules.yaml"])
def test_a_broken_directory_stops_an_empty_book_with_its_file_and_line(
    database_url: str, directory: Path, broken: str
) -> None:
    (directory / broken).write_text("a: 1\na: 2\n", encoding="utf-8")
    with pytest.raises(Misconfigured, match=rf"^{re.escape(broken)}: ligne 2: « a » est donné deux fois"):
        app.build(settings(database_url=SecretStr(database_url), rulebook=directory))


def test_of_a_base_with_two_authorities_the_directory_tells_which(
    engine: Engine, database_url: str, directory: Path
) -> None:
    started(database_url, directory)
    with engine.begin() as connection, superuser(connection):
        other = "SELECT 'ailleurs', step, digest, effective_on, taken_by, taken_at FROM rulebook_step"
        named = "authority, step, digest, effective_on, taken_by, taken_at"
        connection.execute(text(f"INSERT INTO rulebook_step ({named}) {other}"))
    (directory / "authority.yaml").write_text("a: [", encoding="utf-8")
    with pytest.raises(Misconfigured, match=r"^authority\.yaml: ligne 1: "):
        app.build(settings(database_url=SecretStr(database_url), rulebook=directory))


def test_a_published_rulebook_that_can_not_be_read_stops_no_start(
    engine: Engine, database_url: str, directory: Path
) -> None:
    digest = started(database_url, directory)
    unreadable = {"authority.yaml": "identity: {id: exemple}"}
    book, at = publications(engine), app.now() - timedelta(days=2)
    Register(engine, "exemple", ProcrastinateQueue()).keep_rulebook(digest_of(unreadable), unreadable, at)
    book.propose(digest_of(unreadable), paris_day(app.now()), "agent-7", at)
    book.publish(digest_of(unreadable), paris_day(app.now()), "agent-8", at)
    with engine.begin() as connection, superuser(connection):
        connection.execute(text("UPDATE rulebook_step SET effective_on = effective_on - 9 WHERE step = 'adopted'"))

    assert started(database_url, directory) == digest
    assert book.until(paris_day(app.now())) == [digest_of(unreadable), digest]


@pytest.mark.parametrize(("day", "ok"), [(date(2025, 12, 31), False), (date(2026, 1, 1), True)])
def test_readiness_fails_on_a_day_without_figures(day: date, ok: bool) -> None:
    assert app._rulebook(demo_law().rulebook, day).ok is ok


def test_readiness_tells_a_day_without_signatory_and_does_not_fail() -> None:
    told = app._rulebook(demo_law().rulebook, date(2032, 4, 1))

    assert told.ok
    assert "aucune délégation" in told.detail


class TestTheCounters:
    @pytest.fixture
    def port(self) -> int:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            return int(free.getsockname()[1])

    def test_are_served_on_the_loopback(self, port: int) -> None:
        metrics.LOOKUPS.labels(Source.INSEE, "open").inc()
        server = app._expose_metrics(settings(metrics_port=port))
        assert server is not None
        told = httpx.get(f"http://127.0.0.1:{port}/metrics").text
        server.shutdown()

        assert server.server_address[0] == "127.0.0.1"
        assert 'permits_registry_lookups_total{said="open",source="insee"}' in told

    def test_are_not_served_unless_asked(self) -> None:
        assert app._expose_metrics(settings()) is None

    def test_on_a_port_that_is_taken_are_told_missing_and_stop_nothing(
        self, port: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        with socket.create_server(("127.0.0.1", port)):
            assert app._expose_metrics(settings(metrics_port=port)) is None
        assert "the metrics can't be served" in caplog.text
