"""What an act is worth on a day, in a word and in a French sentence.

Never "authentic": that is said of a file, and only of one whose digest was released.
"""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum

from permits.domain.act import Act, ActState
from permits.domain.french import day_text
from permits.domain.model import Value


class Standing(StrEnum):
    """The state of an act on a day; a program may rely on these words."""

    IN_FORCE = "in_force"
    NOT_YET = "not_yet"
    EXTENDED = "extended"  # its own days are over, and another act adds the present one
    EXPIRED = "expired"
    ENDING = "ending"  # abrogated from a day to come
    ABROGATED = "abrogated"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    ANNULLED = "annulled"
    BEING_MADE = "being_made"
    RULING = "ruling"  # issued, and allows nothing by itself
    SPECIMEN = "specimen"

    @property
    def word(self) -> str:
        """The French word for it."""
        return _WORDS[self]


_WORDS = {
    Standing.IN_FORCE: "En vigueur",
    Standing.NOT_YET: "Pas encore valable",
    Standing.EXTENDED: "Prolongé",
    Standing.EXPIRED: "Expiré",
    Standing.ENDING: "Bientôt abrogé",
    Standing.ABROGATED: "Abrogé",
    Standing.WITHDRAWN: "Retiré",
    Standing.SUPERSEDED: "Remplacé",
    Standing.ANNULLED: "Annulé",
    Standing.BEING_MADE: "En préparation",
    Standing.RULING: "N’autorise rien",
    Standing.SPECIMEN: "Spécimen",
}
# What nobody may rely on, specimen or not.
_OVER = {Standing.ABROGATED, Standing.WITHDRAWN, Standing.SUPERSEDED, Standing.ANNULLED, Standing.BEING_MADE}


class Told(Value):
    """A standing, its word and its sentence, with the number of the extension that it names."""

    standing: Standing
    word: str
    sentence: str
    extended_by: str | None = None


def told(act: Act, today: date, extensions: Sequence[Act] = ()) -> Told:
    """Return what an act is worth on a day.

    `extensions` are those that stand after it, earliest first: the one told is that of the day, or else the next
    one, or the last. A specimen is never good, whatever seal it carries: its state is told as that of a trial.
    """
    extension = _to_tell(extensions, today) if act.state is ActState.ISSUED else None
    standing, sentence = _of_ruling_or_permit(act, today, extension)
    if act.payload.specimen:
        nothing = "il n’autorise rien" if act.kind.allows else "il n’a aucun effet"
        sentence = f"Spécimen : {nothing}. Dans cet essai, {sentence[:1].lower()}{sentence[1:]}"
        standing = standing if standing in _OVER else Standing.SPECIMEN
    extended_by = extension.number if extension else None
    return Told(standing=standing, word=standing.word, sentence=sentence, extended_by=extended_by)


def _to_tell(extensions: Sequence[Act], today: date) -> Act | None:
    return next((each for each in extensions if today <= each.last_day), extensions[-1] if extensions else None)


def _of_ruling_or_permit(act: Act, today: date, extension: Act | None) -> tuple[Standing, str]:
    if act.state is ActState.ANNULLED:
        return Standing.ANNULLED, "Ce numéro a été annulé : il n’autorise rien."
    if act.state is ActState.RESERVED:
        return Standing.BEING_MADE, "Cet acte est en cours d’établissement : il n’est pas encore délivré."
    if not act.kind.allows:
        return Standing.RULING, "Acte délivré. Il n’autorise aucune occupation."
    if act.state is ActState.WITHDRAWN:
        return Standing.WITHDRAWN, f"Permis retiré par l’acte {act.ended_by} : il est réputé n’avoir jamais existé."
    if act.state is ActState.SUPERSEDED:
        return Standing.SUPERSEDED, f"Permis remplacé par le permis {act.ended_by}, qui seul fait foi."
    if act.ended_on is not None:
        return _abrogated(act, act.ended_on, today)
    if today > act.last_day:
        return _past(act, today, extension)
    longer = f" {_prolonged(extension)}." if extension else ""
    if today < act.permit.starts_on:
        return Standing.NOT_YET, f"Permis délivré ; il prend effet le {day_text(act.permit.starts_on)}.{longer}"
    return Standing.IN_FORCE, f"Permis délivré, en vigueur jusqu’au {day_text(act.last_day)} inclus.{longer}"


def _past(act: Act, today: date, extension: Act | None) -> tuple[Standing, str]:
    last = day_text(act.last_day)
    if extension is None:
        return Standing.EXPIRED, f"Permis délivré ; il a pris fin le {last}."
    if today <= extension.last_day:
        return Standing.EXTENDED, f"{_prolonged(extension)} ; ses propres jours ont pris fin le {last}."
    then = f"sa prolongation {extension.number} le {day_text(extension.last_day)}"
    return Standing.EXPIRED, f"Permis délivré ; il a pris fin le {last}, et {then}."


def _prolonged(extension: Act) -> str:
    return f"Prolongé par le permis {extension.number} jusqu’au {day_text(extension.last_day)} inclus"


def _abrogated(act: Act, ended_on: date, today: date) -> tuple[Standing, str]:
    by = f"par l’acte {act.ended_by}"
    if ended_on <= act.permit.starts_on:
        return Standing.ABROGATED, f"Permis abrogé avant son début {by} : il n’autorise rien."
    last = day_text(act.last_day)
    if today >= ended_on:
        return (
            Standing.ABROGATED,
            f"Permis abrogé {by} : il n’autorise plus rien, son dernier jour était le {last}.",
        )
    return Standing.ENDING, f"Permis abrogé {by} : son dernier jour est le {last}."
