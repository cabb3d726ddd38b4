"""How what was looked at is shown: a progress bar, lines for a person, JSON for a program."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from permits.register.checkpoint import Checkpoint
    from permits.register.fsck import Code, Progress, Report, Seals
    from permits.replay import Replay


@contextmanager
def progress_bar(*, shown: bool) -> "Iterator[Progress]":
    """Give what shows how far each step has come, on a terminal; elsewhere, and unless `shown`, it shows nothing."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description:>10}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    tasks: dict[str, Any] = {}
    with Progress(*columns, console=console, disable=not (shown and console.is_terminal)) as bars:

        def progress(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step)
            bars.update(tasks[step], completed=done, total=total)

        yield progress


@dataclass(frozen=True)
class Held:
    """What a look held the book against: a checkpoint, seals, and whether their certificate is a trusted one."""

    checkpoint: "Checkpoint | None"
    seals: "Seals | None"
    trusted: bool


def tell_report(report: "Report", held: Held, took: float, lines: int | None) -> None:
    """Tell what `permits fsck` found: at most `lines` a code, or as JSON when that is None."""
    seals, trusted, shown = held.seals, held.trusted, held.checkpoint
    if lines is None:
        drawn = {"verified": report.read.get("cachets", 0), "seed": seals.seed, "trusted": trusted} if seals else None
        compared = {"position": shown.position, "at": shown.at.isoformat()} if shown else None
        told = asdict(report) | {"checkpoint": compared, "seals": drawn, "seconds": round(took, 3)}
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    for code, count in report.counts.items():
        _tell_code(report, code, count, lines)
    read = ", ".join(counted(count, step) for step, count in report.read.items())
    verdict = counted(sum(report.counts.values()), "défauts") if report.counts else "Registre exact"
    typer.echo(f"{verdict} : {read} ; {took:.1f} s".replace(".", ","))
    if shown is None:
        typer.echo("Sans point de contrôle : un registre remis à un état antérieur ne se verrait pas")
    else:
        typer.echo(f"Comparé au point de contrôle de l’entrée {shown.position}, {shown.at.isoformat()}")
    if seals is not None:
        chance = "" if seals.sample is None else f", tirés au hasard (--seed {seals.seed})"
        whose = "sous le cachet connu" if trusted else "sous le certificat que chacun porte : son origine n’est pas vue"
        verified = report.read.get("cachets", 0)
        typer.echo(f"{counted(verified, 'cachets vérifiés')} {whose}{chance}")


def tell_replay(done: "Replay", lines: int | None) -> None:
    """Tell what `permits replay` found: at most `lines` differences, or as JSON when that is None."""
    if lines is None:
        typer.echo(json.dumps(asdict(done), ensure_ascii=False))
        return
    for each in done.differences[:lines]:
        typer.echo(f"{each.what} : {each.path or 'décision'} : {_short(each.old)} → {_short(each.new)}")
    if (more := done.fields - min(lines, len(done.differences))) > 0:
        typer.echo(f"… et {counted(more, 'autres différences')}")
    typer.echo(f"{counted(done.taken, 'décisions reprises')}, dont {counted(done.differing, 'différentes')}")
    if done.erased:
        typer.echo(f"{counted(done.erased, 'autres')} sans réponse du registre : elle n’est plus gardée")


def _tell_code(report: "Report", code: "Code", count: int, lines: int) -> None:
    of_code = [finding for finding in report.findings if finding.code == code][:lines]
    for finding in of_code:
        typer.echo(f"{code}  {finding.what}  {finding.message}")
    if count > len(of_code):
        typer.echo(f"{code}  … et {count - len(of_code)} de plus")


def counted(count: int, words: str) -> str:
    """Write a number before words given in the plural."""
    return f"{count} {words if count > 1 else ' '.join(word.removesuffix('s') for word in words.split())}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else f"{text[:200]}…"
