"""Certificates that travel with a signature: a chain, each of them once, to the last byte."""

from typing import Any

import pytest

from permits.document.chain import check_chain
from permits.document.errors import SealError
from permits.document.sealing.pades import to_asn1
from tests.document.conftest import town_seal
from tests.pki import Pki


def chain(pki: Pki, *names: str) -> list[Any]:
    return [to_asn1(pki.certificate(name)) for name in names]


@pytest.mark.parametrize("sent", [("signer",), ("seals", "signer"), ("root", "signer", "seals")])
def test_a_chain_in_any_order_up_to_anywhere_is_accepted(sent: tuple[str, ...], pki: Pki) -> None:
    check_chain(chain(pki, "signer")[0], chain(pki, *sent), [])


def test_a_chain_leads_to_a_trusted_root(pki: Pki) -> None:
    leaf, sent = chain(pki, "signer")[0], chain(pki, "signer", "seals")
    check_chain(leaf, sent, [pki.root])
    with pytest.raises(SealError, match="trusted root"):
        check_chain(leaf, sent, [town_seal().certificate])


@pytest.mark.parametrize(
    "sent", [("seals",), ("signer", "stamps"), ("signer", "root"), ("signer", "seals", "seals"), ("signer", "signer")]
)
def test_what_is_not_a_link_of_the_chain_is_refused(sent: tuple[str, ...], pki: Pki) -> None:
    with pytest.raises(SealError):
        check_chain(chain(pki, "signer")[0], chain(pki, *sent), [])


def test_a_root_that_was_damaged_on_the_way_is_refused(pki: Pki) -> None:
    leaf, good = chain(pki, "signer")[0], chain(pki, "signer", "seals", "root")
    check_chain(leaf, good, [])
    damaged = bytearray(good[2].dump())
    damaged[-1] ^= 1
    with pytest.raises(SealError, match="damaged"):
        check_chain(leaf, [*good[:2], type(good[2]).load(bytes(damaged))], [])
