"""Time stamps and revocation evidence in the seal itself, from a real infrastructure on the loopback."""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from asn1crypto import cms  # type: ignore[import-untyped]
from cryptography import x509
from pydantic import SecretStr
from pyhanko.pdf_utils.reader import PdfFileReader

from permits.document.errors import SealError
from permits.document.sealing import revocation
from permits.document.sealing.pades import certify
from permits.document.sealing.seal import Seal, SealedPdf
from permits.document.sealing.stamping import Stamping, chain_of
from permits.document.sealing.tsa import REST_S, NewStampCertificate, TimeStampAuthority
from permits.document.verify import verify_seal
from permits.domain.sealing import SealLevel
from tests.document.attacks.target import flipped
from tests.document.attacks.updates import one_more_revision
from tests.document.conftest import town_seal
from tests.document.pages import blank_page
from tests.document.readers import openssl_accepts, pdfsig_accepts, pyhanko_accepts, three_readers_accept
from tests.pki import Fault, Pki

B_B, B_T, B_LT = SealLevel.B_B, SealLevel.B_T, SealLevel.B_LT
CONTENTS = b"/Contents <"


class Ticking:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def stamping_of(pki: Pki, *, with_roots: bool = True, **settings: object) -> Stamping:
    roots = [pki.root] if with_roots else []
    authority = TimeStampAuthority(pki.tsa_url, roots=roots, **settings)  # type: ignore[arg-type]
    return Stamping(authority, roots)


def seal_of(pki: Pki, **settings: object) -> Seal:
    """Return a seal at the highest level that the settings allow."""
    return Seal(pki.key(), stamping_of(pki, **settings))  # type: ignore[arg-type]


@pytest.fixture
def seals(pki: Pki) -> dict[SealLevel, Seal]:
    return {B_B: Seal(pki.key()), B_T: seal_of(pki, with_roots=False), B_LT: seal_of(pki)}


@pytest.mark.parametrize("level", [B_B, B_T, B_LT])
def test_three_readers_accept_a_seal_of_each_level(
    level: SealLevel, seals: dict[SealLevel, Seal], pki: Pki, pdf: bytes
) -> None:
    sealed = seals[level].seal(pdf)

    assert (sealed.level, sealed.stamp_deferred) == (level, False)
    assert sealed.content.startswith(pdf)
    assert verify_seal(sealed.content, pki.certificate("signer"), [pki.root]).level is level
    three_readers_accept(sealed.content, [pki.root])


@pytest.mark.parametrize("accepts", [pyhanko_accepts, openssl_accepts])
def test_a_reader_refuses_another_root(
    accepts: Callable[[bytes, list[x509.Certificate]], None], pki: Pki, pdf: bytes
) -> None:
    with pytest.raises(AssertionError):
        accepts(seal_of(pki).seal(pdf).content, [town_seal().certificate])


def test_each_reader_refuses_a_changed_page_or_bytes_after_the_seal(pki: Pki, pdf: bytes) -> None:
    sealed = seal_of(pki).seal(pdf).content
    for spoilt in (flipped(sealed, 1000, 1), one_more_revision(sealed)):
        with pytest.raises(AssertionError):
            pyhanko_accepts(spoilt, [pki.root])
        with pytest.raises(AssertionError):
            pdfsig_accepts(spoilt)
        with pytest.raises(AssertionError):
            openssl_accepts(spoilt, [pki.root])


def test_it_is_stamped_by_the_authority_and_not_by_the_machine(pki: Pki, pdf: bytes) -> None:
    before = datetime.now(UTC)
    sealed = seal_of(pki).seal(pdf).content

    at = verify_seal(sealed, pki.certificate("signer"), [pki.root]).at
    assert before - timedelta(seconds=1) <= at <= datetime.now(UTC)


def test_an_authority_whose_clock_is_a_little_late_is_good_enough(pki: Pki, pdf: bytes) -> None:
    pki.stamps_are_late_by = timedelta(seconds=30)
    sealed = seal_of(pki).seal(pdf)
    proven = verify_seal(sealed.content, pki.certificate("signer"), [pki.root])

    assert (sealed.level, proven.level) == (B_LT, B_LT)
    assert proven.at < datetime.now(UTC) - timedelta(seconds=29), "what shows that nothing was revoked is younger"


def test_an_authority_whose_clock_is_wrong_is_not_believed(pki: Pki, pdf: bytes) -> None:
    pki.stamps_are_late_by = timedelta(minutes=6)

    assert seal_of(pki).seal(pdf).level is B_B


def test_revocation_is_asked_once_for_many_seals(pki: Pki, pdf: bytes) -> None:
    seal = seal_of(pki)
    levels = [seal.seal(pdf).level for _ in range(3)]

    assert levels == [B_LT] * 3
    assert pki.asked["ocsp"] == 1
    assert pki.asked["tsa"] == 1 + len(levels), "one more to know the authority"


