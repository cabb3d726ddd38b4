"""Edits in the gap of the signature, the only bytes that its digest leaves out."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from asn1crypto import algos, cms, core, crl  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from permits.document.sealing.pades import to_asn1
from tests.document.attacks.target import Target


def words_in_the_padding(target: Target) -> bytes:
    return target.sealed[: target.gap[1] - 6] + b"C0FFEE" + target.sealed[target.gap[1] :]


def last_digit_of_the_padding(target: Target) -> bytes:
    return target.sealed[: target.gap[1] - 1] + b"1" + target.sealed[target.gap[1] :]


def spaces_in_the_padding(target: Target) -> bytes:
    return target.sealed[: target.gap[1] - 8] + b"  \n  \r\n " + target.sealed[target.gap[1] :]


def gap_closed_early(target: Target) -> bytes:
    return target.sealed[: target.gap[1] - 8] + b">       " + target.sealed[target.gap[1] :]


def entries_in_the_padding(target: Target) -> bytes:
    entry = b"> /Name (Le maire) /Cert <00"
    return target.sealed[: target.gap[1] - len(entry)] + entry + target.sealed[target.gap[1] :]


def small_letters(target: Target) -> bytes:
    start, end = target.gap
    return target.sealed[:start] + target.sealed[start:end].lower() + target.sealed[end:]


def one_small_letter(target: Target) -> bytes:
    start, end = target.gap
    place = target.sealed.index(b"A", start, end)
    return target.sealed[:place] + b"a" + target.sealed[place + 1 :]


def spaced_digits(target: Target) -> bytes:
    digits = target.signature.dump().hex().upper()
    return target.with_digits(b" " + digits.encode())


def more_after_the_signature(target: Target) -> bytes:
    return target.with_signature(target.signature.dump() + core.OctetString(b"and more").dump())


def edited(target: Target, edit: Callable[[cms.SignedData], None]) -> bytes:
    """Return the file with its signature edited, written as ours is."""
    whole = target.signature
    edit(whole["content"])
    return target.with_signature(whole.dump(force=True))


def unsigned_attribute_added(target: Target) -> bytes:
    def edit(content: cms.SignedData) -> None:
        attribute = {"type": "1.3.6.1.4.1.99999.1", "values": [core.UTF8String("bon pour accord")]}
        content["signer_infos"][0]["unsigned_attrs"] = [cms.CMSAttribute(attribute)]

    return edited(target, edit)


def no_unsigned_attributes_written(target: Target) -> bytes:
    def edit(content: cms.SignedData) -> None:
        content["signer_infos"][0]["unsigned_attrs"] = cms.CMSAttributes([])

    return edited(target, edit)


def version_changed(target: Target) -> bytes:
    return edited(target, lambda content: content.__setitem__("version", "v3"))


def signer_version_changed(target: Target) -> bytes:
    return edited(target, lambda content: content["signer_infos"][0].__setitem__("version", "v3"))


def digest_algorithm_added(target: Target) -> bytes:
    def edit(content: cms.SignedData) -> None:
        content["digest_algorithms"].append(algos.DigestAlgorithm({"algorithm": "sha1"}))

    return edited(target, edit)


def digest_parameters_left_out(target: Target) -> bytes:
    der = target.signature.dump()
    algorithm = target.signature["content"]["signer_infos"][0]["digest_algorithm"].dump()
    assert algorithm.endswith(b"\x05\0")
    return target.with_signature(_with_part(der, algorithm, b"\x30" + bytes([len(algorithm) - 4]) + algorithm[2:-2]))


def signature_algorithm_under_another_name(target: Target) -> bytes:
    def edit(content: cms.SignedData) -> None:
        algorithm = content["signer_infos"][0]["signature_algorithm"]
        other = {"sha256_rsa": "rsassa_pkcs1v15"}.get(algorithm["algorithm"].native, "sha1_ecdsa")
        content["signer_infos"][0]["signature_algorithm"] = {"algorithm": other}

    return edited(target, edit)


def signer_named_by_its_key(target: Target) -> bytes:
    def edit(content: cms.SignedData) -> None:
        identifier = x509.SubjectKeyIdentifier.from_public_key(target.seal.certificate.public_key()).digest
        content["signer_infos"][0]["sid"] = cms.SignerIdentifier("subject_key_identifier", identifier)

    return edited(target, edit)


def signed_attributes_in_another_order(target: Target) -> bytes:
    der = target.signature.dump()
    attributes = [each.dump() for each in target.signature["content"]["signer_infos"][0]["signed_attrs"]]
    return target.with_signature(der.replace(b"".join(attributes), b"".join(reversed(attributes))))


def signed_attribute_repeated(target: Target) -> bytes:
    def edit(content: cms.SignedData) -> None:
        attributes = content["signer_infos"][0]["signed_attrs"]
        attributes.append(attributes[0].copy())

    return edited(target, edit)


def document_carried_inside(target: Target) -> bytes:
    def edit(content: cms.SignedData) -> None:
        content["encap_content_info"] = {"content_type": "data", "content": core.OctetString(b"un autre texte")}

    return edited(target, edit)


def stranger() -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Return a certificate and its key that have nothing to do with the seal."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name.from_rfc4514_string("CN=Inconnu")
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    certificate = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1)).sign(key, SHA256())
    return certificate, key


def certificate_added(target: Target) -> bytes:
    def edit(content: cms.SignedData) -> None:
        content["certificates"].append(cms.CertificateChoices("certificate", to_asn1(stranger()[0])))

    return edited(target, edit)


def certificate_taken_away(target: Target) -> bytes:
    return edited(target, lambda content: content.__setitem__("certificates", cms.CertificateSet([])))


def certificate_of_a_stranger(target: Target) -> bytes:
    def edit(content: cms.SignedData) -> None:
        content["certificates"] = [cms.CertificateChoices("certificate", to_asn1(stranger()[0]))]

    return edited(target, edit)


def revocation_list_added(target: Target) -> bytes:
    certificate, key = stranger()
    now = datetime.now(UTC)
    builder = x509.CertificateRevocationListBuilder(certificate.issuer, now, now + timedelta(days=1))
    revoked = builder.sign(key, SHA256()).public_bytes(Encoding.DER)

    def edit(content: cms.SignedData) -> None:
        content["crls"] = [cms.RevocationInfoChoice("crl", crl.CertificateList.load(revoked))]

    return edited(target, edit)


def signer_added(target: Target) -> bytes:
    certificate, key = stranger()

    def edit(content: cms.SignedData) -> None:
        other = content["signer_infos"][0].copy()
        identity = {"issuer": to_asn1(certificate).issuer, "serial_number": certificate.serial_number}
        other["sid"] = cms.SignerIdentifier("issuer_and_serial_number", cms.IssuerAndSerialNumber(identity))
        other["signature_algorithm"] = {"algorithm": "sha256_ecdsa"}
        other["signature"] = key.sign(other["signed_attrs"].untag().dump(), ec.ECDSA(SHA256()))
        content["signer_infos"].append(other)

    return edited(target, edit)


def signer_taken_away(target: Target) -> bytes:
    return edited(target, lambda content: content.__setitem__("signer_infos", cms.SignerInfos([])))


def longer_length(target: Target) -> bytes:
    """The outer length in four bytes instead of two: BER, not DER."""
    der = target.signature.dump()
    assert der[1] == 0x82
    return target.with_signature(der[:1] + b"\x84\0\0" + der[2:])


def length_left_open(target: Target) -> bytes:
    """The outer sequence of indefinite length: BER, not DER."""
    der = target.signature.dump()
    return target.with_signature(der[:1] + b"\x80" + der[4:] + b"\0\0")


def signature_in_pieces(target: Target) -> bytes:
    """The signature's value as a string made of two: BER, not DER."""
    whole = target.signature
    value = whole["content"]["signer_infos"][0]["signature"]
    der, octets = value.dump(), value.native
    half = len(octets) // 2
    pieces = core.OctetString(octets[:half]).dump() + core.OctetString(octets[half:]).dump()
    head = b"\x24\x82" + len(pieces).to_bytes(2, "big") + pieces
    return target.with_signature(_with_part(whole.dump(), der, head))


