"""What weaker policies say of a file: the controls of our own."""

import subprocess
from collections.abc import Collection
from io import BytesIO
from pathlib import Path

from cryptography import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import PdfSignatureStatus
from pyhanko_certvalidator import ValidationContext

from permits.document.sealing.pades import to_asn1


def pdfsig_finds_valid(program: str, content: bytes, folder: Path) -> bool:
    """Tell whether poppler's word is that a signature is valid."""
    path = folder / "attacked.pdf"
    path.write_bytes(content)
    answer = subprocess.run([program, str(path)], capture_output=True).stdout
    return b"Signature is Valid." in answer


def pyhanko_finds_sound(content: bytes, trusted: Collection[x509.Certificate]) -> bool:
    """Tell whether pyHanko's bottom line is good for the first signature, its changes looked at."""
    status = _status(content, trusted, skip_changes=False)
    return status is not None and status.bottom_line


def cryptography_holds(content: bytes, trusted: Collection[x509.Certificate]) -> bool:
    """Tell whether the digest and the signature hold, whatever else there is."""
    status = _status(content, trusted, skip_changes=True)
    return status is not None and status.intact and status.valid


def _status(content: bytes, trusted: Collection[x509.Certificate], *, skip_changes: bool) -> PdfSignatureStatus | None:
    try:
        first, *_ = PdfFileReader(BytesIO(content)).embedded_signatures
        trust = ValidationContext(trust_roots=[to_asn1(each) for each in trusted], allow_fetching=False)
        return validate_pdf_signature(first, trust, skip_diff=skip_changes)
    except Exception:  # a damaged file makes its reader fail in any way
        return None
