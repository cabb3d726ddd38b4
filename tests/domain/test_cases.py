"""The cases of tests/cases/*.yaml, which a lawyer can read, against the decision of the demo rulebook.

What a case does not say is as in the main case (builders.py). The French words are those of the tables
below; an unknown word is an error, so that a misspelt fact can't pass unnoticed.
"""

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from permits.domain.application import Kind
from permits.domain.calendar import PARIS
from permits.domain.decide import decide
from permits.domain.decision import Decision, Finding, Granted, Outcome, Referred
from permits.domain.establishment import NotFound, Protected, RegistryAnswer, Standing
from permits.domain.limits import Assurance
from permits.domain.place import AddressCheck
from permits.domain.rulebook import CITED_RULES
from permits.domain.rules import RULES, Case, Rule
from permits.domain.rules.act import answers_are_confirmed, issuing_is_not_suspended
from permits.domain.rules.period import extension_follows_its_permit
from permits.domain.rules.street import dimensions_match_the_drawing
from permits.law.strict import read_yaml
from tests.domain.builders import (
    SIRET,
    a_place,
    an_application,
    an_establishment,
    an_extended_permit,
    an_occupancy,
    demo_rulebook,
    some_evidence,
    some_facts,
)

DIRECTORY = Path(__file__).resolve().parents[1] / "cases"

Word = Callable[[str], Any]


def _number(text: str) -> Decimal | None:
    return None if text == "non déclarée" else Decimal(text.replace(",", "."))


def _yes(text: str) -> bool:
    return {"oui": True, "non": False}[text]


def _noon(text: str) -> datetime:
    return datetime.combine(date.fromisoformat(text), time(12), PARIS)


_KINDS = {kind.label: kind for kind in Kind}
_ADDRESSES = {
    "concorde": AddressCheck.MATCHES,
    "loin": AddressCheck.FAR,
    "introuvable": AddressCheck.UNKNOWN_ADDRESS,
    "non vérifiée": AddressCheck.UNAVAILABLE,
}
_ASSURANCES = {
    "rien": Assurance.NONE,
    "courriel confirmé": Assurance.CONFIRMED_EMAIL,
    "ProConnect": Assurance.PROCONNECT_SIRET,
    "clé remise à l’entreprise": Assurance.KEY_BOUND_TO_SIREN,
}
_STANDINGS = {
    "inscrite": Standing.REGISTERED,
    "non concernée": Standing.NOT_REGISTERED,
    "radiée": Standing.STRUCK_OFF,
    "procédure collective": Standing.INSOLVENCY,
    "non connue": Standing.UNKNOWN,
}

