"""A copy that proves a file's date longer: the same bytes first, then one revision that the authority stamps."""

from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import validate_pdf_signature, validate_pdf_timestamp
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from permits.document.errors import SealError, StampFailed
from permits.document.sealing.archive import EvidenceMissing, continued
from permits.document.sealing.pades import to_asn1
from permits.document.sealing.seal import Seal
from permits.document.verify import verify_seal
from permits.domain.sealing import RENEW_AHEAD, SealLevel
from tests.document.pages import blank_page
from tests.document.test_stamps import seal_of, stamping_of
from tests.pki import Pki

NOW = datetime.now(UTC)


@pytest.fixture
def delivered(pki: Pki) -> bytes:
    return Seal(pki.key()).seal(blank_page()).content


@pytest.mark.parametrize("level", [SealLevel.B_B, SealLevel.B_LT])
def test_a_copy_holds_the_delivered_bytes_and_a_stamp_over_every_byte(level: SealLevel, pki: Pki) -> None:
    sealed = (Seal(pki.key()) if level is SealLevel.B_B else seal_of(pki)).seal(blank_page())
    assert sealed.level is level
    delivered = sealed.content
    copy = continued(delivered, stamping_of(pki), NOW, waits_for_evidence=True)
    again = continued(copy.content, stamping_of(pki), NOW, waits_for_evidence=True)

    assert (copy.level, again.level) == (SealLevel.B_LTA, SealLevel.B_LTA)
    assert copy.content.startswith(delivered)
    assert again.content.startswith(copy.content)
    reader = PdfFileReader(BytesIO(again.content))
    trust = ValidationContext(trust_roots=[to_asn1(pki.root)], allow_fetching=False)
    first, last = reader.embedded_timestamp_signatures
    for stamp in (first, last):
        told = validate_pdf_timestamp(stamp, trust)
        assert told.intact and told.valid and told.trusted
    assert last.coverage is SignatureCoverageLevel.ENTIRE_FILE
    (seal,) = reader.embedded_regular_signatures
    status = validate_pdf_signature(seal, trust)
    assert status.bottom_line
    assert status.modification_level is ModificationLevel.LTA_UPDATES, "what a certified file still allows"


def test_a_copy_is_not_what_the_seal_certified(delivered: bytes, pki: Pki) -> None:
    copy = continued(delivered, stamping_of(pki), NOW, waits_for_evidence=True)

    verify_seal(delivered, pki.certificate("signer"), [pki.root])
    with pytest.raises(SealError):
        verify_seal(copy.content, pki.certificate("signer"), [pki.root])


def test_a_copy_is_renewed_before_the_certificate_of_its_stamp_ends(delivered: bytes, pki: Pki) -> None:
    ends = pki.certificate("stamps").not_valid_after_utc
    copy = continued(delivered, stamping_of(pki), NOW, waits_for_evidence=True)

    assert copy.renew_before == ends - RENEW_AHEAD


def test_without_revocation_a_copy_waits_or_is_made_anew_the_next_day(delivered: bytes, pki: Pki) -> None:
    pki.faults.update(ocsp="down", crls="down")
    with pytest.raises(EvidenceMissing):
        continued(delivered, stamping_of(pki), NOW, waits_for_evidence=True)
    copy = continued(delivered, stamping_of(pki), NOW, waits_for_evidence=False)

    assert (copy.level, copy.renew_before) == (SealLevel.B_T, NOW + timedelta(days=1))


def test_of_an_expired_certificate_only_the_date_is_proven(delivered: bytes, pki: Pki) -> None:
    later = pki.certificate("signer").not_valid_after_utc + timedelta(days=1)
    copy = continued(delivered, stamping_of(pki), later, waits_for_evidence=True)

    assert copy.level is SealLevel.B_T
    assert copy.renew_before > NOW + timedelta(days=365)


def test_a_copy_made_after_the_certificate_of_its_stamp_had_expired_proves_a_new_date_and_no_more(
    delivered: bytes, pki: Pki
) -> None:
    stamping, ends = stamping_of(pki), pki.certificate("stamps").not_valid_after_utc
    copy = continued(delivered, stamping, NOW, waits_for_evidence=True)
    in_time = continued(copy.content, stamping, ends - timedelta(days=1), waits_for_evidence=True)
    too_late = continued(copy.content, stamping, ends + timedelta(days=1), waits_for_evidence=True)

    assert (in_time.level, too_late.level) == (SealLevel.B_LTA, SealLevel.B_T)


def test_a_file_of_a_revoked_seal_is_stamped_all_the_same(pki: Pki) -> None:
    delivered = Seal(pki.key()).seal(blank_page()).content
    pki.issue(revoked=["signer"])
    copy = continued(delivered, stamping_of(pki), NOW, waits_for_evidence=True)

    assert copy.level is SealLevel.B_T
    assert copy.renew_before == pki.certificate("stamps").not_valid_after_utc - RENEW_AHEAD


def test_a_copy_that_waits_for_evidence_waits_each_time_as_long_as_before(delivered: bytes, pki: Pki) -> None:
    pki.faults.update(ocsp="down", crls="down")
    copy, later = delivered, NOW + timedelta(days=30)
    first = continued(copy, stamping_of(pki), NOW, waits_for_evidence=False)
    second = continued(first.content, stamping_of(pki), later, waits_for_evidence=False)

    assert first.renew_before == NOW + timedelta(days=1)
    assert abs(second.renew_before - (later + timedelta(days=30))) < timedelta(hours=1)


def test_without_an_authority_there_is_no_copy(delivered: bytes, pki: Pki) -> None:
    pki.faults["tsa"] = "garbage"
    with pytest.raises(StampFailed):
        continued(delivered, stamping_of(pki), NOW, waits_for_evidence=False)
