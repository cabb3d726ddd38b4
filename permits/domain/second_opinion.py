"""When a registry's answer needs a second one, and what two of them say together.

Only a definite answer about the SIRET asked may stop an applicant, and two sources that can't both be
right are brought before a person.
"""

from permits.domain.establishment import Establishment, Evidence, NotFound, Protected, RegistryAnswer, Standing, Verdict


def needs_another(answer: RegistryAnswer, heard: int) -> bool:
    """Tell whether another source is to be heard after `heard` of them came to this answer.

    What would stop the applicant is confirmed once; what proves nothing, or leaves the trade register
    unknown, is completed as long as there is a source left.
    """
    if isinstance(answer, Protected):
        return False
    if isinstance(answer, NotFound):
        return not answer.definite or heard < 2
    if answer.disagreement is not None or answer.was_merged:
        return False
    if not answer.is_at_work:
        return heard < 2
    return answer.standing is Standing.UNKNOWN


def together(first: RegistryAnswer, second: RegistryAnswer) -> RegistryAnswer:
    """Return what two answers about one SIRET say together, the first one's words before the second's.

    A source that does not find what another shows is no contradiction, unless it holds every establishment.
    """
    evidence = first.evidence + second.evidence
    if isinstance(first, Establishment):
        if isinstance(second, Establishment):
            return _completed(first, second).model_copy(update={"evidence": evidence})
        return _held_against(first, second, evidence)
    if isinstance(second, Establishment):
        return _held_against(second, first, evidence)
    if isinstance(first, Protected) or isinstance(second, Protected):
        return Protected(siret=first.siret, evidence=evidence)
    return NotFound(siret=first.siret, definite=first.definite or second.definite, evidence=evidence)


def _completed(first: Establishment, second: Establishment) -> Establishment:
    evidence = first.evidence + second.evidence
    changes: dict[str, object] = {"partially_diffusible": first.partially_diffusible or second.partially_diffusible}
    if (first.siret, first.is_open, first.unit_is_active) != (second.siret, second.is_open, second.unit_is_active):
        changes["disagreement"] = _words(evidence)
    else:
        changes["closed_on"] = first.closed_on or second.closed_on
        changes["unit_ceased_on"] = first.unit_ceased_on or second.unit_ceased_on
    if first.standing is Standing.UNKNOWN or _is_in_trouble(second) > _is_in_trouble(first):
        changes |= {"standing": second.standing, "standing_since": second.standing_since}
    if first.name is None and second.partially_diffusible:
        # Hidden by one and told by another that knows it is hidden from others: told to the administration.
        changes |= {"name": second.name, "address": second.address}
    return first.model_copy(update=changes)


def _is_in_trouble(answer: Establishment) -> bool:
    return answer.standing in (Standing.STRUCK_OFF, Standing.INSOLVENCY)


def _held_against(shown: Establishment, other: NotFound | Protected, evidence: tuple[Evidence, ...]) -> Establishment:
    if isinstance(other, Protected):
        # One source may tell nobody: what another shows is not for the public either.
        update = {"evidence": evidence, "disagreement": _words(evidence), "partially_diffusible": True}
    elif other.definite:
        update = {"evidence": evidence, "disagreement": _words(evidence)}
    else:
        update = {"evidence": evidence}
    return shown.model_copy(update=update)


def _words(evidence: tuple[Evidence, ...]) -> str:
    """What each source said of the establishment, in French; the word of a trade register is left aside."""
    return " ; ".join(f"{each.source.label} : {each.told}" for each in evidence if each.said in set(Verdict))
