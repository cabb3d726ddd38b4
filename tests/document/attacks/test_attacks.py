"""Every way known to us to change a sealed permit is refused twice: by its seal, and by its hash."""

from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from permits.document.offline import Proof
from permits.document.verify import verify_seal
from permits.domain.sealing import SealLevel
from tests.document.attacks import beside, forgery, hole, joined, shadow, signatures, structure, updates
from tests.document.attacks.conftest import SEALS
from tests.document.attacks.readers import cryptography_holds, pdfsig_finds_valid, pyhanko_finds_sound
from tests.document.attacks.recorded import known_among, record
from tests.document.attacks.target import Attack, Target
from tests.fakes import FakeOffice

FAMILIES = (updates, shadow, forgery, hole, beside, signatures, joined, structure)
ATTACKS = [attack for family in FAMILIES for attack in family.ATTACKS]
# What lies in the gap differs with the key; all attacks meet every kind of seal in the proof.
CASES = [
    *(("RSA-3072", attack) for attack in ATTACKS),
    *(("P-256", attack) for attack in hole.ATTACKS),
    *(("deferred", attack) for attack in beside.ATTACKS + beside.ON_A_CHAIN),
    *((kind, each) for kind in ("B-T", "B-LT") for each in beside.ATTACKS + beside.ON_A_STAMP + beside.ON_A_CHAIN),
]
# Which level an act was delivered at is in the register alone.
OFFLINE_UNTOLD = {("RSA-3072", beside.stamped_now_by_a_stranger), ("B-T", beside.stamp_taken_away)}


@cache
def attacked(target: Target, attack: Attack) -> bytes:
    return attack(target)


@pytest.mark.parametrize("kind", SEALS)
def test_the_permit_that_nobody_touched_passes(kind: str, target_of: Callable[[str], Target]) -> None:
    target = target_of(kind)
    assert not target.refuses(target.sealed)
    assert (target.examined(target.sealed).proof, target.examined(target.sealed).level) == (Proof.HOLDS, target.level)
    assert target.with_signature(target.signature.dump()) == target.sealed


@pytest.mark.parametrize(("kind", "attack"), CASES, ids=lambda each: getattr(each, "__name__", each))
def test_its_seal_refuses(kind: str, attack: Attack, target_of: Callable[[str], Target]) -> None:
    target = target_of(kind)
    content = attacked(target, attack)
    assert content != target.sealed
    assert target.refuses(content)


@pytest.mark.parametrize(("kind", "attack"), CASES, ids=lambda each: getattr(each, "__name__", each))
def test_offline_it_never_holds_or_proves_nothing_of_its_time(
    kind: str, attack: Attack, target_of: Callable[[str], Target]
) -> None:
    target = target_of(kind)
    told = target.examined(attacked(target, attack))
    if told.proof is Proof.HOLDS:
        assert (kind, attack) in OFFLINE_UNTOLD
        by_the_machine = verify_seal(target.sealed, target.seal.certificate).at
        assert (told.level, told.at, told.time_is_proven) == (SealLevel.B_B, by_the_machine, False)


def test_the_register_knows_none_by_its_hash(office: FakeOffice, target_of: Callable[[str], Target]) -> None:
    target = target_of("RSA-3072")
    record(office, target.sealed)
    assert known_among(office, [attacked(target, attack) for attack in ATTACKS]) == 0
    assert known_among(office, [target.sealed]) == 1


@pytest.mark.proof
@pytest.mark.parametrize("kind", SEALS)
def test_each_weaker_policy_lets_some_pass(
    kind: str, target_of: Callable[[str], Target], program: Callable[[str], str], tmp_path: Path
) -> None:
    """The control: without attacks that pass elsewhere, refusing them all would show nothing."""
    target, pdfsig = target_of(kind), program("pdfsig")
    trusted = target.roots or (target.seal.certificate,)
    assert pdfsig_finds_valid(pdfsig, target.sealed, tmp_path)
    assert pyhanko_finds_sound(target.sealed, trusted)
    accepted: Counter[str] = Counter()
    for family in FAMILIES:
        for attack in family.ATTACKS:
            content = attacked(target, attack)
            said = {
                "pdfsig": pdfsig_finds_valid(pdfsig, content, tmp_path),
                "pyHanko": pyhanko_finds_sound(content, trusted),
                "cryptography": cryptography_holds(content, trusted),
                "seal": not target.refuses(content),
            }
            accepted.update(policy for policy, good in said.items() if good)
            named = f"{family.__name__.rpartition('.')[2]:12}{attack.__name__:42}"
            print(named, *(policy for policy, good in said.items() if good))
    print(f"{kind}: accepted of {len(ATTACKS)}: pdfsig {accepted['pdfsig']}, pyHanko {accepted['pyHanko']}, ", end="")
    print(f"digest and signature alone {accepted['cryptography']}, our seal {accepted['seal']}")
    assert accepted["seal"] == 0
    assert all(accepted[policy] > 10 for policy in ("pdfsig", "pyHanko", "cryptography"))
