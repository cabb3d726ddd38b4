import re
import stat
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from pydantic import SecretStr
from pyhanko.pdf_utils.reader import PdfFileReader

from permits.document.errors import SealError
from permits.document.sealing.demo import load_demo_seal, make_demo_seal
from permits.document.sealing.keys import expires_soon, out_of_validity
from permits.document.sealing.pades import certify
from permits.document.sealing.pkcs12 import Pkcs12Key
from permits.document.sealing.seal import Seal
from permits.document.verify import verify_seal
from permits.domain.permit import Permit
from tests.document.conftest import town_seal
from tests.document.issuing import Issuer
from tests.document.pages import blank_page


def test_another_program_finds_the_whole_document_signed(sealed_file: Path, program: Callable[[str], str]) -> None:
    output = subprocess.run([program("pdfsig"), str(sealed_file)], capture_output=True, text=True).stdout
    assert "Signature is Valid." in output
    assert "Total document signed" in output
    assert "ETSI.CAdES.detached" in output
    assert "SHA-256" in output
    assert "Signature #2" not in output


def test_another_program_finds_the_file_well_formed(sealed_file: Path, program: Callable[[str], str]) -> None:
    checked = subprocess.run([program("qpdf"), "--check", str(sealed_file)], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_seal_is_one_revision_after_the_linted_bytes(pdf: bytes, sealed: bytes) -> None:
    assert sealed.startswith(pdf)
    assert sealed.count(b"%%EOF") == pdf.count(b"%%EOF") + 1


def test_the_seal_is_an_invisible_field_that_forbids_changes(sealed: bytes) -> None:
    with pikepdf.open(BytesIO(sealed)) as document:
        (field,) = document.Root.AcroForm.Fields
        assert (field.T, list(field.Rect)) == ("Cachet", [0, 0, 0, 0])
        assert field.V.Reference[0].TransformParams.P == 1
        assert document.Root.Perms.DocMDP.objgen == field.V.objgen
        assert "/Reason" not in field.V and "/Location" not in field.V


def test_it_stays_a_pdf_a_3_with_its_payload(sealed: bytes) -> None:
    with pikepdf.open(BytesIO(sealed)) as document:
        xmp = document.open_metadata()
        assert (xmp["pdfaid:part"], xmp["pdfaid:conformance"]) == ("3", "A")
        assert list(document.attachments) == ["permis.json"]


def test_the_demonstration_seal_says_that_it_proves_nothing(seal: Seal) -> None:
    assert seal.is_demo
    assert "SPÉCIMEN" in seal.certificate.subject.rfc4514_string()
    assert isinstance(seal.certificate.public_key(), rsa.RSAPublicKey)
    assert seal.certificate.public_key().key_size == 3072
    assert seal.expires_at > datetime.now(UTC) + timedelta(days=365)


def test_a_towns_seal_is_not_a_demonstration_and_may_use_an_elliptic_curve(
    pdf: bytes, tmp_path: Path, program: Callable[[str], str]
) -> None:
    seal = town_seal()
    assert not seal.is_demo
    sealed = seal.seal(pdf).content
    verify_seal(sealed, seal.certificate)
    path = tmp_path / "sealed.pdf"
    path.write_bytes(sealed)
    output = subprocess.run([program("pdfsig"), str(path)], capture_output=True, text=True).stdout
    assert "Signature is Valid." in output and "Total document signed" in output


def test_a_seal_issued_by_an_authority_carries_its_chain(pdf: bytes) -> None:
    seal = town_seal(with_chain=True)
    sealed = seal.seal(pdf).content
    verify_seal(sealed, seal.certificate)
    (signature,) = PdfFileReader(BytesIO(sealed)).embedded_signatures
    assert [each.subject.native["common_name"] for each in signature.other_embedded_certs] == ["Autorité d’essai"]


def test_making_the_demonstration_seal_again_keeps_it(tmp_path: Path) -> None:
    make_demo_seal(tmp_path / "seal")
    first = load_demo_seal(tmp_path / "seal").certificate
    make_demo_seal(tmp_path / "seal")
    assert load_demo_seal(tmp_path / "seal").certificate == first


def test_nobody_else_can_read_the_key_or_its_passphrase(tmp_path: Path) -> None:
    make_demo_seal(tmp_path / "seal")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "seal").iterdir()}
    assert modes == {"seal.p12": 0o600, "passphrase": 0o600}