# Each French word of a case: the field it fills, and how its text is read.
APPLICATION: dict[str, tuple[str, Word]] = {
    "SIRET": ("siret", str),
    "payeur": ("payer_siret", str),
    "dossier d’urbanisme": ("urbanism_file", lambda text: None if text == "aucun" else text),
    "du": ("starts_on", date.fromisoformat),
    "au": ("ends_on", date.fromisoformat),
    "réponses": ("answers", dict),
}
OCCUPANCY: dict[str, tuple[str, Word]] = {
    "type": ("kind", _KINDS.__getitem__),
    "longueur": ("length_m", _number),
    "largeur": ("width_m", _number),
    "pièces": ("pieces", int),
    "passage pour les piétons": ("footway_clear_width_m", _number),
    "ancrée dans le sol": ("anchored_in_ground", _yes),
    "places de stationnement prises": ("parking_spaces_taken", int),
    "voie de circulation fermée": ("lane_closed", _yes),
}
FACTS: dict[str, tuple[str, Word]] = {
    "reçue le": ("received_at", _noon),
    "reçue à": ("received_at", datetime.fromisoformat),
    "décidée le": ("decided_on", date.fromisoformat),
    "clé du SIRET": ("siret_key_is_valid", {"juste": True, "fausse": False}.__getitem__),
    "demandeur": ("assurance", _ASSURANCES.__getitem__),
    "lien avec le payeur": ("payer_assurance", _ASSURANCES.__getitem__),
    "délivrance automatique": ("issuing_is_halted", {"suspendue": True, "ouverte": False}.__getitem__),
    "prolonge": ("extends", lambda said: an_extended_permit(**_read(said, EXTENDED_PERMIT))),
}
EXTENDED_PERMIT: dict[str, tuple[str, Word]] = {
    "numéro": ("number", str),
    "depuis le": ("starts_on", date.fromisoformat),
    "jusqu’au": ("ends_on", date.fromisoformat),
    "en vigueur": ("stands", _yes),
    "déjà dû": ("due", _number),
}
PLACE: dict[str, tuple[str, Word]] = {
    "surface dessinée": ("area_m2", _number),
    "dans le ressort": ("in_territory", _yes),
    "zones": ("zones", tuple),
    "adresse": ("address_check", _ADDRESSES.__getitem__),
    "distance à l’adresse": ("address_distance_m", _number),
    "permis en place": ("standing", tuple),
}
ESTABLISHMENT: dict[str, tuple[str, Word]] = {
    "répond pour": ("siret", str),
    "nom": ("name", {"masqué": None}.__getitem__),
    "établissement": ("is_open", {"ouvert": True, "fermé": False}.__getitem__),
    "fermé le": ("closed_on", date.fromisoformat),
    "entreprise": ("unit_is_active", {"active": True, "cessée": False}.__getitem__),
    "cessée le": ("unit_ceased_on", date.fromisoformat),
    "inscription": ("standing", _STANDINGS.__getitem__),
    "depuis le": ("standing_since", date.fromisoformat),
    "diffusion partielle": ("partially_diffusible", _yes),
}
STANDING_PERMIT: dict[str, tuple[str, Word]] = {
    "numéro": ("number", str),
    "du": ("starts_on", date.fromisoformat),
    "au": ("ends_on", date.fromisoformat),
}


def _read(said: dict[str, Any], words: dict[str, tuple[str, Word]]) -> dict[str, Any]:
    return {words[word][0]: words[word][1](text) for word, text in said.items()}


def _registry(said: dict[str, Any] | str) -> RegistryAnswer:
    evidence = (some_evidence(),)
    if said == "introuvable dans une source partielle":
        return NotFound(siret=SIRET, definite=False, evidence=evidence)
    if said == "protégé":
        return Protected(siret=SIRET, evidence=evidence)
    assert isinstance(said, dict)
    return an_establishment(asked_siret=SIRET, **_read(said, ESTABLISHMENT))


def _place(said: dict[str, Any]) -> Any:
    values = _read(said, PLACE)
    values["standing"] = tuple(_read(permit, STANDING_PERMIT) for permit in values.get("standing", ()))
    return a_place(**values)


@dataclass(frozen=True)
class Situation:
    """One case: what is asked and established, and what is expected of the decision."""

    name: str
    case: Case
    expected: dict[str, Any]

    def decision(self) -> Decision:
        return decide(self.case.application, self.case.facts, self.case.rulebook)

    def check(self) -> None:
        """Fail unless the decision is the one expected: its outcome, every ground in order, and the fee."""
        decision, expected = self.decision(), self.expected
        assert {"granted": "accordée", "referred": "transmise à un agent"}[decision.outcome] == expected["décision"]
        assert [self._ground(ground) for ground in _grounds(decision)] == expected["motifs"]
        assert _fee(decision) == expected["redevance"]
        messages = "\n".join(finding.message for finding in decision.findings)
        for words in expected.get("on y lit", []):
            assert words in messages
        written = {prescription.id for prescription in decision.prescriptions}
        assert written >= set(expected.get("avec les prescriptions", []))
        assert not written & set(expected.get("sans les prescriptions", []))

    def _ground(self, ground: Finding) -> str:
        """Name a ground as the cases do: with its occupation where there are several."""
        if ground.occupancy is None or len(self.case.application.occupancies) == 1:
            return ground.rule
        return f"{ground.rule} (occupation {ground.occupancy + 1})"


EXPECTED = {
    "décision",
    "motifs",
    "redevance",
    "on y lit",
    "avec les prescriptions",
    "sans les prescriptions",
}


