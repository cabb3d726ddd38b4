"""The certificates and the keys ever used here: each is one row and one entry of the chain, whoever starts."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.hashes import SHA256

from permits.register.floor import BookRolledBack, Floor
from permits.register.fsck import check
from permits.register.trusted import code_keys, remember_code_key, remember_seal, seals, withdraw_seal
from tests.acting import events, rows
from tests.document.conftest import town_seal
from tests.fakes import START, FakeOffice

PUBLIC = {"kty": "EC", "crv": "P-256", "x": "x", "y": "y"}


def test_services_that_start_together_and_again_record_a_key_once(office: FakeOffice) -> None:
    engine, seal = office.register.engine, town_seal(with_chain=True)

    def start(minutes: int) -> None:
        at, floor = START + timedelta(minutes=minutes), Floor("exemple")
        remember_seal(engine, floor, seal.certificate, seal.key.chain, at)
        remember_code_key(engine, floor, "kid", PUBLIC, at)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(start, range(8)))

    assert events(office) == ["key_recorded"] * 2
    assert len(seals(engine, "exemple")) == len(code_keys(engine, "exemple")) == 1
    assert check(engine, "exemple", START).findings == ()


def test_what_was_first_used_comes_first_and_keeps_its_day(office: FakeOffice) -> None:
    engine, floor, used = office.register.engine, office.register.floor, [town_seal() for _ in range(3)]
    for days, seal in enumerate([*used, used[0]]):
        remember_seal(engine, floor, seal.certificate, (), START + timedelta(days=days))
    found = seals(engine, "exemple")

    assert [each.first_used_at for each in found] == [START + timedelta(days=days) for days in range(3)]
    assert seals(engine, "ailleurs") == ()


def test_a_seal_is_withdrawn_once_and_told_with_its_instant(office: FakeOffice) -> None:
    engine, floor, seal = office.register.engine, office.register.floor, town_seal()
    stolen, sha256 = START + timedelta(days=1), seal.certificate.fingerprint(SHA256()).hex()
    with pytest.raises(ValueError, match="never sealed"):
        withdraw_seal(engine, floor, sha256, stolen, START + timedelta(days=2))
    remember_seal(engine, floor, seal.certificate, (), START)
    withdraw_seal(engine, floor, sha256, stolen, START + timedelta(days=2))
    with pytest.raises(ValueError, match="already"):
        withdraw_seal(engine, floor, sha256, START, START + timedelta(days=3))

    assert [each.revoked_at for each in seals(engine, "exemple")] == [stolen]
    assert events(office) == ["key_recorded", "key_withdrawn"]
    assert check(engine, "exemple", START + timedelta(days=3)).findings == ()


def test_a_book_that_went_back_records_nothing(office: FakeOffice) -> None:
    engine, floor = office.register.engine, Floor("exemple")
    floor.raise_to(5)
    with pytest.raises(BookRolledBack):
        remember_code_key(engine, floor, "kid", PUBLIC, START)

    assert rows(office, "SELECT 1 FROM code_key") == [] and events(office) == []
