"""The signed QR code: what it says is the permit, and no other key can say it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from stat import S_IMODE

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt import get_unverified_header
from jwt.api_jws import PyJWS
from sqlalchemy import Engine
from typer.testing import CliRunner

from permits import cli
from permits.document.codes import CodeKey, code_defects, make_code_key, thumbprint, verify_code
from permits.document.errors import CodeError, LintError
from permits.document.lint import lint
from permits.document.payload import payload_bytes, qr_content, read_payload
from permits.document.print import print_act
from permits.domain.permit import Permit
from permits.domain.signed_code import MAX_CHARACTERS, claims_of
from permits.register.floor import Floor
from permits.register.trusted import code_keys, remember_code_key
from tests.document.pages import codes_on
from tests.document.sample import BENEFICIARY, occupancy, sample_permit

NOW = datetime(2027, 2, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def key() -> CodeKey:
    return CodeKey(ec.generate_private_key(ec.SECP256R1()))


def length(key: CodeKey, permit: Permit) -> int:
    """Return how many characters the QR code of a permit holds."""
    return len(qr_content(permit, key.sign(permit)))


def test_a_code_says_who_what_where_and_when(key: CodeKey) -> None:
    said = verify_code(key.sign(sample_permit()), [key.public])
    assert said == {
        "n": "EX-2027-000001",
        "k": "échafaudage",
        "s": "73282932000074",
        "c": "ÉCHAFAUDAGES D…",
        "p": "14 rue du Four,…",
        "f": "2027-03-01",
        "l": "2027-03-12",
        "h": "07:30-19:00",
        "x": 1,
    }


def test_hours_and_specimen_are_said_only_where_they_are(key: CodeKey) -> None:
    said = verify_code(key.sign(sample_permit(daily_hours=None, specimen=False)), [key.public])
    assert said.keys() == set("nkscpfl")


def test_several_places_and_kinds_are_counted_and_named(key: CodeKey) -> None:
    places = ("1 rue A", "2 rue A", "1 rue A", "3 rue A")
    many = tuple(occupancy(address=place, label="benne") for place in places)
    said = verify_code(key.sign(sample_permit(occupancies=many, daily_hours=None)), [key.public])
    assert (said["k"], said["p"]) == ("benne", "1 rue A + 2 autres")


def test_a_protected_name_is_not_told_to_the_street(key: CodeKey) -> None:
    hidden = sample_permit(beneficiary=BENEFICIARY.model_copy(update={"protected": True}))
    assert verify_code(key.sign(hidden), [key.public])["c"] == ""


@pytest.mark.parametrize("name", ["A", "É" * 500, "Kêr-Ñevez « l’Aoter » " * 30, '"\\' * 200, "🚧" * 200])
def test_the_whole_stays_short_whatever_the_names(name: str, key: CodeKey) -> None:
    where = tuple(occupancy(address=f"{n} {name}") for n in range(10))
    permit = sample_permit(beneficiary=BENEFICIARY.model_copy(update={"name": name}), occupancies=where)
    assert length(key, permit) <= MAX_CHARACTERS
    said = verify_code(key.sign(permit), [key.public])
    assert said == claims_of(permit)
    assert str(said["p"]).endswith(" + 9 autres")


def test_a_short_name_is_whole_and_a_long_one_uses_the_room_there_is(key: CodeKey) -> None:
    short = sample_permit(verification_url="https://p.fr/v/9tB4kQ2mXz7LrN5sYw1cHg", daily_hours=None)
    assert claims_of(short)["p"] == "14 rue du Four, 29999 Exemple-Ville"
    assert length(key, sample_permit()) > MAX_CHARACTERS - 8


def test_the_header_names_the_key_and_nothing_else(key: CodeKey) -> None:
    assert get_unverified_header(key.sign(sample_permit())) == {"alg": "ES256", "kid": key.kid}
    assert key.kid == thumbprint(key.public)[:8]


def test_the_thumbprint_is_that_of_rfc_7638() -> None:
    """Of the public key of RFC 9449, whose thumbprint that text gives."""
    public = {
        "kty": "EC",
        "crv": "P-256",
        "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
        "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
    }
    assert thumbprint(public) == "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"


def test_another_key_or_another_word_is_refused(key: CodeKey) -> None:
    other, token = CodeKey(ec.generate_private_key(ec.SECP256R1())), key.sign(sample_permit())
    header, content, signature = token.split(".")
    changed = "B" if content[30] != "B" else "C"
    with pytest.raises(CodeError, match="not known"):
        verify_code(token, [other.public])
    with pytest.raises(CodeError, match="not a code of ours"):
        verify_code(f"{header}.{content[:30]}{changed}{content[31:]}.{signature}", [key.public])
    with pytest.raises(CodeError, match="not a code of ours"):
        verify_code("x", [key.public])
    assert verify_code(token, [other.public, key.public])["n"] == "EX-2027-000001"


def test_an_unsigned_code_is_refused(key: CodeKey) -> None:
    bare = PyJWS().encode(b"{}", None, "none", {"kid": key.kid})  # type: ignore[arg-type, unused-ignore]
    with pytest.raises(CodeError):
        verify_code(bare, [key.public])


def test_the_code_of_another_permit_is_a_defect(key: CodeKey) -> None:
    permit = sample_permit()
    assert code_defects(permit, key.sign(permit)) == []
    for wrong in (key.sign(sample_permit(number="EX-2027-000002")), "x", "a.b.c", "a.bm9u.c"):
        assert code_defects(permit, wrong) == ["le code signé n’est pas celui de cet acte"]


def test_the_printed_code_is_read_and_verified(key: CodeKey, program: Callable[[str], str]) -> None:
    permit = sample_permit()
    signed = key.sign(permit)
    pdf = print_act(permit, signed_code=signed)
    lint(pdf, permit, signed)
    (code,) = codes_on(pdf, 150, program)
    address, token = code.text.split("#")
    assert address == permit.verification_url
    assert verify_code(token, [key.public]) == claims_of(permit)
    assert token == signed
    assert print_act(read_payload(payload_bytes(permit)), signed_code=signed) == pdf


def test_the_lint_refuses_the_code_of_another_permit(key: CodeKey) -> None:
    other = key.sign(sample_permit(number="EX-2027-000002"))
    pdf = print_act(sample_permit(), signed_code=other)
    with pytest.raises(LintError, match="le code signé n’est pas celui de cet acte"):
        lint(pdf, sample_permit(), other)


def test_the_command_makes_a_key_that_signs(tmp_path: Path) -> None:
    made = CliRunner().invoke(cli.app, ["codes", "make-key", str(tmp_path)])
    assert made.exit_code == 0
    assert f"(kid) : {CodeKey.load(tmp_path / 'code-key.pem').kid}" in made.stdout
    again = CliRunner().invoke(cli.app, ["codes", "make-key", str(tmp_path)])
    assert again.exit_code == 1 and "existe déjà" in again.output


def test_a_key_is_made_once_and_read_by_its_owner_only(tmp_path: Path) -> None:
    path = make_code_key(tmp_path / "codes")
    assert S_IMODE(path.stat().st_mode) == 0o600
    assert CodeKey.load(path).kid == CodeKey.load(path).kid
    with pytest.raises(CodeError, match="existe déjà"):
        make_code_key(tmp_path / "codes")


@pytest.mark.parametrize("curve", [None, ec.SECP384R1()], ids=["no key", "another curve"])
def test_a_key_that_can_not_sign_codes_is_told(curve: ec.EllipticCurve | None, tmp_path: Path) -> None:
    path, content = tmp_path / "key.pem", BytesIO()
    if curve is not None:
        made = ec.generate_private_key(curve)
        content.write(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.write_bytes(content.getvalue())
    with pytest.raises(CodeError, match="P-256" if curve else "ne peut pas être lue"):
        CodeKey.load(path)


def test_a_change_of_key_forgets_no_permit(engine: Engine) -> None:
    keys = [CodeKey(ec.generate_private_key(ec.SECP256R1())) for _ in range(2)]
    tokens = [each.sign(sample_permit()) for each in keys]
    for days, each in enumerate([*keys, keys[0]]):
        remember_code_key(engine, Floor("exemple"), each.kid, each.public, NOW + timedelta(days=days))
    remember_code_key(engine, Floor("ailleurs"), "other", {"kid": "other"}, NOW)
    known = [each.model_dump() for each in code_keys(engine, "exemple")]
    assert [each["kid"] for each in known] == [each.kid for each in keys]
    assert [verify_code(token, known)["n"] for token in tokens] == ["EX-2027-000001"] * 2
    with pytest.raises(CodeError):
        verify_code(tokens[1], known[:1])
