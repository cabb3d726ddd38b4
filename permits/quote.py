"""What a request would cost and whether the machine would grant it, under a rulebook: nobody is asked, nothing is kept.

The company, the address and the neighbours are taken as right: what is left is what the rulebook says of the request.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from permits.desk import Law
from permits.domain.admissibility import check_answers, check_dates
from permits.domain.application import Application
from permits.domain.calendar import paris_day
from permits.domain.decide import decide
from permits.domain.decision import Decision, Fee, Finding, Referred
from permits.domain.establishment import Establishment, Evidence, Source, Standing
from permits.domain.facts import Facts
from permits.domain.limits import Assurance
from permits.domain.place import AddressCheck, PlaceFacts
from permits.domain.tariff.fee import compute_fee
from permits.issue import measure


@dataclass(frozen=True)
class Quote:
    """The decision that a rulebook would bring, and the fee, None when it can't be told."""

    decision: Decision
    fee: Fee | None

    @property
    def grounds(self) -> tuple[Finding, ...]:
        """What a person would have to look at."""
        return self.decision.grounds if isinstance(self.decision, Referred) else ()


def quote(law: Law, application: Application, filed_at: datetime, *, unauthorised: bool = False) -> Quote:
    """Return what a request filed at an instant would bring.

    `unauthorised` charges it as an occupation found without a permit. Raises Inadmissible as filing would,
    NotInForce, and FeeUnknown when `unauthorised` has no price.
    """
    # An occupation that was found has begun: it is told for what it is, not as if it were filed.
    check_dates(application, application.starts_on - timedelta(days=1) if unauthorised else paris_day(filed_at))
    check_answers(application, law.rulebook.questions)
    facts = _facts(law, application, filed_at)
    decision = decide(application, facts, law.rulebook)
    fee = decision.fee
    if unauthorised:
        fee = compute_fee(application, facts.places, law.rulebook, facts.decided_on, unauthorised=True)
    return Quote(decision, fee)


def _facts(law: Law, application: Application, filed_at: datetime) -> Facts:
    day, surveyor = paris_day(filed_at), law.surveyor
    return Facts(
        received_at=filed_at,
        received_on=day,
        decided_on=day,
        registry=_taken_as_open(application.siret, filed_at),
        siret_key_is_valid=True,
        assurance=max(Assurance),
        payer_assurance=max(Assurance),
        places=tuple(
            PlaceFacts(
                footprint=footprint,
                in_territory=surveyor.in_territory(footprint),
                zones=surveyor.zones_of(footprint),
                address_check=AddressCheck.MATCHES,
            )
            for footprint in measure(law, application, filed_at)
        ),
    )


def _taken_as_open(siret: str, at: datetime) -> Establishment:
    evidence = Evidence(source=Source.RECHERCHE_ENTREPRISES, fetched_at=at, sha256="", parser="quote")
    return Establishment(
        siret=siret,
        asked_siret=siret,
        name="ENTREPRISE",
        address=(),
        is_open=True,
        unit_is_active=True,
        standing=Standing.REGISTERED,
        evidence=(evidence,),
    )