@pytest.mark.parametrize("fault", ["down", "hang", "garbage", "refuse"])
def test_without_its_stamp_an_act_is_sealed_and_says_so(fault: Fault, pki: Pki, pdf: bytes) -> None:
    pki.faults["tsa"] = fault
    seal, begun = seal_of(pki, time_limit=0.2), time.monotonic()
    sealed = [seal.seal(pdf) for _ in range(3)]

    assert [(each.level, each.stamp_deferred) for each in sealed] == [(B_B, True)] * 3
    assert time.monotonic() - begun < 5
    assert pki.asked["tsa"] == 1, "then it is left to rest"
    three_readers_accept(sealed[0].content, [pki.root])


def test_the_authority_is_asked_again_after_its_rest(pki: Pki, pdf: bytes) -> None:
    clock = Ticking()
    seal = seal_of(pki, clock=clock)
    pki.faults["tsa"] = "down"
    assert seal.seal(pdf).level is B_B
    pki.resume()
    clock.now = REST_S - 1
    assert seal.seal(pdf).level is B_B
    clock.now = REST_S
    assert seal.seal(pdf).level is B_LT


def test_a_stamp_of_an_authority_that_is_not_trusted_is_not_taken(pki: Pki, pdf: bytes) -> None:
    stranger = TimeStampAuthority(pki.tsa_url, roots=[town_seal().certificate])

    assert Seal(pki.key(), Stamping(stranger)).seal(pdf).level is B_B


def test_what_the_authority_asks_for_is_sent_and_never_shown(pki: Pki, pdf: bytes) -> None:
    seal = seal_of(pki, authorization=SecretStr("Bearer sesame"))
    assert seal.seal(pdf).level is B_LT
    assert pki.authorizations == {"Bearer sesame"}
    assert "sesame" not in repr(vars(seal.stamping.authority)) if seal.stamping else False


@pytest.mark.parametrize("silent", [("ocsp", "crls")])
def test_when_nobody_tells_of_revocation_it_is_stamped_without(silent: tuple[str, ...], pki: Pki, pdf: bytes) -> None:
    pki.faults.update(dict.fromkeys(silent, "down"))
    sealed = seal_of(pki).seal(pdf)

    assert (sealed.level, sealed.stamp_deferred) == (B_T, False)


def test_nothing_is_sealed_with_a_revoked_certificate(pki: Pki, pdf: bytes) -> None:
    pki.issue(revoked=["signer"])
    seal = seal_of(pki)
    assert seal.why_not(datetime.now(UTC)) is None, "nobody has asked yet"
    for _ in range(2):
        with pytest.raises(SealError, match="révoqué"):
            seal.seal(pdf)
    assert seal.why_not(datetime.now(UTC)) == "Le certificat du cachet est révoqué."


def test_a_revoked_authority_does_not_stamp(pki: Pki, pdf: bytes) -> None:
    pki.issue(revoked=["stamps"])
    sealed = seal_of(pki).seal(pdf)

    assert (sealed.level, sealed.stamp_deferred) == (B_B, True)


def test_an_authority_that_changes_its_certificate_is_followed(pki: Pki, pdf: bytes) -> None:
    seal = seal_of(pki)
    assert seal.seal(pdf).level is B_LT
    pki.issue(until={"stamps": datetime(2039, 1, 1, tzinfo=UTC)})
    sealed = seal.seal(pdf)

    assert sealed.level is B_LT
    assert verify_seal(sealed.content, pki.certificate("signer"), [pki.root]).level is B_LT


def test_a_revoked_certificate_of_the_authority_is_forgotten_once_it_uses_another(
    pki: Pki, pdf: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocation, "FRESH_FOR", timedelta(0))
    seal = seal_of(pki)
    assert seal.seal(pdf).level is B_LT
    pki.issue(revoked=["stamps"], stamped_by="renewed")
    sealed = seal.seal(pdf)

    assert (sealed.level, sealed.stamp_deferred) == (B_LT, False)


def test_an_expired_certificate_of_the_authority_is_forgotten(pki: Pki) -> None:
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3)
    pki.issue(until={"stamps": end})
    stamping = stamping_of(pki)
    assert stamping.authority.known().chain[0].not_valid_after == end
    time.sleep(max(0.0, (end - datetime.now(UTC)).total_seconds()) + 0.1)
    pki.issue(stamped_by="renewed")
    pki.asked.clear()

    assert stamping.authority.known().chain[0].not_valid_after > end
    assert pki.asked["tsa"] == 1
    assert stamping.ready(())[1] is not None, "and nobody asks about the expired one"


