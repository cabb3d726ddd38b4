"""What is said of a file: "authentic" only of a digest that was released, and always with the act's state now."""

from collections.abc import Callable
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field

from permits.document.french import typeset
from permits.domain.act import Act, ActKind
from permits.domain.claim import Claim
from permits.domain.sealing import SealLevel
from permits.domain.standing import Standing, told
from permits.register.catalogue import Catalogue, FoundFile

Prose = Annotated[str, AfterValidator(typeset)]


class Verdict(BaseModel):
    """What a file is. Only `delivered` is the act; a file that is not known has no other fields.

    `standing` is the state of the act now, `level` that of the seal (PAdES, ETSI EN 319 142-1). `extended_by` is the
    number of the extension that counts now: that of this day, or else the next one, or the last. `title`, `word` and
    `sentence` say it to a person, in French.
    """

    role: Literal["delivered", "archive", "other", "unknown"] = Field(
        description="`delivered` : le document délivré ; `archive` : une copie d’archive, qui n’est pas l’acte ; "
        "`other` : le fichier se réclame d’un acte dont il n’est pas le document (dit de ce qui est déposé, "
        "jamais d’une empreinte) ; `unknown` : rien d’identique n’a été délivré ici"
    )
    level: SealLevel | None = None
    number: str | None = None
    kind: ActKind | None = None
    standing: Standing | None = None
    extended_by: str | None = None
    title: Prose
    word: Prose
    sentence: Prose
    verification_url: str | None = None

    @property
    def band(self) -> str:
        """How it is shown: as the act's state when the file is the act, as what the file is otherwise."""
        return self.standing if self.role == "delivered" and self.standing else self.role


def of_file(found: FoundFile | None, today: date) -> Verdict:
    """Return what a digest alone tells."""
    if found is None:
        return Verdict(
            role="unknown",
            title="Ce fichier n’est pas reconnu",
            word="Fichier inconnu",
            sentence="Aucun document délivré par ce service n’est identique à ce fichier. Un acte recopié, imprimé "
            "en PDF, annoté ou réenregistré n’est plus le document délivré.",
        )
    state = told(found.act, today, found.extensions)
    if found.role == "archive":
        title, word = "Ce fichier n’est pas le document délivré", "Copie d’archive"
        sentence = f"Elle conserve la preuve de l’acte {found.act.number}. {state.sentence}"
    else:
        title, word, sentence = "Document authentique", state.word, state.sentence
    return Verdict(
        role=found.role,
        level=found.level,
        number=found.act.number,
        kind=found.act.kind,
        standing=state.standing,
        extended_by=state.extended_by,
        title=title,
        word=word,
        sentence=sentence,
        verification_url=found.act.payload.verification_url,
    )


def of_another_act(verdict: Verdict) -> Verdict:
    """Return what is said of the document of one act on the page of another."""
    return verdict.model_copy(
        update={
            "role": "other",
            "title": "Ce fichier est celui d’un autre acte",
            "word": "Ce n’est pas le document de cet acte",
            "sentence": f"C’est le document authentique de l’acte {verdict.number}. {verdict.sentence}",
        }
    )


def of_stranger(claim: Claim, catalogue: Catalogue, asked_code: str | None) -> Verdict:
    """Return what is said of a file that nobody here knows: at most, which act it is not.

    `asked_code` is that of the page on which it was dropped: what the file itself claims comes first. The address of
    the act is for who had its code: numbers follow each other, and anybody can write one into a file.
    """
    act = _claimed(claim, catalogue) or (catalogue.act_by_code(asked_code) if asked_code else None)
    if act is not None:
        return Verdict(
            role="other",
            number=act.number,
            kind=act.kind,
            title=f"L’acte {act.number} existe",
            word="Ce n’est pas son document",
            sentence="Ce numéro existe, mais ce fichier n’est pas un document délivré par ce service : il a été "
            "modifié, réenregistré ou fabriqué. Ne vous y fiez pas.",
            verification_url=act.payload.verification_url if act.code in (*claim.codes, asked_code) else None,
        )
    verdict = of_file(None, date.min)
    if claim.is_pdf:
        return verdict
    return verdict.model_copy(update={"sentence": f"Ce n’est pas un PDF. {verdict.sentence}"})


def _claimed(claim: Claim, catalogue: Catalogue) -> Act | None:
    asked: tuple[tuple[Callable[[str], Act | None], tuple[str, ...]], ...] = (
        (catalogue.act_by_code, claim.codes),
        (catalogue.act_by_number, claim.numbers),
    )
    for find, names in asked:
        for name in names:
            if (act := find(name)) is not None:
                return act
    return None
