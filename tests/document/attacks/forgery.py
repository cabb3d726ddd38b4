"""Universal forgery and wrapping: the signature's own words, ByteRange and Contents, made to mean something else."""

import re

from tests.document.attacks.target import Attack, Target

_RANGE = re.compile(rb"/ByteRange (\[[\d ]+\]) *\n")


def _range_as(written: bytes) -> Attack:
    """Replace the ByteRange by as many bytes."""

    def attack(target: Target) -> bytes:
        match = list(_RANGE.finditer(target.sealed))[-1]
        entry = match[0].rstrip(b"\n")
        assert len(written) <= len(entry)
        return target.sealed[: match.start()] + written.ljust(len(entry)) + target.sealed[match.end() - 1 :]

    return attack


def _numbers(target: Target) -> list[int]:
    return [int(each) for each in list(_RANGE.finditer(target.sealed))[-1][1].strip(b"[]").split()]


def byte_range_missing(target: Target) -> bytes:
    return _range_as(b"")(target)


def byte_range_empty(target: Target) -> bytes:
    return _range_as(b"/ByteRange []")(target)


def byte_range_null(target: Target) -> bytes:
    return _range_as(b"/ByteRange null")(target)


def byte_range_under_another_name(target: Target) -> bytes:
    return target.sealed.replace(b"/ByteRange [", b"/ByteRangf [")


def byte_range_with_escaped_name(target: Target) -> bytes:
    numbers = b" ".join(b"%d" % each for each in _numbers(target))
    return _range_as(b"/Byte#52ange [" + numbers + b"]")(target)


def _changed_range(target: Target, *changes: int) -> bytes:
    numbers = [number + change for number, change in zip(_numbers(target), changes, strict=True)]
    return _range_as(b"/ByteRange [" + b" ".join(b"%d" % each for each in numbers) + b"]")(target)


def byte_range_that_starts_later(target: Target) -> bytes:
    return _changed_range(target, 1, -1, 0, 0)


def byte_range_that_ends_earlier(target: Target) -> bytes:
    return _changed_range(target, 0, 0, 0, -1)


def byte_range_with_a_wider_gap(target: Target) -> bytes:
    return _changed_range(target, 0, -20, 0, 0)


def byte_range_past_the_end(target: Target) -> bytes:
    return _changed_range(target, 0, 0, 0, 1000)


def byte_range_that_overlaps(target: Target) -> bytes:
    return _changed_range(target, 0, 0, -100, 100)


def byte_range_without_gap(target: Target) -> bytes:
    return _range_as(b"/ByteRange [0 %d %d 0]" % (len(target.sealed), len(target.sealed)))(target)


def byte_range_negative(target: Target) -> bytes:
    _, first, second, _ = _numbers(target)
    return _range_as(b"/ByteRange [0 %d %d -1]" % (first, second))(target)


def byte_range_of_two_numbers(target: Target) -> bytes:
    return _range_as(b"/ByteRange [0 %d]" % _numbers(target)[1])(target)


def byte_range_of_six_numbers(target: Target) -> bytes:
    first, *rest = _numbers(target)
    return _range_as(b"/ByteRange [%d %d %d %d 0 0]" % (first, *rest))(target)


def byte_range_of_fractions(target: Target) -> bytes:
    return _range_as(b"/ByteRange [0.0 %d %d %d.0]" % tuple(_numbers(target)[1:]))(target)


def _contents_as(target: Target, written: bytes) -> bytes:
    """Replace the signature, angle brackets included, by as many bytes."""
    start, end = target.gap
    return target.sealed[: start - 1] + written.ljust(end - start + 2) + target.sealed[end + 1 :]


def contents_missing(target: Target) -> bytes:
    start, end = target.gap
    head = start - len(b"/Contents <")
    return target.sealed[:head] + b" " * (end + 1 - head) + target.sealed[end + 1 :]


def contents_empty(target: Target) -> bytes:
    return _contents_as(target, b"<>")


def contents_null(target: Target) -> bytes:
    return _contents_as(target, b"null")


def contents_of_zeros(target: Target) -> bytes:
    return target.with_digits(b"")


def contents_of_one_byte(target: Target) -> bytes:
    return _contents_as(target, b"<30>")


def contents_by_reference(target: Target) -> bytes:
    return _contents_as(target, b"1 0 R")


def contents_as_plain_text(target: Target) -> bytes:
    octets = target.signature.dump()
    escaped = b"".join(b"\\" + bytes([each]) if each in b"\\()\r\n" else bytes([each]) for each in octets)
    return _contents_as(target, b"(" + escaped + b")")


def contents_under_an_escaped_name(target: Target) -> bytes:
    start, end = target.gap
    head = start - len(b"/Contents <")
    return target.sealed[:head] + b"/C#6fntents <" + target.sealed[start : end - 2] + target.sealed[end:]


def contents_given_twice(target: Target) -> bytes:
    """Wrapping: a second ByteRange and Contents, written in the gap where the digest does not see them."""
    start, end = target.gap
    digits = bytes(target.signature.dump()).hex().upper().encode()
    _, first, second, length = _numbers(target)
    written = b"<" + digits + b"> /ByteRange [0 %d %d %d] /Contents <" % (first, second, length)
    assert len(written) < end - start
    return target.sealed[: start - 1] + written.ljust(end - start + 1, b"0") + target.sealed[end:]


def rest_moved_away(target: Target) -> bytes:
    """Wrapping: the second signed part goes further down, and other objects take its place."""
    _, first, second, length = _numbers(target)
    rest = target.sealed[second:]
    other = b"\n/ByteRange [0 %d %d %d] /Type /Sig /SubFilter /ETSI.CAdES.detached>>\nendobj\n"
    moved = second + len(other % (first, 99999, length)) + 3
    return target.sealed[:second] + other % (first, moved, length) + b"%%\n" + rest


def gap_moved(target: Target) -> bytes:
    """The digest is of the two parts together: cut elsewhere, it is the same."""
    start, end = target.gap
    hole = target.sealed[start - 1 : end + 1]
    without = target.sealed[: start - 1] + target.sealed[end + 1 :]
    return without[: start - 30] + hole + without[start - 30 :]


ATTACKS = (
    byte_range_missing,
    byte_range_empty,
    byte_range_null,
    byte_range_under_another_name,
    byte_range_with_escaped_name,
    byte_range_that_starts_later,
    byte_range_that_ends_earlier,
    byte_range_with_a_wider_gap,
    byte_range_past_the_end,
    byte_range_that_overlaps,
    byte_range_without_gap,
    byte_range_negative,
    byte_range_of_two_numbers,
    byte_range_of_six_numbers,
    byte_range_of_fractions,
    contents_missing,
    contents_empty,
    contents_null,
    contents_of_zeros,
    contents_of_one_byte,
    contents_by_reference,
    contents_as_plain_text,
    contents_under_an_escaped_name,
    contents_given_twice,
    rest_moved_away,
    gap_moved,
)
