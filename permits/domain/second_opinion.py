"""When a registry's answer needs a second one, and what two of them say together.

Only a definite answer about the SIRET asked may stop an applicant, and two sources that can't both be
right are brought before a person.
"""

from permits.domain.establishment import Establishment, NotFound, Protected, RegistryAnswer, Standing


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
    if isinstance(first, Establishment) and isinstance(second, Establishment):
        return _completed(first, second).model_copy(update={"evidence": evidence})
    if isinstance(first, Establishment) or isinstance(second, Establishment):
        shown, other = (first, second) if isinstance(first, Establishment) else (second, first)
        assert isinstance(shown, Establishment)
        disputed = isinstance(other, Protected) or (isinstance(other, NotFound) and other.definite)
        disagreement = _disagreement(first, second) if disputed else shown.disagreement
        return shown.model_copy(update={"evidence": evidence, "disagreement": disagreement})
    if isinstance(first, Protected) or isinstance(second, Protected):
        return Protected(siret=first.siret, evidence=evidence)
    return NotFound(siret=first.siret, definite=first.definite or second.definite, evidence=evidence)


def _completed(first: Establishment, second: Establishment) -> Establishment:
    changes: dict[str, object] = {"partially_diffusible": first.partially_diffusible or second.partially_diffusible}
    if (first.siret, first.is_open, first.unit_is_active) != (second.siret, second.is_open, second.unit_is_active):
        changes["disagreement"] = _disagreement(first, second)
    if first.standing is Standing.UNKNOWN or _is_in_trouble(second) > _is_in_trouble(first):
        changes |= {"standing": second.standing, "standing_since": second.standing_since}
    return first.model_copy(update=changes)


def _is_in_trouble(answer: Establishment) -> bool:
    return answer.standing in (Standing.STRUCK_OFF, Standing.INSOLVENCY)


def _disagreement(first: RegistryAnswer, second: RegistryAnswer) -> str:
    return " ; ".join(f"{one.evidence[-1].source.label} : {_told(one)}" for one in (first, second))


def _told(answer: RegistryAnswer) -> str:
    if isinstance(answer, Establishment):
        told = answer.state.label
        return f"{told} ({answer.siret})" if answer.was_merged else told
    return "protégé" if isinstance(answer, Protected) else "inconnu"
