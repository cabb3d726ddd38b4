"""Which columns of the book may be edited without the check saying a word, and why; all others are sealed."""

from dataclasses import dataclass

from sqlalchemy import Connection, text

BLIND: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (
        "application_contact",
        ("application_id", "email", "phone"),
        "erased on request or at its term: nothing that is kept for ever may depend on it",
    ),
    (
        "client",
        ("name", "key_id", "key_sha256", "sirens", "sandbox", "created_at", "revoked_at"),
        "an account is the operator's to open, change and revoke; an application seals what it was filed with"
        " (an erased account is another matter: that it is blank is looked at)",
    ),
    (
        "registry_access",
        ("id", "authority", "at", "source", "siret", "purpose", "about", "client_id", "request_id", "outcome"),
        "a log erased by the line: triggers keep it from being rewritten, no digest seals it",
    ),
    (
        "access_log",
        ("id", "authority", "at", "client_id", "request_id", "what", "subject"),
        "a log erased by the line: triggers keep it from being rewritten, no digest seals it",
    ),
    ("rulebook", ("recorded_at",), "when a rulebook was first kept; what it holds is told by its digest"),
    ("rulebook_step", ("id",), "only the order of the steps counts, and that is sealed"),
    ("issuing_switch", ("id",), "only the order of the turns counts, and that is sealed"),
    ("registry_switch", ("id",), "only the order of the turns counts, and that is sealed"),
    (
        "registry_wait",
        ("retry_at", "tries", "reason"),
        "how an attempt went, written anew at the next; a time too far away is not believed, so that none is put off",
    ),
)
# Tables whose rows nothing else speaks of: one may be taken away unseen.
LOOSE = ("application_contact", "registry_access", "access_log")


@dataclass(frozen=True)
class Column:
    """A column of the book."""

    table: str
    name: str
    type: str
    nullable: bool

    def __str__(self) -> str:
        return f"{self.table}.{self.name}"


def columns_of(connection: Connection) -> list[Column]:
    """Return every column of every table of the book."""
    query = """
        SELECT table_name, column_name, udt_name, is_nullable = 'YES' AS nullable FROM information_schema.columns
        WHERE table_schema = 'public' ORDER BY table_name, ordinal_position
    """
    return [Column(*row) for row in connection.execute(text(query))]


def sealed_columns(connection: Connection) -> list[Column]:
    """Return the columns whose edit must be found."""
    blind = {f"{table}.{column}" for table, columns, _ in BLIND for column in columns}
    return [column for column in columns_of(connection) if str(column) not in blind]


def sealed_tables(connection: Connection) -> list[str]:
    """Return the tables from which no row may go missing."""
    return sorted({column.table for column in columns_of(connection)} - set(LOOSE))
