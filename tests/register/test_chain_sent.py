"""Certificates that sealed here: each keeps the chain of its first day, to which the files it sealed are held."""

from permits.document.sealing.pades import certify
from permits.document.sealing.stamping import chain_of
from permits.document.verify import verify_seal
from permits.register.trusted import remember_seal
from tests.document.conftest import town_seal
from tests.document.pages import blank_page
from tests.fakes import FakeOffice


def test_a_certificate_keeps_the_chain_of_its_first_day_and_sends_no_other(office: FakeOffice) -> None:
    register, key = office.register, town_seal(with_chain=True).key
    first = remember_seal(register.engine, register.floor, key.certificate, (), office.clock())
    later = remember_seal(register.engine, register.floor, key.certificate, key.chain, office.clock())
    assert first == later == ()

    key.signer.send(later)
    sealed = certify(blank_page(), key.signer)
    verify_seal(sealed, key.certificate, chain=())
    assert len(chain_of(key.signer)) == 2, "what is known above it still serves to ask about revocation"
