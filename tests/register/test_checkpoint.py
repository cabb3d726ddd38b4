"""A signed checkpoint can't be altered, and a book that does not follow it issues nothing."""

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import SecretStr
from sqlalchemy import Engine, text
from starlette.testclient import TestClient
from typer.testing import CliRunner

import app
from permits.cli import app as commands
from permits.document.codes import make_code_key
from permits.document.sealing.demo import make_demo_seal
from permits.domain.canonical import canonical_json
from permits.domain.claim import Claim
from permits.domain.establishment import Source
from permits.issue import issue_permit
from permits.register.backup import back_up, restore
from permits.register.book import Register
from permits.register.checkpoint import (
    PRIVATE_KEY_FILE,
    PUBLIC_KEY_FILE,
    Checkpoint,
    CheckpointRefused,
    Counter,
    fingerprint,
    last_checkpoint,
    load_keys,
    make_key,
    opened,
    sign,
)
from permits.register.clients import add_client, authenticate, new_key
from permits.register.floor import BookRolledBack, Floor, differences, read_checkpoint, snapshot
from permits.register.queue import ProcrastinateQueue
from permits.register.witness import Witness, export_checkpoint, hold, signed_text
from permits.settings import Misconfigured, Settings
from permits.web.app import create_web_app
from permits.web.context import Context
from tests.fakes import FakeOffice, open_office, request_body
from tests.register.copies import administration, new_database

KEY = Ed25519PrivateKey.generate()
PUBLIC = KEY.public_key()
AUTHORITY = "exemple"
CHECKPOINT = Checkpoint(
    authority=AUTHORITY,
    position=7,
    sha256="ab" * 32,
    counters=(Counter(series="EX", year=2026, value=3), Counter(series="EX", year=2027, value=1)),
    at=datetime(2026, 12, 1, 9, 0, tzinfo=UTC),
)


