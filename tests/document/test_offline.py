"""`permits verify`: what a sealed file proves far from the service, with a trust bundle or without one."""

import hashlib
import io
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pikepdf
import pytest
from typer.testing import CliRunner

from permits import cli
from permits.document.offline import Proof, examine
from permits.document.sealing.archive import continued
from permits.document.sealing.seal import Seal
from permits.domain.trust import TrustBundle
from tests.document.attacks.updates import one_more_revision
from tests.document.bundles import bundle_of
from tests.document.conftest import town_seal
from tests.document.sample import VERIFICATION_URL
from tests.document.test_stamps import seal_of, stamping_of
from tests.fakes import ROOT
from tests.pki import Pki


def run(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(cli.app, ["verify", *map(str, words)])
    return done.exit_code, done.output


def written(path: Path, bundle: TrustBundle) -> Path:
    path.write_text(bundle.model_dump_json())
    return path


def test_a_file_sealed_by_a_seal_of_the_bundle_holds(sealed: bytes, seal: Seal) -> None:
    examined = examine(sealed, bundle_of(town_seal(), seal))

    assert examined.proof is Proof.HOLDS
    assert (examined.number, examined.verification_url) == ("EX-2027-000001", VERIFICATION_URL)
    assert (examined.level, examined.time_is_proven) == ("B-B", False)
    assert examined.demonstration and examined.specimen


def test_a_file_sealed_by_somebody_else_is_foreign(sealed: bytes) -> None:
    assert examine(sealed, bundle_of(town_seal())).proof is Proof.FOREIGN


def test_without_a_bundle_nothing_is_proven_of_who_sealed(sealed: bytes) -> None:
    assert examine(sealed, None).proof is Proof.UNPROVEN


@pytest.mark.parametrize("place", [100, 20_000, -300])
def test_a_changed_file_is_broken_whatever_the_bundle(sealed: bytes, seal: Seal, place: int) -> None:
    changed = bytearray(sealed)
    changed[place] ^= 1
    examined = examine(bytes(changed), bundle_of(seal))

    assert examined.proof is Proof.BROKEN and examined.why and examined.number is None


def test_a_sealed_file_that_is_no_act_of_ours_has_no_number(seal: Seal) -> None:
    page = io.BytesIO()
    document = pikepdf.new()
    document.add_blank_page()
    document.save(page)
    examined = examine(seal.seal(page.getvalue()).content, bundle_of(seal))

    assert examined.proof is Proof.HOLDS and examined.number is None


def test_a_stamped_seal_proves_its_time_where_the_bundle_has_its_root(pki: Pki, pdf: bytes) -> None:
    seal = seal_of(pki)
    sealed = seal.seal(pdf).content
    proven, told = examine(sealed, bundle_of(seal, roots=(pki.root,))), examine(sealed, bundle_of(seal))

    assert (proven.proof, proven.level, proven.time_is_proven) == (Proof.HOLDS, "B-LT", True)
    # Negative control: without the root nobody vouches for the stamp.
    assert (told.proof, told.level, told.time_is_proven) == (Proof.HOLDS, "B-B", False)
    assert told.has_unproven_stamp and not proven.has_unproven_stamp


def test_the_command_says_that_a_stamp_is_not_verified(pki: Pki, pdf: bytes, tmp_path: Path) -> None:
    seal, file = seal_of(pki), tmp_path / "act.pdf"
    file.write_bytes(seal.seal(pdf).content)
    _, said = run(file, "--trust", written(tmp_path / "trust.json", bundle_of(seal)))

    assert "par la seule horloge de qui a scellé" in said
    assert "PAdES B-B ; horodatage non vérifié" in said


def test_of_a_seal_that_was_withdrawn_holds_only_what_a_stamp_proves_to_be_from_before(
    pki: Pki, pdf: bytes, tmp_path: Path
) -> None:
    stamped, bare = (each.seal(pdf).content for each in (seal_of(pki), Seal(pki.key())))
    now = datetime.now(UTC)

    def told(content: bytes, revoked_at: datetime) -> Proof:
        return examine(content, bundle_of(Seal(pki.key()), roots=(pki.root,), revoked_at=revoked_at)).proof

    assert told(stamped, now + timedelta(minutes=1)) is Proof.HOLDS
    assert told(stamped, now - timedelta(minutes=1)) is Proof.WITHDRAWN
    # Whoever holds the key writes any date.
    assert told(bare, now + timedelta(minutes=1)) is Proof.WITHDRAWN
    assert told(one_more_revision(bare), now + timedelta(minutes=1)) is Proof.WITHDRAWN
    file, bundle = tmp_path / "act.pdf", bundle_of(Seal(pki.key()), revoked_at=now)
    file.write_bytes(bare)
    code, said = run(file, "--trust", written(tmp_path / "trust.json", bundle))
    assert code == 2 and "CACHET RETIRÉ" in said and "VALABLE" not in said


def test_a_seal_of_before_there_were_roots_still_holds(sealed: bytes, seal: Seal, pki: Pki) -> None:
    bundle = bundle_of(seal, roots=(pki.root,))

    assert (examine(sealed, bundle).proof, examine(sealed, bundle).time_is_proven) == (Proof.HOLDS, False)


def test_what_follows_a_sealed_act_is_not_said_to_hold(sealed: bytes, seal: Seal, tmp_path: Path) -> None:
    longer = tmp_path / "longer.pdf"
    longer.write_bytes(one_more_revision(sealed))
    examined = examine(longer.read_bytes(), bundle_of(seal))
    code, said = run(longer, "--trust", written(tmp_path / "trust.json", bundle_of(seal)))

    assert examined.proof is Proof.CONTINUED
    assert examined.begins_with == hashlib.sha256(sealed).hexdigest()
    assert code == 2 and "FICHIER CONTINUÉ" in said and "VALABLE" not in said
    assert examine(longer.read_bytes(), bundle_of(town_seal())).proof is Proof.BROKEN


def test_an_archive_copy_begins_with_the_delivered_file(pki: Pki, pdf: bytes) -> None:
    seal = seal_of(pki)
    delivered = seal.seal(pdf).content
    copy = continued(delivered, stamping_of(pki), datetime.now(UTC), waits_for_evidence=True)
    bundle = bundle_of(seal, roots=(pki.root,))
    examined = examine(copy.content, bundle)

    assert (examined.proof, examined.number) == (Proof.CONTINUED, "EX-2027-000001")
    assert examined.begins_with == hashlib.sha256(delivered).hexdigest()


def test_the_command_says_who_sealed_when_and_what_it_cannot_know(
    sealed_file: Path, seal: Seal, tmp_path: Path
) -> None:
    code, said = run(sealed_file, "--trust", written(tmp_path / "trust.json", bundle_of(seal)))

    assert code == 0
    assert "CACHET VALABLE : scellé par Commune d’Exemple-Ville, pas un octet n’a changé depuis." in said
    assert "SPÉCIMEN" in said and "EX-2027-000001" in said and "PAdES B-B" in said
    assert "par la seule horloge de qui a scellé" in said
    assert f"ne se sait pas hors ligne : {VERIFICATION_URL}" in said


def test_the_command_ends_with_1_for_what_does_not_hold_and_2_for_what_it_cannot_say(
    sealed: bytes, sealed_file: Path, seal: Seal, tmp_path: Path
) -> None:
    trust = written(tmp_path / "trust.json", bundle_of(seal))
    other = written(tmp_path / "other.json", bundle_of(town_seal()))
    changed = tmp_path / "changed.pdf"
    changed.write_bytes(sealed[:20_000] + bytes([sealed[20_000] ^ 1]) + sealed[20_001:])

    assert run(changed, "--trust", trust)[0] == 1
    code, said = run(sealed_file, "--trust", other)
    assert code == 1 and "CACHET ÉTRANGER" in said and "VALABLE" not in said
    code, said = run(sealed_file)
    assert code == 2 and "ORIGINE NON PROUVÉE" in said and "VALABLE" not in said
    code, said = run(sealed_file, "--trust", sealed_file)
    assert code == 2 and "permits-trust/1" in said


def test_the_command_needs_neither_settings_nor_database(sealed_file: Path, seal: Seal, tmp_path: Path) -> None:
    trust = written(tmp_path / "trust.json", bundle_of(seal))
    done = subprocess.run(
        [sys.executable, "-m", "permits", "verify", str(sealed_file), "--trust", str(trust)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PERMITS_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("CACHET VALABLE")
