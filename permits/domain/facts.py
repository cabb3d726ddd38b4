"""What was established before deciding, and on which day. Stored with the decision, so that it can be taken again."""

from datetime import date, datetime
from decimal import Decimal

from permits.domain.establishment import RegistryAnswer
from permits.domain.limits import Assurance
from permits.domain.model import Value
from permits.domain.place import PlaceFacts


class ExtendedPermit(Value):
    """The permit that an application asks to extend.

    `starts_on` is the first day of the first permit in the chain, `received_on` the day it was filed and `decided_on`
    the day it was decided, in Paris; `due` is the sum of the fees of the whole chain. `stands` is False once it was
    ended, replaced or extended already, and while another act on it waits for its seal.
    """

    number: str
    received_on: date
    decided_on: date | None = None
    starts_on: date
    ends_on: date
    due: Decimal
    stands: bool


class Facts(Value):
    """Everything a decision rests on besides the application and the rulebook.

    `received_on` counts for the notice, `decided_on` for the law in force; both are days in Paris.
    `issuing_is_halted` is True while a person has suspended automatic issuing.
    """

    received_at: datetime
    received_on: date
    decided_on: date
    registry: RegistryAnswer
    siret_key_is_valid: bool
    assurance: Assurance
    payer_assurance: Assurance
    places: tuple[PlaceFacts, ...]
    extends: ExtendedPermit | None = None
    issuing_is_halted: bool = False