def exported(checkpoint: Checkpoint = CHECKPOINT) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(signed_text(checkpoint, KEY))
    return content


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Return the way to every plain value of a JSON document."""
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from leaves(value[key], (*path, key))
    else:
        yield path


def altered(value: str | int) -> list[str | int]:
    """Return near and plausible other values."""
    if isinstance(value, int):
        return [value + 1, value - 1, 0]
    first, last = ("1" if value[0] != "1" else "2"), ("1" if value[-1] != "1" else "2")
    return [first + value[1:], value[:-1] + last, "", value.upper() + "x"]


def put(content: dict[str, Any], path: tuple[Any, ...], value: Any) -> str:
    changed = json.loads(json.dumps(content))
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return json.dumps(changed)


PATHS = list(leaves(exported()))


def test_an_untouched_checkpoint_opens_however_it_is_laid_out() -> None:
    """Negative control of the tamperings below."""
    assert opened(json.dumps(exported()), PUBLIC, "c") == CHECKPOINT
    assert opened(json.dumps(exported(), indent=4, sort_keys=True), PUBLIC, "c") == CHECKPOINT


@pytest.mark.parametrize("path", PATHS, ids=lambda path: ".".join(map(str, path)))
def test_a_checkpoint_changed_in_any_field_is_refused(path: tuple[Any, ...]) -> None:
    assert len(PATHS) == 13
    value: Any = exported()
    for key in path:
        value = value[key]
    for other in altered(value):
        with pytest.raises(CheckpointRefused):
            opened(put(exported(), path, other), PUBLIC, "c")


def test_a_checkpoint_with_a_counter_more_or_less_or_moved_is_refused() -> None:
    first, second = exported()["checkpoint"]["counters"]
    for counters in ([first], [], [second, first], [first, second, second], [first, second | {"more": 1}]):
        with pytest.raises(CheckpointRefused):
            opened(put(exported(), ("checkpoint", "counters"), counters), PUBLIC, "c")
    for missing in ("format", "key", "signature", "checkpoint"):
        with pytest.raises(CheckpointRefused):
            opened(json.dumps({k: v for k, v in exported().items() if k != missing}), PUBLIC, "c")


def test_a_checkpoint_signed_by_somebody_else_is_refused_even_under_our_name() -> None:
    other = Ed25519PrivateKey.generate()
    theirs = json.loads(signed_text(CHECKPOINT, other))
    with pytest.raises(CheckpointRefused, match="une autre clé"):
        opened(json.dumps(theirs), PUBLIC, "c")
    with pytest.raises(CheckpointRefused, match="signature de c est fausse"):
        opened(json.dumps(theirs | {"key": fingerprint(PUBLIC)}), PUBLIC, "c")


def test_a_signature_of_the_same_words_in_another_format_is_refused() -> None:
    signed = sign(CHECKPOINT, KEY)
    bare = KEY.sign(canonical_json(CHECKPOINT).encode()).hex()
    with pytest.raises(CheckpointRefused, match="signature"):
        opened(canonical_json(signed.model_copy(update={"signature": bare})), PUBLIC, "c")


def test_a_key_is_made_once_and_only_an_ed25519_pair_is_taken(tmp_path: Path) -> None:
    name = make_key(tmp_path / "keys")
    private, public = tmp_path / "keys" / PRIVATE_KEY_FILE, tmp_path / "keys" / PUBLIC_KEY_FILE
    keys = load_keys(private, public)
    assert keys.private is not None and keys.public is not None
    assert fingerprint(keys.public) == name == fingerprint(keys.private.public_key())
    assert private.stat().st_mode & 0o777 == 0o600
    assert load_keys(private, None).public == load_keys(None, public).public == keys.public

    with pytest.raises(CheckpointRefused, match="existe déjà"):
        make_key(tmp_path / "keys")
    make_key(tmp_path / "others")
    rsa = tmp_path / "rsa.pem"
    rsa_key = generate_private_key(65537, 2048)
    rsa.write_bytes(rsa_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    for wrong, reason in (
        ((private, tmp_path / "others" / PUBLIC_KEY_FILE), "n’est pas la clé publique"),
        ((rsa, None), "n’est pas une clé Ed25519"),
        ((public, None), "ne peut pas être lue"),
        ((None, private), "ne peut pas être lue"),
        ((tmp_path / "nothing", None), "ne peut pas être lue"),
    ):
        with pytest.raises(CheckpointRefused, match=reason):
            load_keys(*wrong)


def issue(office: FakeOffice, times: int = 1) -> None:
    for _ in range(times):
        filed, _ = issue_permit(office.desk, office.filing())
        assert filed.act is not None


def checkpoint_of(engine: Engine) -> Checkpoint:
    with snapshot(engine) as connection:
        return read_checkpoint(connection, AUTHORITY, datetime.now(UTC))


def differences_of(engine: Engine, checkpoint: Checkpoint) -> list[str]:
    with snapshot(engine) as connection:
        return differences(connection, checkpoint)


def as_superuser(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        assert connection.execute(text(statement)).rowcount > 0


def url_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def test_a_book_follows_its_checkpoints_for_ever(office: FakeOffice) -> None:
    """Negative control of the refusals below."""
    earlier = [checkpoint_of(office.register.engine)]
    for _ in range(3):
        issue(office)
        earlier.append(checkpoint_of(office.register.engine))

    assert [checkpoint.position for checkpoint in earlier] == [0, 2, 4, 6]
    assert [[c.value for c in checkpoint.counters] for checkpoint in earlier] == [[], [1], [2], [3]]
    assert [differences_of(office.register.engine, checkpoint) for checkpoint in earlier] == [[]] * 4


def test_a_forked_book_of_the_same_length_is_told_apart(office: FakeOffice) -> None:
    issue(office, 2)
    with new_database(url_of(office.register.engine), template="permits") as other:
        issue(open_office(other), 2)
        mine, theirs = checkpoint_of(office.register.engine), checkpoint_of(other)

        assert (mine.position, mine.counters) == (theirs.position, theirs.counters)
        assert differences_of(other, mine) == ["l’entrée 4 de la chaîne n’est pas celle qui est connue"]
        issue(open_office(other), 1)
        assert differences_of(other, mine) == ["l’entrée 4 de la chaîne n’est pas celle qui est connue"]


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("UPDATE counter SET value = 1", "le compteur EX de 2026 est à 1, il avait déjà donné 2"),
        ("DELETE FROM counter", "le compteur EX de 2026 est à 0, il avait déjà donné 2"),
        ("UPDATE audit_head SET position = 3", "la chaîne s’arrête à l’entrée 3, l’entrée 4 est déjà connue"),
        ("DELETE FROM audit_head", "la chaîne s’arrête à l’entrée 0, l’entrée 4 est déjà connue"),
        ("DELETE FROM audit_entry WHERE position = 4", "l’entrée 4 de la chaîne n’est pas celle qui est connue"),
        ("UPDATE audit_entry SET sha256 = repeat('0', 64) WHERE position = 4", "l’entrée 4 de la chaîne n’est pas"),
    ],
)
def test_each_thing_that_went_back_is_named(office: FakeOffice, damage: str, told: str) -> None:
    issue(office, 2)
    checkpoint = checkpoint_of(office.register.engine)
    assert differences_of(office.register.engine, checkpoint) == []
    as_superuser(office.register.engine, damage)

    (difference,) = differences_of(office.register.engine, checkpoint)
    assert difference.startswith(told)


@pytest.mark.parametrize("damage", ["UPDATE audit_head SET position = 3", "DELETE FROM audit_entry WHERE position = 4"])
def test_a_chain_whose_head_is_broken_is_not_signed(office: FakeOffice, damage: str) -> None:
    issue(office, 2)
    as_superuser(office.register.engine, damage)

    with pytest.raises(BookRolledBack):
        checkpoint_of(office.register.engine)


def older_copy(office: FakeOffice, folder: Path) -> Path:
    """Back the book up, then let it go on by two permits."""
    file = folder / f"older-{time.monotonic_ns()}.dump"
    back_up(office.register.engine, file, AUTHORITY, datetime.now(UTC), None)
    issue(office, 2)
    return file


def test_an_export_never_replaces_a_checkpoint_that_the_book_does_not_follow(
    office: FakeOffice, tmp_path: Path
) -> None:
    path = tmp_path / "last.json"
    issue(office)
    older = older_copy(office, tmp_path)
    export_checkpoint(office.register.engine, AUTHORITY, KEY, path)
    before = path.read_bytes()
    with new_database(url_of(office.register.engine)) as copy:
        restore(copy, older)
        with pytest.raises(BookRolledBack, match="s’arrête à l’entrée 2, l’entrée 6 est déjà connue"):
            export_checkpoint(copy, AUTHORITY, KEY, path)
        with pytest.raises(CheckpointRefused, match="autre clé"):
            export_checkpoint(office.register.engine, AUTHORITY, Ed25519PrivateKey.generate(), path)
        assert path.read_bytes() == before

    issue(office)
    export_checkpoint(office.register.engine, AUTHORITY, KEY, path)
    assert opened(path.read_text(), PUBLIC, "c").position == 8
    assert sorted(file.name for file in tmp_path.glob("last*")) == ["last.json"]


def test_exports_side_by_side_never_go_back(office: FakeOffice, tmp_path: Path) -> None:
    path, seen = tmp_path / "last.json", [0]

    def export() -> None:
        for _ in range(8):
            export_checkpoint(office.register.engine, AUTHORITY, KEY, path)
            seen.append(opened(path.read_text(), PUBLIC, "c").position)

    threads = [Thread(target=export) for _ in range(3)]
    for thread in threads:
        thread.start()
    issue(office, 5)
    for thread in threads:
        thread.join(60)

    assert len(seen) == 25
    assert last_checkpoint(path, PUBLIC, AUTHORITY) is not None
    assert opened(path.read_text(), PUBLIC, "c").position == max(seen)


def test_the_highest_of_a_directory_counts_and_another_authority_is_passed_over(tmp_path: Path) -> None:
    for name, changes in (
        ("a", {"position": 5}),
        ("b", {"position": 9}),
        ("c", {"position": 7}),
        ("d", {"position": 99, "authority": "ailleurs"}),
    ):
        (tmp_path / f"{name}.json").write_bytes(signed_text(CHECKPOINT.model_copy(update=changes), KEY))
    (tmp_path / "notes.txt").write_text("autre chose")
    found = last_checkpoint(tmp_path, PUBLIC, AUTHORITY)

    assert found is not None and found.position == 9
    assert last_checkpoint(tmp_path, PUBLIC, "nulle-part") is None
    with pytest.raises(CheckpointRefused, match="« ailleurs », pas de « exemple »"):
        last_checkpoint(tmp_path / "d.json", PUBLIC, AUTHORITY)
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(CheckpointRefused, match=r"a\.json n’est pas un point de contrôle"):
        last_checkpoint(tmp_path, PUBLIC, AUTHORITY)


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Callable[..., Settings]:
    """Settings of a service that can start, changed as told."""
    make_demo_seal(tmp_path / "seal")
    make_key(tmp_path / "keys")
    usual = {
        "allow_unsafe_database": True,
        "database_url": SecretStr(database_url),
        "sirene_sources": (Source.RECHERCHE_ENTREPRISES,),
        "seal_pkcs12": tmp_path / "seal" / "seal.p12",
        "seal_passphrase": SecretStr((tmp_path / "seal" / "passphrase").read_text()),
        "code_key": make_code_key(tmp_path / "codes"),
        "checkpoint": tmp_path / "last.json",
        "checkpoint_key": tmp_path / "keys" / PRIVATE_KEY_FILE,
    }

    def changed(**changes: Any) -> Settings:
        return Settings().model_copy(update=usual | changes)

    return changed


def test_a_service_refuses_to_start_on_an_older_book(
    office: FakeOffice, settings: Callable[..., Settings], tmp_path: Path
) -> None:
    """The very same checkpoint passes on the untouched book, before and after."""
    app.build(settings())  # an empty book needs no checkpoint yet
    issue(office)
    older = older_copy(office, tmp_path)
    app.build(settings())
    public = tmp_path / "keys" / PUBLIC_KEY_FILE
    shown = (tmp_path / "last.json").read_bytes()
    with new_database(url_of(office.register.engine)) as copy:
        restore(copy, older)
        on_the_copy = {"database_url": SecretStr(url_of(copy))}
        for keys in ({}, {"checkpoint_key": None, "checkpoint_public_key": public}):
            with pytest.raises(Misconfigured) as refusal:
                app.build(settings(**on_the_copy, **keys))
            assert "la chaîne s’arrête à l’entrée 5, l’entrée 9 est déjà connue" in str(refusal.value)
            assert "le compteur EX de 2026 est à 1, il avait déjà donné 3" in str(refusal.value)
            assert "docs/operations.md" in str(refusal.value)
        assert checkpoint_of(copy).position == 5, "a refused service wrote nothing"
        assert (tmp_path / "last.json").read_bytes() == shown
        app.build(settings(**on_the_copy, checkpoint=None))

    app.build(settings())
    app.build(settings(checkpoint_key=None, checkpoint_public_key=public))


def test_a_checkpoint_that_cannot_be_used_stops_the_start(
    office: FakeOffice, settings: Callable[..., Settings], tmp_path: Path
) -> None:
    issue(office)
    with pytest.raises(Misconfigured, match="permits checkpoint export"):
        app.build(settings())
    with pytest.raises(Misconfigured, match="PERMITS_CHECKPOINT demande PERMITS_CHECKPOINT_KEY"):
        app.build(settings(checkpoint_key=None))
    with pytest.raises(Misconfigured, match="ne peut pas être lue"):
        app.build(settings(checkpoint=None, checkpoint_key=tmp_path / "rien.pem"))
    (tmp_path / "last.json").write_bytes(signed_text(checkpoint_of(office.register.engine), KEY))
    with pytest.raises(Misconfigured, match="autre clé"):
        app.build(settings())
    nowhere = tmp_path / "no" / "such" / "folder" / "last.json"
    with (
        new_database(url_of(office.register.engine), template="permits") as empty,
        pytest.raises(Misconfigured, match="ne peut pas être écrit"),
    ):
        app.build(settings(database_url=SecretStr(url_of(empty)), checkpoint=nowhere))


def test_the_readiness_of_a_running_service_tells_a_book_that_went_back(
    office: FakeOffice, settings: Callable[..., Settings]
) -> None:
    readiness = app.build(settings()).state.context.readiness
    issue(office, 2)
    assert readiness()[0].ok
    as_superuser(office.register.engine, "UPDATE audit_head SET position = 3")
    told = readiness()[0]

    assert (told.name, told.ok, told.failing) == ("database", False, True)
    assert "s’arrête à l’entrée 3" in told.detail


def another_process(office: FakeOffice) -> FakeOffice:
    """Return an office on the same database, that knows nothing of what this one has seen."""
    register = Register(office.register.engine, AUTHORITY, ProcrastinateQueue())
    return replace(office, register=register, desk=replace(office.desk, register=register))


@contextmanager
def restored_under(engine: Engine, file: Path) -> Iterator[None]:
    """Restore a backup under the name of a database in use, as an administrator would; put the first one back after."""
    url, name = url_of(engine), engine.url.database
    with administration(url) as run:
        run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        run(f"ALTER DATABASE {name} RENAME TO {name}_aside")
        run(f"CREATE DATABASE {name} TEMPLATE template0")
        try:
            restore(engine, file)
            yield
        finally:
            run(f"DROP DATABASE {name} WITH (FORCE)")
            run(f"ALTER DATABASE {name}_aside RENAME TO {name}")
            run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def test_a_book_restored_under_a_running_service_issues_nothing(office: FakeOffice, tmp_path: Path) -> None:
    issue(office)
    older = tmp_path / "older.dump"
    back_up(office.register.engine, older, AUTHORITY, datetime.now(UTC), None)
    issue(office)
    assert office.register.floor.position == 4
    with restored_under(office.register.engine, older):
        for _ in range(2):
            with pytest.raises(BookRolledBack, match="s’arrête à l’entrée 2, l’entrée 4 est déjà connue"):
                issue(office)
        assert checkpoint_of(office.register.engine).position == 2
        issue(another_process(office))  # negative control: nothing but what was seen holds the book back
        assert checkpoint_of(office.register.engine).position == 4
        with pytest.raises(BookRolledBack, match="l’entrée 3 de la chaîne n’est pas celle qui est connue"):
            issue(office)

    issue(office)
    assert office.register.floor.position == 6


def test_a_client_of_a_rolled_back_book_is_asked_to_come_back(office: FakeOffice) -> None:
    engine, key = office.register.engine, new_key()
    add_client(engine, AUTHORITY, "test", ["999990013"], key, uuid4(), office.clock())
    known = partial(authenticate, engine, AUTHORITY)
    context = Context(
        office.desk,
        office.register,
        known,
        readiness=list,
        note_reading=lambda _: None,
        read_stranger=lambda _: Claim(is_pdf=False),
    )
    headers = {"Authorization": f"Bearer {key.get_secret_value()}"}
    with TestClient(create_web_app(context), raise_server_exceptions=False) as client:

        def post() -> Any:
            given = headers | {"Idempotency-Key": str(uuid4())}
            return client.post("/v1/applications", json=request_body(), headers=given)

        assert post().status_code == 201
        office.register.floor.show(CHECKPOINT)
        answer = post()

    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert answer.headers["Retry-After"] == "60"
    assert checkpoint_of(engine).position == 2


def test_a_book_that_lost_only_the_last_acknowledged_entry_is_seen(office: FakeOffice) -> None:
    issue(office, 2)
    as_superuser(office.register.engine, "DELETE FROM audit_entry WHERE position = 4")
    as_superuser(
        office.register.engine,
        "UPDATE audit_head SET position = 3, sha256 = (SELECT sha256 FROM audit_entry WHERE position = 3)",
    )

    with pytest.raises(BookRolledBack, match="s’arrête à l’entrée 3, l’entrée 4 est déjà connue"):
        issue(office)


def test_what_its_own_transaction_took_back_never_raises_the_floor(office: FakeOffice) -> None:
    issue(office)
    with pytest.raises(ZeroDivisionError), office.register._transaction() as session:
        office.register._audit(session, "nothing", office.clock(), {})
        raise ZeroDivisionError

    assert office.register.floor.position == 2
    issue(office)
    assert office.register.floor.position == 4


def test_neighbours_that_issue_at_once_never_take_each_other_for_a_rollback(office: FakeOffice) -> None:
    """Two processes, of two threads each, on one book."""
    issue(office)
    failures: list[Exception] = []

    def run(running: FakeOffice) -> None:
        try:
            issue(running, 8)
        except Exception as error:
            failures.append(error)

    processes = [office, another_process(office)]
    threads = [Thread(target=run, args=(process,)) for process in processes * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(100)

    assert failures == []
    assert checkpoint_of(office.register.engine).position == 66
    assert max(process.register.floor.position for process in processes) == 66


def test_a_floor_shown_a_later_checkpoint_holds_the_book_back(office: FakeOffice) -> None:
    issue(office)
    office.register.floor.show(CHECKPOINT.model_copy(update={"position": 1}))  # older than what is known: no matter
    issue(office)
    office.register.floor.show(CHECKPOINT)
    with pytest.raises(BookRolledBack, match="s’arrête à l’entrée 4, l’entrée 7 est déjà connue"):
        issue(office)


def test_a_witness_exports_at_once_then_regularly_and_a_last_time(office: FakeOffice, tmp_path: Path) -> None:
    floor, path = Floor(AUTHORITY), tmp_path / "last.json"
    witness = Witness(office.register.engine, KEY, path, floor, every_s=0.05)

    def position() -> int:
        return opened(path.read_text(), PUBLIC, "c").position

    witness.export()
    assert position() == 0
    witness.start()
    issue(office)
    deadline = time.monotonic() + 30
    while position() < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert position() == 2
    witness.stop()
    idle = Witness(office.register.engine, KEY, path, floor, every_s=3600)
    idle.start()
    issue(office)
    idle.stop()

    assert position() == 4 == floor.position


def test_a_witness_outlives_a_book_that_went_back_and_keeps_what_it_knew(
    office: FakeOffice, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "last.json"
    witness = Witness(office.register.engine, KEY, path, Floor(AUTHORITY), every_s=0.02)
    issue(office, 2)
    witness.export()
    before = path.read_bytes()
    as_superuser(office.register.engine, "UPDATE audit_head SET position = 3")
    with caplog.at_level(logging.ERROR):
        witness.start()
        time.sleep(0.2)
        witness.stop()

    assert path.read_bytes() == before
    assert "the checkpoint could not be exported" in caplog.text and "BookRolledBack" in caplog.text


def test_a_book_that_already_holds_permits_is_not_taken_on_trust(office: FakeOffice, tmp_path: Path) -> None:
    hold(office.register.engine, Floor(AUTHORITY), tmp_path / "none.json", PUBLIC)
    issue(office)
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(CheckpointRefused, match="n’est pas vide"):
            hold(office.register.engine, Floor(AUTHORITY), path, PUBLIC)
    export_checkpoint(office.register.engine, AUTHORITY, KEY, tmp_path)
    floor = Floor(AUTHORITY)
    hold(office.register.engine, floor, tmp_path, PUBLIC)

    assert floor.position == 2
    assert [file.name for file in tmp_path.iterdir()] == ["exemple.json"]


def test_the_three_commands(office: FakeOffice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(commands, ["checkpoint", *arguments])
        return done.exit_code, done.output

    keys, file = tmp_path / "keys", str(tmp_path / "last.json")
    monkeypatch.setenv("PERMITS_DATABASE_URL", url_of(office.register.engine))
    issue(office, 2)
    assert run("export")[0] == 1
    made = run("make-key", str(keys))
    monkeypatch.setenv("PERMITS_CHECKPOINT_KEY", str(keys / PRIVATE_KEY_FILE))
    again = run("make-key", str(keys))
    shown, written = run("export"), run("export", file)
    monkeypatch.delenv("PERMITS_CHECKPOINT_KEY")
    public = ("--public-key", str(keys / PUBLIC_KEY_FILE))
    same, without = run("compare", file, *public), run("compare", file)
    as_superuser(office.register.engine, "UPDATE counter SET value = 1")
    as_superuser(office.register.engine, "UPDATE audit_entry SET sha256 = repeat('0', 64) WHERE position = 4")
    different = run("compare", file, *public)

    key = load_keys(None, keys / PUBLIC_KEY_FILE).public
    assert key is not None
    assert made[0] == 0 and fingerprint(key) in made[1]
    assert again[0] == 1 and "existe déjà" in again[1]
    assert shown[0] == 0 and opened(shown[1], key, "c").position == 4
    assert written == (0, "Point de contrôle écrit : entrée 4 de la chaîne\n")
    assert same[0] == 0 and "est la suite de ce point de contrôle : entrée 4" in same[1]
    assert "`permits fsck --checkpoint`" in same[1], "what comes before that entry is not read again"
    assert without[0] == 1 and "--public-key" in without[1]
    assert different[0] == 1
    assert "- l’entrée 4 de la chaîne n’est pas celle qui est connue\n" in different[1]
    assert "- le compteur EX de 2026 est à 1, il avait déjà donné 2\n" in different[1]


def test_a_checkpoint_is_dated(office: FakeOffice) -> None:
    assert datetime.now(UTC) - checkpoint_of(office.register.engine).at < timedelta(minutes=1)
