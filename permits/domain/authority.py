"""The authority: who it is, on which roads it is competent, who signs, how its acts are numbered and may end."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from permits.domain.application import Day
from permits.domain.calendar import PublicHolidays
from permits.domain.decision import Citation
from permits.domain.model import Misplaced, Value
from permits.domain.permit import Appeal, IssuingAuthority, Signatory
from permits.domain.unique import one_of_each
from permits.domain.written import WHOLE, YesOrNo


class RoadClass(StrEnum):
    """Whose road it is, which decides who is competent (CGCT art. L2213-6; CVR art. L113-2)."""

    COMMUNAL = "communal"
    DEPARTMENTAL = "departmental"
    NATIONAL = "national"
    HIGH_TRAFFIC = "high_traffic"  # à grande circulation, whatever its owner

    @property
    def label(self) -> str:
        """Its French name."""
        return _ROAD_LABELS[self]


_ROAD_LABELS = {
    RoadClass.COMMUNAL: "voie communale",
    RoadClass.DEPARTMENTAL: "route départementale",
    RoadClass.NATIONAL: "route nationale",
    RoadClass.HIGH_TRAFFIC: "route à grande circulation",
}


class Competence(Value):
    """Who gives the permit on a class of road: this authority, this one after an opinion, or another."""

    road: RoadClass
    in_agglomeration: YesOrNo = True
    permit: Literal["ours", "ours_after_opinion", "not_ours"]
    cites: Citation


class Delegation(Value):
    """Who signs from a day to another, both included."""

    from_day: Day
    to_day: Day | None = None
    signatory: Signatory

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.to_day is not None and self.to_day < self.from_day:
            raise ValueError("to_day précède from_day")
        return self


Prefix = Annotated[str, Field(pattern=r"^[A-Z]{2,8}$")]


class Series(Value):
    """The prefixes of the numbers, each its own gapless series a year.

    Extensions and corrections are permits, withdrawals are numbered with abrogations. A series that is
    not named is not used: such an act can't be taken.
    """

    permits: Prefix
    refusals: Prefix | None = None
    abrogations: Prefix | None = None
    sandbox: Prefix | None = None

    @model_validator(mode="after")
    def _differ(self) -> Self:
        named = [prefix for prefix in (self.permits, self.refusals, self.abrogations, self.sandbox) if prefix]
        if len(set(named)) < len(named):
            raise ValueError("chaque suite de numéros a un préfixe à elle")
        return self


class EndingGround(Value):
    """A ground in law to end a permit: which acts it bears, and until when after the permit was taken."""

    id: Annotated[str, Field(pattern=r"^[a-z_]{3,40}$")]
    acts: Annotated[tuple[Literal["abrogation", "withdrawal"], ...], Field(min_length=1)]
    label: Annotated[str, Field(min_length=10)]
    within_months: Annotated[int, Field(ge=1, le=120), WHOLE] | None = None
    cites: Citation


class EndingFeeTerms(Value):
    """What becomes of the fee of a permit that is abrogated or withdrawn: one sentence for both, and its text.

    After an abrogation the fee is `kept`, `recomputed` for the days before its effect, or `pro_rata` of them; after a
    withdrawal it is `kept`, due for the file alone (`file_only`), or not at all (`nothing`).
    """

    abrogation: Literal["kept", "recomputed", "pro_rata"]
    withdrawal: Literal["kept", "file_only", "nothing"]
    text: Annotated[str, Field(min_length=10)]
    cites: Citation


class OrderClause(Value):
    """A sentence of every arrêté de police, and the text behind it."""

    text: Annotated[str, Field(min_length=10)]
    cites: Citation


class PoliceOrderTerms(Value):
    """What every draft of an arrêté temporaire de police says here, whatever the place and the days.

    `signs` tells who puts up the signs and how long before, `parking_breach` what becomes of a vehicle that parks all
    the same, `publicity` how the order is made public, `execution` who carries it out and who is told.
    """

    visas: Annotated[tuple[Citation, ...], Field(min_length=1)]
    signs: OrderClause
    parking_breach: OrderClause
    publicity: OrderClause
    execution: Annotated[str, Field(min_length=10)]


class AuthorityFile(Value):
    """The authority: who it is, who signs, where to appeal, and the texts every act cites.

    `visas` are those of what allows, `ruling_visas` those of refusals, abrogations and withdrawals. Without
    `police_order` no arrêté de police is drafted.
    """

    identity: IssuingAuthority
    crs: Annotated[str, Field(pattern=r"^EPSG:\d{4,5}$")]
    series: Series
    public_holidays: PublicHolidays = PublicHolidays()
    competences: tuple[Competence, ...] = ()
    signatories: tuple[Delegation, ...]
    appeal: Appeal
    algorithm_contact: str
    payment_terms: str
    visas: Annotated[tuple[Citation, ...], Field(min_length=1)]
    considerations: Annotated[tuple[str, ...], Field(min_length=1)]
    ruling_visas: tuple[Citation, ...] = ()
    ending_fee_terms: EndingFeeTerms | None = None
    endings: Annotated[tuple[EndingGround, ...], AfterValidator(one_of_each)] = ()
    police_order: PoliceOrderTerms | None = None

    @field_validator("competences")
    @classmethod
    def _one_for_each_road(cls, competences: tuple[Competence, ...]) -> tuple[Competence, ...]:
        seen = [(each.road, each.in_agglomeration) for each in competences]
        for position, each in enumerate(seen):
            if each in seen[:position]:
                raise Misplaced("cette voie a déjà sa compétence", position, "road")
        return competences

    @model_validator(mode="after")
    def _says_what_rulings_need(self) -> Self:
        series = self.series
        if (series.refusals or series.abrogations or series.sandbox) and not self.ruling_visas:
            raise ValueError("il manque ruling_visas : refus, abrogations et retraits citent leurs propres textes")
        if self.endings and self.ending_fee_terms is None:
            raise ValueError(
                "il manque ending_fee_terms : dites ce que devient la redevance d’un permis qui finit plus tôt"
            )
        return self
