"""What a rulebook asks besides what every application tells: a class to choose, or a figure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from permits.domain.application import Answer, Answers, Application, Kind, Word
from permits.domain.decision import Citation
from permits.domain.model import Value
from permits.domain.written import EXACT, WHOLE, exact_decimal


class Figure(Value):
    """A figure to be given: what it counts, its largest value and how many decimals it may have."""

    unit: Annotated[str, Field(min_length=1, max_length=40)]
    at_most: Annotated[Decimal, Field(gt=0, le=1_000_000), EXACT]
    decimals: Annotated[int, Field(ge=0, le=3), WHOLE] = 0


class Question(Value):
    """A question of the rulebook; `kinds` empty asks it of every kind.

    `if_silent` is the answer of who gives none; without it, a fee that rests on the question can't be told.
    `confirmed_by_agent` are the answers that a person has to see proof of (an association, an exempted works).
    """

    id: Word
    asks: Annotated[str, Field(min_length=5, max_length=200)]
    about: Literal["occupancy", "application"] = "occupancy"
    kinds: tuple[Kind, ...] = ()
    answers: Annotated[Mapping[Word, str], Field(min_length=2, max_length=50)] | None = None
    figure: Figure | None = None
    if_silent: Answer | None = None
    confirmed_by_agent: tuple[Word, ...] = ()
    cites: Citation | None = None

    @model_validator(mode="after")
    def _has_one_kind_of_answer(self) -> Self:
        if (self.answers is None) == (self.figure is None):
            raise ValueError("une question a des réponses (answers) ou attend un nombre (figure), pas les deux")
        if unknown := sorted(set(self.confirmed_by_agent) - set(self.answers or ())):
            raise ValueError(f"confirmed_by_agent nomme une réponse inconnue : {', '.join(unknown)}")
        if self.if_silent is not None and (fault := self.fault_of(self.if_silent)):
            raise ValueError(f"if_silent n’est pas une réponse : {fault}")
        if self.if_silent in self.confirmed_by_agent:
            raise ValueError("if_silent ne peut pas être une réponse qu’un agent confirme")
        if self.confirmed_by_agent and self.cites is None:
            raise ValueError("ce qu’un agent confirme repose sur un texte : ajoutez cites")
        if self.about == "application" and self.kinds:
            raise ValueError("une question sur la demande (about: application) ne nomme pas de types")
        return self

    def fault_of(self, answer: str) -> str | None:
        """Return what is wrong with an answer, in French; None for a good one."""
        if self.answers is not None:
            return None if answer in self.answers else f"réponses possibles : {', '.join(self.answers)}"
        assert self.figure is not None
        given = exact_decimal(answer)
        if given is None:
            return f"un nombre est attendu ({self.figure.unit})"
        if not 0 <= given <= self.figure.at_most:
            return f"un nombre de 0 à {self.figure.at_most} est attendu ({self.figure.unit})"
        exponent = given.as_tuple().exponent
        if not isinstance(exponent, int) or -exponent > self.figure.decimals:
            return (
                f"au plus {self.figure.decimals} décimales" if self.figure.decimals else "un nombre entier est attendu"
            )
        return None


def answer_faults(application: Application, questions: tuple[Question, ...]) -> list[tuple[str, str]]:
    """Return where and why answers can't be read: a JSON pointer, and a sentence in French."""
    known = {question.id: question for question in questions}
    given: list[tuple[str, str, Kind | None, Answers]] = [("/answers", "application", None, application.answers)]
    given += [
        (f"/occupancies/{index}/answers", "occupancy", occupancy.kind, occupancy.answers)
        for index, occupancy in enumerate(application.occupancies)
    ]
    faults = []
    for pointer, about, kind, answers in given:
        for name, answer in answers.items():
            question = known.get(name)
            if question is None or question.about != about or (question.kinds and kind not in question.kinds):
                faults.append((f"{pointer}/{name}", "le règlement ne pose pas cette question ici"))
            elif (fault := question.fault_of(answer)) is not None:
                faults.append((f"{pointer}/{name}", f"{question.asks} {fault}"))
    return faults
