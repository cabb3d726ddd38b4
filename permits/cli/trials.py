"""A rulebook tried before it comes into force: the price of a request, and what past files would have become."""

import json
from dataclasses import asdict
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from permits.cli.common import AsJson, Directory, RequestFile, day_option, fail, law_in, law_in_force, open_book
from permits.cli.show import counted, progress_bar

if TYPE_CHECKING:
    from permits.backtest import Backtest, Result
    from permits.domain.application import Application
    from permits.domain.decision import Fee

app = typer.Typer()


@app.command("price")
def price(
    directory: Directory,
    request: RequestFile,
    filed_on: Annotated[date | None, day_option("--filed-on", help="Jour du dépôt (aujourd’hui par défaut)")] = None,
    unauthorised: Annotated[bool, typer.Option("--unauthorised", help="Comme une occupation sans titre")] = False,
    as_json: AsJson = False,
) -> None:
    """Calculer la redevance d’une demande sous un règlement, et ce que la machine en ferait ; rien n’est gardé."""
    from permits.domain.admissibility import Inadmissible
    from permits.domain.calendar import PARIS
    from permits.domain.dated import NotInForce
    from permits.domain.tariff.unknown import FeeUnknown
    from permits.quote import quote

    law, application = law_in(directory), _application(request)
    filed_at = datetime.combine(filed_on, time(9), PARIS) if filed_on else datetime.now(UTC)
    try:
        told = quote(law, application, filed_at, unauthorised=unauthorised)
    except Inadmissible as error:
        fail(f"{request}, {error.pointer} : {error.message}")
    except (FeeUnknown, NotInForce) as error:
        fail(f"pas de prix : {error}")
    if as_json:
        fee = told.fee.model_dump(mode="json") if told.fee else None
        grounds = [ground.model_dump(mode="json") for ground in told.grounds]
        typer.echo(json.dumps({"fee": fee, "outcome": told.decision.outcome, "grounds": grounds}, ensure_ascii=False))
        return
    if told.fee:
        _tell_fee(told.fee)
    if unauthorised:
        return
    for ground in told.grounds:
        typer.echo(f"Transmise à un agent ({ground.rule}) : {ground.message}")
    if not told.grounds:
        typer.echo("Accordée par la machine, si l’entreprise, l’adresse et la voie s’y prêtent.")


@app.command("backtest")
def backtest(
    directory: Directory,
    on: Annotated[date, day_option("--on", help="Premier jour où le règlement essayé vaudrait")],
    since: Annotated[date | None, day_option(help="Premier jour de décision des demandes reprises")] = None,
    lines: Annotated[int, typer.Option(min=1, max=1000, help="Demandes changées montrées au plus")] = 20,
    as_json: AsJson = False,
) -> None:
    """Reprendre les demandes passées sous un autre règlement : quelles décisions et redevances changent, de combien."""
    from permits.backtest import backtest as try_on

    proposed = law_in(directory)
    with open_book() as (register, publications), progress_bar(shown=not as_json) as progress:
        done = try_on(
            register.engine,
            register.authority,
            law_in_force(publications),
            proposed,
            on=on,
            since=since,
            progress=lambda taken, total: progress("demandes", taken, total),
        )
    if as_json:
        typer.echo(json.dumps(_plain(asdict(done)), ensure_ascii=False))
    else:
        _tell(done, lines)


def _application(request: Path) -> "Application":
    """Return what a request file asks for, or stop at its first mistake."""
    from pydantic import ValidationError

    from permits.domain.application import FiledApplication
    from permits.domain.french_errors import french_message
    from permits.law.strict import Malformed, read_json

    try:
        return FiledApplication.model_validate(read_json(request.read_text(encoding="utf-8"))).without_contact()
    except Malformed as error:
        fail(f"{request} : ligne {error.line} : {error}")
    except UnicodeDecodeError:
        fail(f"{request} : n’est pas en UTF-8")
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        fail(f"{request} : {' > '.join(str(part) for part in first['loc'])} : {french_message(first)}")


def _tell_fee(fee: "Fee") -> None:
    from permits.domain.french import money

    for line in fee.lines:
        typer.echo(f"{line.label} : {line.explanation} = {money(line.amount, fee.currency)} [{line.citation.text}]")
    typer.echo(f"Total : {money(fee.total, fee.currency)} ({fee.tariff})")
    for line in fee.deposits:
        told = f"{line.label}, {line.explanation} = {money(line.amount, fee.currency)} [{line.citation.text}]"
        typer.echo(f"Dépôt de garantie, hors du total : {told}")


_OUTCOMES = {"granted": "accordée", "referred": "transmise"}


def _tell(done: "Backtest", lines: int) -> None:
    from permits.domain.french import money

    for change in done.changes[:lines]:
        typer.echo(f"{change.what} : {_result(change.before)} → {_result(change.after)}")
    if done.changed > lines:
        typer.echo(f"… et {counted(done.changed - lines, 'autres')}")
    fees_changed = counted(done.fees_changed, "redevances changées")
    typer.echo(f"{counted(done.taken, 'demandes reprises')}, dont {counted(done.changed, 'changées')} ; {fees_changed}")
    for (before, after), count in sorted(done.outcomes.items()):
        if before != after:
            typer.echo(f"  {_OUTCOMES.get(before, before)} → {_OUTCOMES.get(after, after)} : {count}")
    for currency, sums in sorted(done.fees.items()):
        difference = sums.after - sums.before
        typer.echo(
            f"Redevances : {money(sums.before, currency)} → {money(sums.after, currency)} "
            f"({'+' * (difference >= 0)}{money(difference, currency)})"
        )
    if done.erased:
        typer.echo(f"{counted(done.erased, 'autres')} sans réponse du registre : elle n’est plus gardée")


def _result(result: "Result") -> str:
    from permits.domain.french import money

    told = _OUTCOMES.get(result.outcome, result.outcome)
    if result.grounds:
        told += f" ({', '.join(dict.fromkeys(result.grounds))})"
    return told + (f", {money(result.fee.total, result.fee.currency)}" if result.fee else "")


def _plain(value: Any) -> Any:
    """Return what JSON can hold: pairs of outcomes as `before → after`, amounts as text."""
    if isinstance(value, dict):
        return {" → ".join(k) if isinstance(k, tuple) else k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, Decimal | date) else value
