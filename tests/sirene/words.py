"""What a source said of a SIRET, in the few French words of the README's table."""

from collections.abc import Callable

from permits.domain.establishment import Establishment, NotFound, Protected, RegistryAnswer, Standing
from permits.sirene.errors import SourceError, SourceMisconfigured

_STANDINGS = {
    Standing.REGISTERED: "immatriculé",
    Standing.NOT_REGISTERED: "non immatriculé",
    Standing.STRUCK_OFF: "radié",
    Standing.INSOLVENCY: "procédure collective",
    Standing.UNKNOWN: "",
}


def in_words(answer: RegistryAnswer) -> str:
    if isinstance(answer, Protected):
        return "protégé"
    if isinstance(answer, NotFound):
        return "inconnu" if answer.definite else "non trouvé"
    facts = [
        "ouvert" if answer.is_open else f"fermé le {answer.closed_on:%d/%m/%Y}" if answer.closed_on else "fermé",
        "" if answer.unit_is_active else "entreprise cessée",
        "fusionné" if answer.was_merged else "",
        _STANDINGS[answer.standing],
        "diffusion partielle" if answer.partially_diffusible else "",
        "" if answer.name else "nom masqué",
    ]
    return ", ".join(filter(None, facts))


def told(lookup: Callable[[], RegistryAnswer]) -> str:
    """The same, or what went wrong."""
    try:
        return in_words(lookup())
    except SourceMisconfigured as error:
        return f"refus : {error.reason}"
    except SourceError as error:
        return f"erreur : {error.reason}"


def found(answer: RegistryAnswer) -> Establishment:
    assert isinstance(answer, Establishment)
    return answer