def test_an_authority_that_begins_to_send_its_chain_is_followed(pki: Pki, pdf: bytes) -> None:
    seal = seal_of(pki)
    before = seal.seal(pdf)
    pki.issue(stamps_send=["root"])
    sealed = seal.seal(pdf)

    assert (before.level, sealed.level, sealed.stamp_deferred) == (B_LT, B_LT, False)
    assert seal.stamping is not None and len(seal.stamping.authority.known().chain) == 2


def test_a_stamp_is_held_to_what_its_own_file_was_made_ready_for(pki: Pki) -> None:
    """While one file is sealed, another may learn what is new of the authority."""
    seal, stamping = seal_of(pki), stamping_of(pki)
    stamps, evidence = stamping.ready([chain_of(seal.key.signer)])
    pki.issue(stamps_send=["root"])
    with pytest.raises(NewStampCertificate):
        certify(blank_page(), seal.key.signer, stamps, evidence)
    with pytest.raises(NewStampCertificate):
        certify(blank_page(), seal.key.signer, stamps, evidence)
    assert len(stamping.authority.known().chain) == 2


def test_an_authority_whose_certificates_are_no_chain_does_not_stop_the_seal(pki: Pki, pdf: bytes) -> None:
    seal = seal_of(pki)
    assert seal.seal(pdf).level is B_LT
    pki.issue(stamps_send=["seals", "signer", "responder"])

    assert seal.seal(pdf).stamp_deferred


def sealed_in_time(pki: Pki, pdf: bytes) -> tuple[SealedPdf, datetime]:
    """Return a file whose seal expires in a moment, and when: a short one, unless the machine is too busy for it."""
    for seconds in (2, 4, 8, 16):
        end = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)
        pki.issue(until={"signer": end})
        with suppress(SealError):
            sealed = seal_of(pki).seal(pdf)
            if datetime.now(UTC) < end:
                return sealed, end
    raise AssertionError("too busy")


def test_it_is_verified_as_of_its_stamp_once_the_certificate_has_expired(pki: Pki, pdf: bytes) -> None:
    sealed, end = sealed_in_time(pki, pdf)
    time.sleep(max(0.0, (end - datetime.now(UTC)).total_seconds()) + 0.1)

    assert sealed.level is B_LT
    assert verify_seal(sealed.content, pki.certificate("signer"), [pki.root]).level is B_LT
    three_readers_accept(sealed.content, [pki.root])


@pytest.mark.proof
@pytest.mark.parametrize("level", [B_B, B_T, B_LT])
def test_a_flipped_bit_in_the_signature_or_its_time_stamp_is_refused(
    level: SealLevel, seals: dict[SealLevel, Seal], pki: Pki
) -> None:
    """Every sixteenth byte of all that lies in the gap, the token and the certificates with it."""
    sealed, certificate = seals[level].seal(blank_page()).content, pki.certificate("signer")
    start = sealed.rindex(CONTENTS) + len(CONTENTS)
    signature = bytes.fromhex(sealed[start : sealed.index(b">", start)].decode())
    length = 4 + int.from_bytes(signature[2:4], "big")
    accepted = []
    for place in range(0, length, 16):
        spoilt = flipped(signature, place, 1 << place // 16 % 8).hex().upper().encode()
        try:
            verify_seal(sealed[:start] + spoilt + sealed[start + len(spoilt) :], certificate, [pki.root])
            accepted.append(place)
        except SealError:
            pass
    assert accepted == []
    assert length > 4000 or level is B_B


def test_a_stamp_taken_from_another_seal_is_refused(pki: Pki, pdf: bytes) -> None:
    seal = seal_of(pki, with_roots=False)
    one, other = (seal.seal(pdf).content for _ in range(2))
    assert with_token_of(one, one) == one
    with pytest.raises(SealError, match="time stamp does not hold"):
        verify_seal(with_token_of(one, other), pki.certificate("signer"))


def with_token_of(sealed: bytes, other: bytes) -> bytes:
    """Return the file with the unsigned attributes of another's signature, written as we write it."""

    def content_of(file: bytes) -> cms.ContentInfo:
        (signature,) = PdfFileReader(BytesIO(file)).embedded_signatures
        return cms.ContentInfo.load(signature.pkcs7_content)

    mixed, given = content_of(sealed), content_of(other)
    mixed["content"]["signer_infos"][0]["unsigned_attrs"] = given["content"]["signer_infos"][0]["unsigned_attrs"]
    start = sealed.rindex(CONTENTS) + len(CONTENTS)
    end = sealed.index(b">", start)
    return sealed[:start] + mixed.dump(force=True).hex().upper().encode().ljust(end - start, b"0") + sealed[end:]