def _situation(said: dict[str, Any]) -> Situation:
    said = dict(said)
    name, asked, found = said.pop("nom"), dict(said.pop("demande", {})), dict(said.pop("constat", {}))
    assert {"décision", "motifs", "redevance"} <= said.keys() <= EXPECTED, (name, said.keys())
    occupancies = tuple(an_occupancy(**_read(each, OCCUPANCY)) for each in asked.pop("occupations", [{}]))
    places = tuple(_place(each) for each in found.pop("emplacements", [{}] * len(occupancies)))
    registry = _registry(found.pop("registre", {}))
    application = an_application(occupancies=occupancies, **_read(asked, APPLICATION))
    facts = some_facts(registry=registry, places=places, **_read(found, FACTS))
    return Situation(name, Case(application, facts, demo_rulebook()), said)


def _fee(decision: Decision) -> str:
    """Write the fee as the cases do: every line, and their total."""
    if decision.fee is None:
        return "aucune"
    lines = " + ".join(str(line.amount) for line in decision.fee.lines)
    return f"{lines} = {decision.fee.total}".replace(".", ",")


def _grounds(decision: Decision) -> tuple[Finding, ...]:
    return decision.grounds if isinstance(decision, Referred) else ()


def _situations() -> Iterator[Situation]:
    for path in sorted(DIRECTORY.glob("*.yaml")):
        for said in read_yaml(path.read_text(encoding="utf-8")):
            yield _situation(said)


SITUATIONS = list(_situations())


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: _plain(situation.name))
def test_the_decision_is_the_one_a_lawyer_expects(situation: Situation) -> None:
    situation.check()


@pytest.mark.parametrize(
    "wrong",
    [
        {"décision": "transmise à un agent"},
        {"motifs": ["NOTICE"]},
        {"redevance": "86,40 + 6,01 = 92,41"},
        {"on y lit": ["Il manque 0,01 m"]},
        {"avec les prescriptions": ["BENNE-HOURS"]},
        {"sans les prescriptions": ["CLEAN"]},
    ],
    ids=lambda wrong: _plain(next(iter(wrong))),
)
def test_a_wrong_expectation_is_noticed(wrong: dict[str, Any]) -> None:
    main = {"nom": "cas principal", "décision": "accordée", "motifs": [], "redevance": "86,40 + 6,00 = 92,40"}
    _situation(main).check()
    with pytest.raises(AssertionError):
        _situation(main | wrong).check()


def test_a_misspelt_word_is_noticed() -> None:
    expected = {"décision": "accordée", "motifs": [], "redevance": "aucune"}
    with pytest.raises(KeyError, match="larguer"):
        _situation({"nom": "x", "demande": {"occupations": [{"larguer": "1,20"}]}} | expected)
    with pytest.raises(AssertionError):
        _situation({"nom": "x", "motif": []} | expected)


def test_each_case_has_its_own_name() -> None:
    names = [situation.name for situation in SITUATIONS]
    assert len(set(names)) == len(names)


# --- over the whole set of cases ---------------------------------------------------------------


def _findings_of(rule: Rule) -> Iterator[Finding]:
    for situation in SITUATIONS:
        yield from rule(situation.case)


# Heard only in its circumstance; what is told when there is none is nothing.
CIRCUMSTANCES: dict[Rule, tuple[Callable[[Case], bool], set[Outcome]]] = {
    issuing_is_not_suspended: (lambda case: case.facts.issuing_is_halted, {Outcome.REFER}),
    answers_are_confirmed: (lambda case: bool(case.application.answers), {Outcome.OK, Outcome.REFER}),
    extension_follows_its_permit: (lambda case: case.facts.extends is not None, {Outcome.OK, Outcome.REFER}),
}


@pytest.mark.parametrize("rule", CIRCUMSTANCES, ids=lambda rule: rule.__name__)
def test_a_circumstance_is_heard_in_every_case_that_has_it_and_in_no_other(rule: Rule) -> None:
    is_there, outcomes = CIRCUMSTANCES[rule]
    heard = [
        (is_there(situation.case), {finding.outcome for finding in rule(situation.case)}) for situation in SITUATIONS
    ]

    assert all(bool(found) == there for there, found in heard)
    assert set[Outcome]().union(*(found for _, found in heard)) == outcomes


