"""The rulebook, before it is in force: checked, read as of a day, tried on past files."""

import json
from dataclasses import asdict
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from permits.cli.common import database_url, fail
from permits.cli.show import counted, progress_bar
from permits.settings import ROOT, Settings

if TYPE_CHECKING:
    from permits.backtest import Backtest
    from permits.desk import Law

app = typer.Typer()
rulebook = typer.Typer(no_args_is_help=True, help="Règlement.")
app.add_typer(rulebook, name="rulebook")

Directory = Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Dossier du règlement")]
Day = Annotated[datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="Jour (aujourd’hui par défaut)")]
AsJson = Annotated[bool, typer.Option("--json", help="Écrire le résultat en JSON, pour un programme")]


@rulebook.command("check")
def check(directory: Directory) -> None:
    """Lire un règlement et dire son empreinte, ou la première erreur avec son fichier et sa ligne."""
    law = _law(directory)
    checked = law.rulebook
    typer.echo(f"{checked.authority.identity.name} : {len(law.files)} fichiers, empreinte {checked.digest}")


@rulebook.command("show")
def show(
    directory: Annotated[Path | None, typer.Argument(exists=True, file_okay=False)] = None,
    on: Day = None,
    as_json: AsJson = False,
) -> None:
    """Dire ce qui est en vigueur un jour donné : chaque chiffre, son texte et depuis quand ; celui des réglages."""
    from permits.domain.calendar import paris_day
    from permits.law.summary import in_force_on

    law = _law(directory or Settings().rulebook)
    day = on.date() if on else paris_day(datetime.now(UTC))
    summary = in_force_on(law.rulebook, day)
    if as_json:
        typer.echo(json.dumps(summary.model_dump(mode="json"), ensure_ascii=False))
        return
    typer.echo(f"{summary.authority}, au {day.isoformat()} (empreinte {summary.digest[:12]})")
    typer.echo(f"Signataire : {summary.signatory or 'aucune délégation valable, tout est transmis'}")
    for entry in summary.entries:
        since = f" (depuis le {entry.since})" if entry.since else ""
        typer.echo(f"{entry.label} : {entry.value}{since} [{entry.citation.text}]")


@rulebook.command("backtest")
def backtest(
    directory: Directory,
    on: Annotated[
        datetime, typer.Option("--on", formats=["%Y-%m-%d"], help="Premier jour où le règlement essayé vaudrait")
    ],
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Premier jour de décision des demandes reprises")
    ] = None,
    lines: Annotated[int, typer.Option(min=1, max=1000, help="Demandes changées montrées au plus")] = 20,
    as_json: AsJson = False,
) -> None:
    """Reprendre les demandes passées sous un autre règlement : quelles décisions et redevances changent, de combien."""
    from permits.backtest import backtest as try_on
    from permits.register.database import connect

    in_force, proposed = _law(Settings().rulebook), _law(directory)
    engine = connect(database_url(), pool_size=1)
    with progress_bar(shown=not as_json) as progress:
        done = try_on(
            engine,
            in_force.rulebook.authority.identity.id,
            in_force,
            proposed,
            on=on.date(),
            since=since.date() if since else None,
            progress=lambda taken, total: progress("demandes", taken, total),
        )
    engine.dispose()
    if as_json:
        typer.echo(json.dumps(_plain(asdict(done)), ensure_ascii=False))
    else:
        _tell(done, lines)


@rulebook.command("schema")
def schema(
    output: Annotated[Path, typer.Option(help="Dossier à écrire")] = ROOT / "rulebooks" / "schema",
) -> None:
    """Écrire le schéma JSON de chaque fichier d’un règlement, pour les éditeurs de texte."""
    from permits.law.schema import write

    typer.echo(f"{len(write(output))} schémas dans {output}")


def _law(directory: Path) -> "Law":
    from app import load_law
    from permits.law.load import RulebookError

    try:
        return load_law(directory)
    except RulebookError as error:
        fail(str(error))


_OUTCOMES = {"granted": "accordée", "referred": "transmise"}


def _tell(done: "Backtest", lines: int) -> None:
    for change in done.changes[:lines]:
        before = _outcome(change.outcome_before, change.grounds_before, change.fee_before)
        after = _outcome(change.outcome_after, change.grounds_after, change.fee_after)
        typer.echo(f"{change.what} : {before} → {after}")
    if done.changed > lines:
        typer.echo(f"… et {counted(done.changed - lines, 'autres')}")
    typer.echo(f"{counted(done.taken, 'demandes reprises')}, dont {counted(done.changed, 'changées')}")
    for (before, after), count in sorted(done.outcomes.items()):
        if before != after:
            typer.echo(f"  {_OUTCOMES.get(before, before)} → {_OUTCOMES.get(after, after)} : {count}")
    difference = done.fees_after - done.fees_before
    typer.echo(
        f"Redevances : {_euros(done.fees_before)} → {_euros(done.fees_after)} ({'+' * (difference >= 0)}"
        f"{_euros(difference)}), {counted(done.fees_changed, 'changées')}"
    )
    if done.erased:
        typer.echo(f"{counted(done.erased, 'autres')} sans réponse du registre : elle n’est plus gardée")


def _outcome(outcome: str, grounds: tuple[str, ...], fee: Decimal | None) -> str:
    told = _OUTCOMES.get(outcome, outcome)
    if grounds:
        told += f" ({', '.join(dict.fromkeys(grounds))})"
    return told + (f", {_euros(fee)}" if fee is not None else "")


def _euros(amount: Decimal) -> str:
    from permits.domain.french import money

    return money(amount)


def _plain(value: Any) -> Any:
    """Return what JSON can hold: pairs of outcomes as `before → after`, amounts as text."""
    if isinstance(value, dict):
        return {" → ".join(k) if isinstance(k, tuple) else k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, Decimal | date) else value
