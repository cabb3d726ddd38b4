"""The rules and rates in force, for anybody (CRPA art. L312-1-3)."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query

from permits.domain.calendar import paris_day
from permits.domain.summary import Summary, in_force_on
from permits.web.context import Context, CurrentContext
from permits.web.policy import Policy, policy

router = APIRouter(prefix="/v1/rulebook", tags=["rulebook"])

OnDay = Annotated[date | None, Query(description="Jour, à Paris ; aujourd’hui par défaut")]


@router.get("", operation_id="get_rulebook", summary="Lire les règles et les tarifs en vigueur un jour donné")
@policy(Policy.PUBLIC)
def get_rulebook(context: CurrentContext, on: OnDay = None) -> Summary:
    """Chaque règle, chaque chiffre et chaque ligne du tarif, avec son texte ; les questions posées aux demandeurs."""
    return in_force(context, on)


def in_force(context: Context, on: date | None) -> Summary:
    """Return what is in force on a day, today when none is given."""
    day = on or paris_day(context.desk.clock())
    return in_force_on(context.desk.on(day).law.rulebook, day)
