"""Three readers, none of them ours, that must accept every delivered document to its last byte."""

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from permits.document.sealing.pades import to_asn1
from tests.conftest import PROGRAMS, cannot_run


def three_readers_accept(sealed: bytes, roots: Sequence[x509.Certificate]) -> None:
    """Have pyHanko (chain, coverage), pdfsig and openssl accept a delivered file; `roots` are all that is trusted."""
    pyhanko_accepts(sealed, roots)
    pdfsig_accepts(sealed)
    openssl_accepts(sealed, roots)


def pyhanko_accepts(sealed: bytes, roots: Sequence[x509.Certificate]) -> None:
    """One signature, whose chain leads to a root, over the entire file, and a time stamp, if any, likewise."""
    signature = _only_signature(sealed)
    moment = signature.self_reported_timestamp
    trust = ValidationContext(trust_roots=[to_asn1(root) for root in roots], allow_fetching=False, moment=moment)
    usage = KeyUsageConstraints(key_usage={"digital_signature", "non_repudiation"}, match_all_key_usages=False)
    status = validate_pdf_signature(signature, trust, key_usage_settings=usage)
    assert status.bottom_line, status.pretty_print_details()
    assert status.coverage is SignatureCoverageLevel.ENTIRE_FILE
    assert status.docmdp_ok
    stamp = status.timestamp_validity
    assert stamp is None or (stamp.intact and stamp.valid and stamp.trusted)


def pdfsig_accepts(sealed: bytes) -> None:
    """One valid signature of the total document; what pdfsig says of a chain that it does not know is no matter."""
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        file.write(sealed)
        file.flush()
        said = subprocess.run([_program("pdfsig"), file.name], capture_output=True, text=True).stdout
    assert "Signature is Valid." in said, said
    assert "Total document signed" in said, said
    assert "Signature #2" not in said, said


def openssl_accepts(sealed: bytes, roots: Sequence[x509.Certificate]) -> None:
    """The CMS signature holds over the byte range, its chain leads to a root on the day of the seal."""
    signature = _only_signature(sealed)
    start, before, after, length = (int(number) for number in signature.byte_range)
    assert (start, after + length) == (0, len(sealed))
    at = str(int(signature.self_reported_timestamp.timestamp()))  # type: ignore[union-attr]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "signature.der").write_bytes(bytes.fromhex(sealed[before + 1 : after - 1].decode()))
        (folder / "signed").write_bytes(sealed[:before] + sealed[after:])
        (folder / "roots.pem").write_bytes(b"".join(root.public_bytes(Encoding.PEM) for root in roots))
        command = f"{_program('openssl')} cms -verify -binary -inform DER -in signature.der -content signed -out out"
        trust = f"-CAfile roots.pem -partial_chain -purpose any -attime {at}"
        done = subprocess.run(f"{command} {trust}".split(), cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def _only_signature(sealed: bytes) -> EmbeddedPdfSignature:
    (signature,) = PdfFileReader(BytesIO(sealed), strict=True).embedded_signatures
    return signature


def _program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        cannot_run(f"{name} is missing: install Debian's {PROGRAMS[name]}")
    return path
