"""What the commands share: settings, and how a person is told what is wrong."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from permits.desk import Desk, Law
from permits.settings import Settings

if TYPE_CHECKING:
    from permits.register.book import Register
    from permits.register.publications import Publications

Authority = Annotated[
    str | None, typer.Option(help="Identifiant de l’autorité ; par défaut celui d’authority.yaml, seul fichier lu")
]
Directory = Annotated[Path, typer.Argument(help="Dossier du règlement")]
AsJson = Annotated[bool, typer.Option("--json", help="Écrire le résultat en JSON, pour un programme")]
RequestFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Une demande en JSON, voir examples/")]


def day_option(*names: str, help: str | None = None) -> Any:
    """Return an option whose value is a day."""
    return typer.Option(*names, parser=_day, metavar="AAAA-MM-JJ", help=help)


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise typer.BadParameter("un jour s’écrit AAAA-MM-JJ, par exemple 2027-01-31") from None


def coming(body: dict[str, object]) -> dict[str, object]:
    """Return the request moved to the first same weekday at least two weeks ahead, of the same length."""
    from permits.examples import with_coming_dates

    return with_coming_dates(body, date.today())


def database_url() -> str:
    """Return the database's address, or stop."""
    url = Settings().database_url
    if url is None:
        fail("PERMITS_DATABASE_URL manque")
    return url.get_secret_value()


def own_authority() -> str:
    """Return the authority's id, or stop. The rest of the rulebook's directory may be a draft, or in pieces."""
    from permits.law.load import RulebookError, read_authority

    try:
        return read_authority(Settings().rulebook)
    except RulebookError as error:
        fail(str(error))


@contextmanager
def turning(authority: str | None) -> Iterator[tuple[str, str]]:
    """Give the database's address and the authority whose switch is turned; tell in one line why nothing is changed.

    In an emergency the database alone is needed: neither seal, nor registry, nor sound rulebook.
    """
    from psycopg import OperationalError

    from permits.law.load import RulebookError, read_authority
    from permits.register.switch import UnknownAuthority

    url = database_url()
    try:
        yield url, authority or read_authority(Settings().rulebook)
    except RulebookError as error:
        fail(f"rien n’est changé, donnez --authority : {error}")
    except UnknownAuthority as error:
        fail(f"rien n’est changé, cette base ne tient aucun registre de l’autorité « {error} »")
    except OperationalError as error:
        fail(f"rien n’est changé, la base ne répond pas : {error}")


@contextmanager
def open_desk() -> Iterator[Desk]:
    """Give the desk of this installation, its press at work, as the service itself has it."""
    from app import build

    desk: Desk = build(Settings()).state.context.desk
    desk.press.start()
    try:
        yield desk
    finally:
        desk.press.close()


@contextmanager
def open_book() -> "Iterator[tuple[Register, Publications]]":
    """Give the book of this installation and the steps of its rulebooks; what can't be done is told in one line."""
    from permits.desk import RulebookUnreadable
    from permits.domain.filing import ActNotPossible
    from permits.laws import authority_of
    from permits.register.book import Register
    from permits.register.database import connect
    from permits.register.publications import Publications
    from permits.register.queue import ProcrastinateQueue

    engine = connect(database_url(), pool_size=1)
    try:
        register = Register(engine, authority_of(engine, Settings().rulebook), ProcrastinateQueue())
        yield register, Publications(engine, register.authority, register.floor)
    except (ActNotPossible, RulebookUnreadable) as error:
        fail(str(error))
    finally:
        engine.dispose()


def fail(message: str) -> NoReturn:
    """Tell a person what is wrong, and stop."""
    typer.echo(f"permits : {message}", err=True)
    raise typer.Exit(1)


def law_in(directory: Path) -> Law:
    """Return the rulebook of a directory, or stop at its first mistake."""
    from permits.law.load import RulebookError
    from permits.laws import load_law

    try:
        return load_law(directory)
    except RulebookError as error:
        fail(str(error))


def law_in_force(publications: "Publications") -> Law:
    """Return the law that decides today; a book that has none yet will take that of the settings, or stop at it.

    Raises RulebookUnreadable.
    """
    from permits.domain.calendar import paris_day
    from permits.laws import KeptLaws

    today = paris_day(datetime.now(UTC))
    return KeptLaws(publications).on(today) if publications.until(today) else law_in(Settings().rulebook)


def _identifier(given: str) -> str:
    """Accept what names an agent without telling who it is."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{1,63}", given):
        fail("--by : donnez un identifiant (lettres, chiffres, point, tiret), ni un nom ni un courriel")
    return given


By = Annotated[
    str, typer.Option("--by", callback=_identifier, help="Identifiant de l’agent qui décide, jamais son nom")
]
