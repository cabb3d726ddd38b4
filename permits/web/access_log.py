"""The access log: what of the book a client is about to be shown."""

from fastapi import Request

from permits.register.clients import Client
from permits.register.readings import Reading, Subject
from permits.web.context import Context


def note(request: Request, what: Subject, subject: str | None) -> None:
    """Note a reading, before it is answered: what can't be noted is not shown, and the database's error goes up.

    `subject` is an application's id, an act's number, None for a list.
    """
    context: Context = request.app.state.context
    client: Client = request.state.client
    context.note_reading(Reading(context.desk.clock(), client.id, request.state.request_id, what, subject))