@pytest.mark.parametrize("rule", [variants.first for variants in RULES], ids=lambda rule: rule.__name__)
def test_every_rule_is_satisfied_in_one_case_and_refers_in_another(rule: Rule) -> None:
    findings = list(_findings_of(rule))
    outcomes = {finding.outcome for finding in findings}
    if rule is dimensions_match_the_drawing:  # it never refers: it only tells which area is billed
        assert outcomes == {Outcome.OK}
        beginnings = {finding.message.split(" :")[0].split(" avec")[0] for finding in findings}
        assert beginnings == {
            "Les dimensions déclarées concordent",
            "Les dimensions ne concordent pas",
        }
    else:
        _, expected = CIRCUMSTANCES.get(rule, (None, {Outcome.OK, Outcome.REFER}))
        assert outcomes == expected
    assert len({finding.rule for finding in findings}) == 1


def test_the_price_is_known_in_one_case_and_refers_in_another() -> None:
    decisions = [situation.decision() for situation in SITUATIONS]
    prices = [finding for decision in decisions for finding in decision.findings if finding.rule == "PRICE"]
    assert len(prices) == len(SITUATIONS)
    assert {price.outcome for price in prices} == {Outcome.OK, Outcome.REFER}


@pytest.mark.parametrize("rule", [variants.first for variants in RULES], ids=lambda rule: rule.__name__)
def test_a_rule_that_looks_at_occupancies_looks_beyond_the_first(rule: Rule) -> None:
    findings = list(_findings_of(rule))
    if all(finding.occupancy is None for finding in findings):
        assert {finding.occupancy for finding in findings} == {None}
    elif rule is dimensions_match_the_drawing:
        assert any(finding.occupancy == 1 for finding in findings)
    else:
        assert any(finding.occupancy == 1 and finding.outcome is Outcome.REFER for finding in findings)


def test_a_permit_is_granted_exactly_when_no_ground_is_found_and_the_fee_is_known() -> None:
    for situation in SITUATIONS:
        decision = situation.decision()
        refers = any(finding.outcome is Outcome.REFER for finding in decision.findings)
        assert isinstance(decision, Granted) == (not refers)
        assert (decision.fee is None) == any(ground.rule == "PRICE" for ground in _grounds(decision))


def test_every_line_of_the_tariff_is_charged_in_one_case() -> None:
    (entry,) = demo_rulebook().tariff.values.values()
    assert entry.value is not None
    charged = {
        line.label
        for situation in SITUATIONS
        if (fee := situation.decision().fee)
        for line in fee.lines
        if line.nature != "credit"
    }
    assert charged == {each.label for each in (*entry.value.items, *entry.value.adjustments)}


def test_every_prescription_is_written_in_one_case_and_a_conditional_one_is_absent_from_another() -> None:
    written = [{prescription.id for prescription in situation.decision().prescriptions} for situation in SITUATIONS]
    for rule in demo_rulebook().prescriptions:
        assert any(rule.id in ids for ids in written)
        always = rule.when == "always" and not rule.kinds
        assert all(rule.id in ids for ids in written) == always


def test_every_text_of_rules_yaml_is_cited_in_one_case() -> None:
    cited = {
        finding.rule
        for situation in SITUATIONS
        for finding in situation.decision().findings
        if finding.citation == demo_rulebook().rules.get(finding.rule)
    }
    assert cited == CITED_RULES


@pytest.mark.parametrize("rule", sorted(CITED_RULES))
def test_without_its_text_a_rule_can_not_be_applied(rule: str) -> None:
    texts = {name: text for name, text in demo_rulebook().rules.items() if name != rule}
    rulebook = demo_rulebook().model_copy(update={"rules": texts})
    with pytest.raises(KeyError, match=rule):
        for situation in SITUATIONS:
            decide(situation.case.application, situation.case.facts, rulebook)


def test_the_same_case_gives_the_same_decision_again() -> None:
    for situation in SITUATIONS:
        assert situation.decision() == situation.decision()


def test_a_decision_taken_again_from_what_was_stored_is_the_same() -> None:
    for situation in SITUATIONS:
        case = situation.case
        application = type(case.application).model_validate_json(case.application.model_dump_json())
        facts = type(case.facts).model_validate_json(case.facts.model_dump_json())
        assert decide(application, facts, case.rulebook) == situation.decision()
