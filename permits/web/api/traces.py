"""The trace of the decision that gave a permit (CRPA art. R311-3-1-2)."""

from permits.domain.act import Act
from permits.domain.trace import DecisionTrace, trace_of
from permits.web.context import Context


def trace_of_permit(context: Context, act: Act) -> DecisionTrace | None:
    """Return the trace of the decision behind an act, under the rulebook that took it."""
    filed = context.desk.register.application(act.application_id)
    if filed is None or filed.rulebook_digest is None:
        return None
    return trace_of(filed, context.desk.laws.rulebook(filed.rulebook_digest))