def signed_attributes_with_a_longer_length(target: Target) -> bytes:
    whole = target.signature
    der = whole["content"]["signer_infos"][0]["signed_attrs"].dump()
    header = 2 if der[1] < 0x80 else 2 + (der[1] & 0x7F)
    body = der[header:]
    return target.with_signature(_with_part(whole.dump(), der, b"\xa0\x84" + len(body).to_bytes(4, "big") + body))


def certificate_with_a_longer_length(target: Target) -> bytes:
    own = to_asn1(target.seal.certificate).dump()
    assert own[1] == 0x82
    return target.with_signature(_with_part(target.signature.dump(), own, own[:1] + b"\x83\0" + own[2:]))


def _with_part(der: bytes, old: bytes, new: bytes) -> bytes:
    """Replace a part deep in DER, and right the two-byte lengths of all that holds it."""
    place, longer = der.rindex(old), len(new) - len(old)
    changed = bytearray(der[:place] + new + der[place + len(old) :])
    for start in range(place):
        is_long = der[start] in (0x30, 0x31, 0xA0) and der[start + 1] == 0x82
        length = int.from_bytes(der[start + 2 : start + 4], "big")
        if is_long and place + len(old) <= start + 4 + length <= len(der):
            changed[start + 2 : start + 4] = (length + longer).to_bytes(2, "big")
    return bytes(changed)


def twin_of_the_signature(target: Target) -> bytes:
    """On an elliptic curve, (r, n − s) holds whenever (r, s) does; an RSA signature gets a byte in front."""

    def edit(content: cms.SignedData) -> None:
        key, info = target.seal.certificate.public_key(), content["signer_infos"][0]
        if isinstance(key, ec.EllipticCurvePublicKey):
            r, s = decode_dss_signature(info["signature"].native)
            info["signature"] = encode_dss_signature(r, key.curve.group_order - s)
        else:
            info["signature"] = b"\0" + info["signature"].native

    return edited(target, edit)


def digest_rewritten(target: Target) -> bytes:
    def edit(content: cms.SignedData) -> None:
        for attribute in content["signer_infos"][0]["signed_attrs"]:
            if attribute["type"].native == "message_digest":
                attribute["values"] = [core.OctetString(bytes(32))]

    return edited(target, edit)


ATTACKS = (
    words_in_the_padding,
    last_digit_of_the_padding,
    spaces_in_the_padding,
    gap_closed_early,
    entries_in_the_padding,
    small_letters,
    one_small_letter,
    spaced_digits,
    more_after_the_signature,
    unsigned_attribute_added,
    no_unsigned_attributes_written,
    version_changed,
    signer_version_changed,
    digest_algorithm_added,
    digest_parameters_left_out,
    signature_algorithm_under_another_name,
    signer_named_by_its_key,
    signed_attributes_in_another_order,
    signed_attribute_repeated,
    document_carried_inside,
    certificate_added,
    certificate_taken_away,
    certificate_of_a_stranger,
    revocation_list_added,
    signer_added,
    signer_taken_away,
    longer_length,
    length_left_open,
    signature_in_pieces,
    signed_attributes_with_a_longer_length,
    certificate_with_a_longer_length,
    twin_of_the_signature,
    digest_rewritten,
)