def test_a_wrong_passphrase_is_told_without_repeating_it(tmp_path: Path) -> None:
    make_demo_seal(tmp_path)
    with pytest.raises(SealError) as caught:
        Pkcs12Key.load(tmp_path / "seal.p12", SecretStr("guess-me"))
    assert "guess-me" not in str(caught.value)


@pytest.mark.parametrize("content", [None, b"", b"not a PKCS#12"], ids=["missing", "empty", "garbage"])
def test_what_is_no_seal_is_refused(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "seal.p12"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SealError, match=r"seal\.p12"):
        Pkcs12Key.load(path, SecretStr("x"))


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    path = tmp_path / "seal.p12"
    path.write_bytes(pkcs12.serialize_key_and_certificates(b"x", key, None, None, BestAvailableEncryption(b"x")))
    with pytest.raises(SealError, match="needs a certificate"):
        Pkcs12Key.load(path, SecretStr("x"))


def test_a_key_that_is_not_the_certificates_is_refused() -> None:
    with pytest.raises(SealError, match="not that of the certificate"):
        Pkcs12Key(ec.generate_private_key(ec.SECP256R1()), town_seal().certificate)


@pytest.mark.parametrize("since", [timedelta(days=3), timedelta(days=-1)], ids=["expired", "not yet valid"])
def test_nothing_is_sealed_outside_the_certificates_validity(since: timedelta, pdf: bytes) -> None:
    with pytest.raises(SealError, match=r"a expiré le|ne vaut qu’à partir du"):
        town_seal(since=since).seal(pdf)


@pytest.mark.parametrize(("seconds", "soon"), [(1, False), (0, True), (-1, True)])
def test_sixty_days_ahead_to_the_second_it_is_to_be_renewed(seconds: int, soon: bool) -> None:
    seal = town_seal(valid_for=timedelta(days=365))
    at = seal.expires_at - timedelta(days=60, seconds=seconds)
    assert expires_soon(seal.certificate, at) is soon


@pytest.mark.parametrize(("seconds", "stops"), [(-1, False), (0, False), (1, True)])
def test_it_seals_to_its_last_second_and_no_longer(seconds: int, stops: bool) -> None:
    seal = town_seal()
    assert (out_of_validity(seal.certificate, seal.expires_at + timedelta(seconds=seconds)) is not None) is stops


@pytest.mark.parametrize("name", ["A", "Œ" * 32], ids=["short", "long"])
@pytest.mark.parametrize("curve", [None, ec.SECP256R1(), ec.SECP521R1()], ids=["RSA", "P-256", "P-521"])
def test_the_room_left_for_a_signature_is_enough_and_half_a_kilobyte_more(
    curve: ec.EllipticCurve | None, name: str
) -> None:
    key = ec.generate_private_key(curve) if curve else rsa.generate_private_key(65537, 2048)
    issuer = Issuer(name)
    certificate = issuer.certify(key.public_key(), name)
    sealed = certify(blank_page(), Pkcs12Key(key, certificate, (issuer.certificate,)).signer)
    verify_seal(sealed, certificate)
    (written,) = re.findall(rb"/Contents <([0-9A-F]+)>", sealed)
    assert 400 < (len(written) - len(written.rstrip(b"0"))) // 2 < 500


def test_what_is_no_pdf_is_not_sealed(seal: Seal) -> None:
    with pytest.raises(SealError, match="could not be sealed"):
        seal.seal(b"not a PDF")


def test_a_sealed_file_is_not_sealed_twice(sealed: bytes, seal: Seal, permit: Permit) -> None:
    with pytest.raises(SealError, match="could not be sealed"):
        seal.seal(sealed)
