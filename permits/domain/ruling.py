"""A ruling as it is frozen: the refusal of an application, or the abrogation or withdrawal of a permit.

Taken by a person, never by the machine: it is motivated in fact and in law (CRPA art. L211-2, L211-5),
after the holder could be heard (CRPA art. L121-1, L122-1). A refusal still follows what the machine found
and referred: it carries the mention of the algorithm (CRPA art. L311-3-1).
"""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from permits.domain.decision import Citation
from permits.domain.model import Value
from permits.domain.permit import Appeal, Beneficiary, CitedAct, FetchedData, IssuingAuthority, KeptFor, Signatory

RULING_SCHEMA: Literal["decision/1"] = "decision/1"


class RulingKind(StrEnum):
    """What a ruling does."""

    REFUSAL = "refusal"
    ABROGATION = "abrogation"
    WITHDRAWAL = "withdrawal"


class Motive(Value):
    """A fact that the ruling rests on, in a French sentence, and the text that draws its consequence."""

    fact: str
    citation: Citation


class FeeTerms(Value):
    """What becomes of the fee when a permit ends before its term, in a French sentence, and its text.

    `charged` is the fee of the permit that ends, `due` what stays due of it: None when a person fixes it.
    """

    text: str
    citation: Citation
    charged: Decimal
    due: Decimal | None
    currency: str


class Ruling(Value):
    """A ruling, ready to be printed.

    `cites` is the permit that ends, None for a refusal. `effective_on` is the first day that an abrogated
    permit no longer covers, None otherwise: a withdrawal undoes the permit from its start.
    `hearing` tells how the holder could be heard, or why that was not due. `fee_terms` are those of an
    ended permit. `algorithm_contact` is where to ask for the rules that referred a refused application, and
    `rulebook_digest` names them; both None when a permit ends.
    """

    payload_schema: Literal["decision/1"] = RULING_SCHEMA
    template: str
    kind: RulingKind
    number: str
    application_id: str
    received_at: datetime
    decided_at: datetime
    authority: IssuingAuthority
    signatory: Signatory
    beneficiary: Beneficiary
    worksite: str
    places: tuple[str, ...]
    starts_on: date
    ends_on: date
    cites: CitedAct | None
    effective_on: date | None
    visas: tuple[Citation, ...]
    motives: tuple[Motive, ...]
    hearing: str
    fee_terms: FeeTerms | None = None
    appeal: Appeal
    algorithm_contact: str | None = None
    rulebook_digest: str | None = None
    fetched_data: tuple[FetchedData, ...] = ()
    kept: KeptFor | None = None
    verification_url: str
    specimen: bool


# From a number and a verification code to what is frozen.
MakeRuling = Callable[[str, str], Ruling]
