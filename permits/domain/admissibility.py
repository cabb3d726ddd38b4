"""What cannot be filed at all, told at once with the way forward. Everything else is decided or referred."""

from datetime import date

from permits.domain.application import Application
from permits.domain.establishment import Establishment, NotFound, RegistryAnswer, Source
from permits.domain.french import day_text
from permits.domain.questions import Question, answer_faults
from permits.domain.siret import key_is_valid


class Inadmissible(Exception):
    """An application that can't be filed: a stable code, a French message, and the JSON pointer of the field."""

    def __init__(self, code: str, message: str, pointer: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.pointer = pointer


def check_dates(application: Application, day: date) -> None:
    """Raise Inadmissible when the period ends before it starts, or does not start after `day`, the day of filing."""
    if application.ends_on < application.starts_on:
        raise Inadmissible("ends_before_start", "La fin précède le début : corrigez les dates.", "/ends_on")
    if application.days > 3660:
        raise Inadmissible("period_too_long", "La période dépasse dix ans : corrigez les dates.", "/ends_on")
    if application.starts_on <= day:
        raise Inadmissible(
            "starts_too_soon",
            "L’occupation doit commencer après le jour du dépôt ; pour une urgence, appelez le service.",
            "/starts_on",
        )


def check_answers(application: Application, questions: tuple[Question, ...]) -> None:
    """Raise Inadmissible on the first answer that the rulebook can't read; one that is missing is asked by a person."""
    for pointer, fault in answer_faults(application, questions):
        raise Inadmissible("answer_unknown", f"Réponse illisible : {fault}.", pointer)


def _is_proof(answer: NotFound) -> bool:
    """True when a reference source does not hold this number, or when nobody knows one whose key is wrong.

    API Entreprise does not look for a number whose control key is wrong. A few real numbers have
    one, and the open source knows them: both must have answered, an outage proves nothing.
    """
    heard = {evidence.source for evidence in answer.evidence}
    both_answered = Source.RECHERCHE_ENTREPRISES in heard and len(heard) > 1
    return answer.definite or (both_answered and not key_is_valid(answer.siret))


def check_registry_answer(answer: RegistryAnswer) -> None:
    """Raise Inadmissible only on a definite answer about the SIRET asked: unknown, closed or ceased, undisputed."""
    if isinstance(answer, NotFound) and _is_proof(answer):
        raise Inadmissible(
            "siret_unknown", "Ce SIRET est inconnu du registre national : vérifiez les 14 chiffres.", "/siret"
        )
    if isinstance(answer, Establishment) and not answer.was_merged and answer.disagreement is None:
        if not answer.is_open:
            since = f" depuis le {day_text(answer.closed_on)}" if answer.closed_on else ""
            raise Inadmissible(
                "establishment_closed",
                f"Cet établissement est fermé{since} : donnez le SIRET d’un établissement ouvert.",
                "/siret",
            )
        if not answer.unit_is_active:
            since = f" depuis le {day_text(answer.unit_ceased_on)}" if answer.unit_ceased_on else ""
            raise Inadmissible(
                "company_ceased",
                f"Cette entreprise a cessé son activité{since} : donnez le SIRET d’une entreprise active.",
                "/siret",
            )
