"""A file that proves its date longer: the one before, what shows that its certificates were good, a stamp over all.

The delivered bytes come first, untouched: a certified file allows no more than that after them.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

from asn1crypto import cms  # type: ignore[import-untyped]
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.signers import PdfTimeStamper
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel

from permits.document.errors import DocumentError, SealError, StampFailed
from permits.document.sealing.evidence import Chain
from permits.document.sealing.pades import DIGEST, add_evidence
from permits.document.sealing.revocation import CertificateRevoked
from permits.document.sealing.stamping import Stamping
from permits.document.sealing.tsa import NewStampCertificate
from permits.document.stamp import Stamp, check_stamp
from permits.domain.sealing import SealLevel, renewal


@dataclass(frozen=True)
class Copy:
    """A file that continues another. `renew_before` is when it must have been continued in its turn."""

    content: bytes
    level: SealLevel
    renew_before: datetime


class EvidenceMissing(DocumentError):
    """What shows that the certificates of a file are good could not be had now; without, its copy would be B-T."""


def continued(content: bytes, stamping: Stamping, at: datetime, *, waits_for_evidence: bool) -> Copy:
    """Return a copy of a sealed file, or of a copy, with one more revision.

    Its level is B-LTA when it shows that no certificate was revoked, B-T when it only proves its date: that can't be
    shown any more, or sources do not answer now. Then, when it `waits_for_evidence`, it raises EvidenceMissing;
    otherwise the copy is to be continued the next day, or after as long as it has waited already. Raises StampFailed
    when the authority does not answer, and SealError when the file can't be continued.
    """
    for _ in range(2):
        try:
            return _continued(content, stamping, at, waits_for_evidence)
        except NewStampCertificate:
            continue
    raise StampFailed("the authority changes its certificate each time")


def _continued(content: bytes, stamping: Stamping, at: datetime, waits_for_evidence: bool) -> Copy:
    reader = PdfFileReader(BytesIO(content))
    earlier = list(reader.embedded_signatures)
    may_be_shown = bool(stamping.roots) and _may_be_shown(earlier, "/DSS" in reader.root, at)
    try:
        stamps, evidence = stamping.ready(_current(earlier, at) if may_be_shown else ())
    except CertificateRevoked:
        may_be_shown = False
        stamps, evidence = stamping.ready(())
    evidence = evidence if may_be_shown else None
    is_late = may_be_shown and evidence is None
    if is_late and waits_for_evidence:
        raise EvidenceMissing("the sources that tell of revocation do not answer")
    writer = IncrementalPdfFileWriter(BytesIO(content))
    if evidence is not None:
        add_evidence(writer, evidence)
    stamper = PdfTimeStamper(stamps, field_name=f"Horodatage {len(earlier)}")
    extended = bytes(stamper.timestamp_pdf(writer, DIGEST).getvalue())
    stamp = _stamp_over(extended, content, stamping)
    level = SealLevel.B_T if evidence is None else SealLevel.B_LTA
    ends = renewal(stamp.at, stamp.certificate.not_valid_after)
    again = at + max(timedelta(days=1), at - _made_at(earlier[-1]))
    return Copy(extended, level, min(ends, again) if is_late else ends)


def _may_be_shown(earlier: list[EmbeddedPdfSignature], has_evidence: bool, at: datetime) -> bool:
    """Tell whether it can still be shown that the certificates of a file are good.

    Of those that have expired nothing new is said: what was said in time is in the file already, or nowhere. And what
    a stamp proved is proven no more where the next one came after its certificate had ended.
    """
    if not has_evidence and any(each.signer_cert.not_valid_after <= at for each in earlier):
        return False
    nexts = [*map(_made_at, earlier[1:]), at]
    return all(_chains(each)[-1][0].not_valid_after > then for each, then in zip(earlier, nexts, strict=True))


def _current(earlier: list[EmbeddedPdfSignature], at: datetime) -> list[Chain]:
    return [chain for each in earlier for chain in _chains(each) if chain[0].not_valid_after > at]


def _chains(signature: EmbeddedPdfSignature) -> list[Chain]:
    """Return the certificates of a signature, then those of the time stamp beside it, which proves longer."""
    signed = signature.signed_data
    beside = signed["signer_infos"][0]["unsigned_attrs"] or ()
    stamps = [each["values"][0]["content"] for each in beside if each["type"].native == "signature_time_stamp_token"]
    return [_chain(each) for each in (signed, *stamps)]


def _chain(signed: Any) -> Chain:
    sent = [each.chosen for each in signed["certificates"]]
    identity = signed["signer_infos"][0]["sid"].chosen
    issuer, serial = identity["issuer"].dump(), identity["serial_number"].native
    (leaf,) = [each for each in sent if each.issuer.dump() == issuer and each.serial_number == serial]
    return (leaf, *(each for each in sent if each.dump() != leaf.dump()))


def _made_at(signature: EmbeddedPdfSignature) -> datetime:
    """Return the instant that a time stamp over the file tells, or the one that the seal itself does."""
    told = signature.signed_data["encap_content_info"]
    is_stamp = told["content_type"].native == "tst_info"
    at = told["content"].parsed["gen_time"].native if is_stamp else signature.self_reported_timestamp
    if not isinstance(at, datetime):
        raise SealError("the seal does not say when it was made")
    return at


def _stamp_over(extended: bytes, content: bytes, stamping: Stamping) -> Stamp:
    """Return the last time stamp of the copy, which covers every byte of it; SealError when it does not."""
    if not extended.startswith(content):
        raise SealError("the copy does not begin with the file that it continues")
    last = list(PdfFileReader(BytesIO(extended)).embedded_timestamp_signatures)[-1]
    if last.evaluate_signature_coverage() is not SignatureCoverageLevel.ENTIRE_FILE:
        raise SealError("the time stamp does not cover the whole copy")
    token = cms.ContentInfo({"content_type": "signed_data", "content": last.signed_data})
    return asyncio.run(check_stamp(token, last.compute_digest, stamping.roots))
