"""Decide: hear every rule, compute the fee, grant or refer. Pure: the same input gives the same decision for ever."""

from permits.domain.application import Application
from permits.domain.dated import NotInForce
from permits.domain.decision import Decision, Fee, Finding, Granted, Outcome, Prescription, Referred
from permits.domain.facts import Facts
from permits.domain.french import day_text, money
from permits.domain.limits import figure_texts
from permits.domain.rulebook import PrescriptionRule, Rulebook
from permits.domain.rules import PRICING, Case, rules_on, rules_version_on
from permits.domain.tariff.unknown import FeeUnknown


def decide(application: Application, facts: Facts, rulebook: Rulebook) -> Decision:
    """Return Granted when every rule is satisfied and the fee is known, else Referred with every ground.

    Raises NotInForce when the rulebook has no figure for the day of decision: the rulebook is
    incomplete, and nothing can be decided with it.
    """
    case = Case(application, facts, rulebook)
    findings = [finding for rule in rules_on(facts.decided_on) for finding in rule(case)]
    fee, price = _price(case)
    findings.append(price)
    prescriptions, version = tuple(_prescriptions(case)), rules_version_on(facts.decided_on)
    if fee is not None and all(finding.outcome is not Outcome.REFER for finding in findings):
        return Granted(findings=tuple(findings), prescriptions=prescriptions, fee=fee, rules_version=version)
    return Referred(findings=tuple(findings), prescriptions=prescriptions, fee=fee, rules_version=version)


def _price(case: Case) -> tuple[Fee | None, Finding]:
    """Compute the fee; no price is a ground to refer, never a zero (CG3P art. L2125-1)."""
    application, facts, rulebook = case.application, case.facts, case.rulebook
    try:
        fee = PRICING.on(facts.decided_on)(
            application, facts.places, rulebook, facts.decided_on, received_on=facts.received_on, extends=facts.extends
        )
    except FeeUnknown as unknown:
        message = f"La redevance n’est pas calculée, un agent la fixe : {unknown}."
        return None, case.finding("PRICE", False, message)
    except NotInForce as missing:
        message = f"Aucun tarif n’est en vigueur le {day_text(missing.day)}, et la redevance n’est donc pas calculée."
        return None, case.finding("PRICE", False, message)
    message = f"La redevance est calculée selon {fee.tariff} : {money(fee.total, fee.currency)}."
    return fee, case.finding("PRICE", True, message, measured=str(fee.total))


def _prescriptions(case: Case) -> list[Prescription]:
    shown = figure_texts(case.rulebook.limits, case.facts.decided_on)
    return [
        Prescription(id=rule.id, text=rule.text.format_map(shown), citation=rule.cites)
        for rule in case.rulebook.prescriptions
        if _applies(rule, case.application)
    ]


def _applies(rule: PrescriptionRule, application: Application) -> bool:
    if rule.kinds and not any(occupancy.kind in rule.kinds for occupancy in application.occupancies):
        return False
    return {
        "always": True,
        "several_days": application.days > 1,
        "no_urbanism_file": application.urbanism_file is None,
    }[rule.when]
