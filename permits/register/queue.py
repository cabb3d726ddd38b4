"""What must happen later, enqueued in the register's own transaction: a job exists if and only if its cause does.

Two Procrastinate apps share one set of task names: this one only enqueues, on our connection; the one
in permits.jobs runs them.
"""

from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import psycopg
from procrastinate import App, SyncPsycopgConnector
from procrastinate.exceptions import ConnectorException
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

FINISH = "finish_permit"


class Queue(Protocol):
    """Where the register leaves what must happen later."""

    def finish_later(self, session: Session, act_id: UUID, at: datetime) -> None: ...


class ProcrastinateQueue:
    """Jobs in PostgreSQL, in the transaction of their cause."""

    def __init__(self) -> None:
        # Never opened: every job goes through the connection of the transaction that asks for it.
        self._app = App(connector=SyncPsycopgConnector())

    def finish_later(self, session: Session, act_id: UUID, at: datetime) -> None:
        self._defer(session, FINISH, at, act_id=str(act_id))

    def _defer(self, session: Session, task: str, at: datetime, **arguments: Any) -> None:
        connection = session.connection().connection.driver_connection
        try:
            self._app.configure_task(task, schedule_at=at, connection=connection).defer(**arguments)
        except ConnectorException as error:
            if not isinstance(error.__cause__, psycopg.Error):
                raise
            # What the database said tells whether the caller may repeat, as from any other statement.
            raise DBAPIError.instance(task, None, error.__cause__, psycopg.Error, hide_parameters=True) from error
