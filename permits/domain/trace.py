"""The trace of a decision: what the machine did of it, on what data, with which figures, and by which operations.

Owed on request, in intelligible form (CRPA art. R311-3-1-2): the degree and mode of its part, the data and their
sources, the parameters and values applied to this case, the operations.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Literal

from permits.domain.act import Act, ActKind
from permits.domain.dated import Dated
from permits.domain.decision import Citation, Decision, Fee, Finding, Granted, Outcome
from permits.domain.establishment import Establishment
from permits.domain.filing import Filed
from permits.domain.french import day_text
from permits.domain.limits import Assurance, Limits, value_text
from permits.domain.model import Value
from permits.domain.rulebook import Rulebook
from permits.domain.rules.titles import RULES_TOLD
from permits.domain.trace_data import Datum, data_of

_ALONE = (
    "Décision entièrement automatique : la machine a entendu toutes les règles, n’a trouvé aucun motif de transmettre "
    "la demande à une personne, et l’a accordée."
)
_CORRECTED = (
    "Décision prise par une personne, qui corrige une erreur matérielle du permis {number} : même lieu, mêmes jours, "
    "même redevance. La machine n’a pas décidé : elle a entendu de nouveau toutes les règles sur la demande corrigée, "
    "et n’a trouvé aucun motif de s’y opposer."
)
_ASSISTED = (
    "Décision prise par une personne : la machine a entendu toutes les règles, et lui a transmis la demande avec les "
    "motifs ci-dessous. Elle ne refuse jamais."
)
_HELD = "La machine a transmis la demande à une personne, qui n’a pas encore décidé. Elle ne refuse jamais."

_SIRET = re.compile(r"\d{14}")
_DAYS = re.compile(r"\d{4}-\d\d-\d\d(/\d{4}-\d\d-\d\d)?")


class Parameter(Value):
    """One figure of the rulebook that was in force, and its text."""

    id: str
    label: str
    value: str
    since: date
    citation: Citation


class Operation(Value):
    """What one rule concluded; `occupancy` counts from 1, None for the whole application."""

    rule: str
    title: str
    outcome: Outcome
    message: str
    measured: str | None
    limit: str | None
    occupancy: int | None
    citation: Citation


class DecisionTrace(Value):
    """All that is owed on an individual decision. `rulebook` and `rules_version` name the rules that were applied.

    `decided_by` is None while a person has not answered yet. `figures_on` is the day whose figures were applied: for a
    correction, that of the permit it replaces. Who asked is told of a permit to a company, never of a natural person,
    of who asked the registry for discretion, nor of a refusal.
    """

    application: str
    number: str | None
    decided_at: datetime
    decided_by: Literal["machine", "person"] | None
    part_of_the_machine: str
    rulebook: str
    rules_version: date
    figures_on: date
    data: tuple[Datum, ...]
    parameters: tuple[Parameter, ...]
    operations: tuple[Operation, ...]
    fee: Fee | None


def trace_of(filed: Filed, rulebook: Rulebook) -> DecisionTrace | None:
    """Return the trace of a decision under the rulebook that took it, None while there is none to tell.

    What the registry said is left out once it was erased.
    """
    decision, act = filed.decision, filed.act
    if decision is None or filed.decided_at is None or filed.decided_on is None:
        return None
    decided_by, part = _part_of_the_machine(decision, act)
    named = _may_be_named(filed)
    return DecisionTrace(
        application=str(filed.filing.application_id),
        number=act.number if act else None,
        decided_at=filed.decided_at,
        decided_by=decided_by,
        part_of_the_machine=part,
        rulebook=rulebook.digest,
        rules_version=decision.rules_version,
        figures_on=filed.decided_on,
        data=tuple(data_of(filed, rulebook, named=named)),
        parameters=tuple(_parameters(rulebook, filed.decided_on)),
        operations=tuple(_operation(finding, named=named) for finding in decision.findings),
        fee=decision.fee,
    )


def _part_of_the_machine(decision: Decision, act: Act | None) -> tuple[Literal["machine", "person"] | None, str]:
    """Return who took the act, and the degree and mode of the machine's part in it."""
    if act is None:
        return None, _HELD
    if act.kind is ActKind.CORRECTION:
        amends = act.permit.amends
        assert amends is not None
        return "person", _CORRECTED.format(number=amends.cites.number)
    return ("machine", _ALONE) if isinstance(decision, Granted) else ("person", _ASSISTED)


def _may_be_named(filed: Filed) -> bool:
    """Tell whether the trace, which anybody may be shown, says whose it is.

    What the registry said of a natural person is erased in time: who is not known any more is not named either.
    """
    answer, act = filed.facts.registry if filed.facts else None, filed.act
    if act is None or not act.kind.allows or act.permit.beneficiary.protected:
        return False
    return isinstance(answer, Establishment) and not answer.partially_diffusible and not answer.is_about_a_person


def _operation(finding: Finding, *, named: bool) -> Operation:
    """Return what a rule concluded; a SIRET in its message is left out of the trace of somebody who is not named."""
    return Operation(
        rule=finding.rule,
        title=RULES_TOLD[finding.rule].title,
        outcome=finding.outcome,
        message=finding.message if named else _SIRET.sub("(SIRET non publié)", finding.message),
        measured=finding.measured,
        limit=finding.limit,
        occupancy=None if finding.occupancy is None else finding.occupancy + 1,
        citation=finding.citation,
    )


def figure_text(figure: str) -> str:
    """Write what a rule measured, or its limit, for a person: a day, days from one to another, a level, a number."""
    if figure.upper() in Assurance.__members__:
        return Assurance[figure.upper()].label
    if _DAYS.fullmatch(figure):
        return " au ".join(day_text(date.fromisoformat(day)) for day in figure.split("/"))
    return figure.replace(".", ",")


def _parameters(rulebook: Rulebook, day: date) -> Iterator[Parameter]:
    """The limits that the rules compared the facts with."""
    for name in Limits.model_fields:
        limit: Dated[object] = getattr(rulebook.limits, name)
        held = limit.on(day)
        yield Parameter(
            id=name,
            label=limit.label,
            value=value_text(held.value, limit.unit),
            since=held.since,
            citation=held.citation,
        )
