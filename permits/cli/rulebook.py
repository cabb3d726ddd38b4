"""The rulebook: checked, read as of a day, proposed by one person and published by another."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from permits.cli import trials
from permits.cli.common import AsJson, By, Directory, fail, law_in, open_book
from permits.settings import ROOT, Settings

app = typer.Typer()
rulebook = typer.Typer(no_args_is_help=True, help="Règlement.")
app.add_typer(rulebook, name="rulebook")
rulebook.add_typer(trials.app)

Day = Annotated[datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="Jour (aujourd’hui par défaut)")]


@rulebook.command("check")
def check(directory: Directory) -> None:
    """Lire un règlement et dire son empreinte, ou la première erreur avec son fichier et sa ligne."""
    law = law_in(directory)
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
    from permits.domain.summary import in_force_on

    law = law_in(directory or Settings().rulebook)
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


@rulebook.command("propose")
def propose(
    directory: Directory,
    by: By,
    effective_on: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="Premier jour, à venir")],
) -> None:
    """Proposer un règlement pour un jour à venir ; une autre personne le publie."""
    law, at = law_in(directory), datetime.now(UTC)
    with open_book() as (register, publications):
        if law.rulebook.authority.identity.id != register.authority:
            fail(f"ce règlement est celui de {law.rulebook.authority.identity.id}, ce registre de {register.authority}")
        register.keep_rulebook(law.rulebook.digest, law.files, at)
        publications.propose(law.rulebook.digest, effective_on.date(), by, at)
    typer.echo(f"proposé pour le {effective_on.date()} : {law.rulebook.digest}")
    typer.echo(f"Une autre personne : permits rulebook publish {law.rulebook.digest[:12]} --by …")


@rulebook.command("publish")
def publish(
    digest: Annotated[str, typer.Argument(help="Empreinte du règlement proposé ; ses 8 premiers caractères suffisent")],
    by: By,
) -> None:
    """Publier ce qu’une autre personne a proposé : il prend effet au jour dit, sans redémarrage."""
    with open_book() as (_, publications):
        steps = publications.steps(1000)
        done = {(step.digest, step.effective_on) for step in steps if step.step != "proposed"}
        waiting = [step for step in steps if step.step == "proposed" and (step.digest, step.effective_on) not in done]
        found = [step for step in waiting if step.digest.startswith(digest)]
        if len(digest) < _SHORTEST_DIGEST or not found:
            told = ", ".join(f"{step.digest[:12]} ({step.effective_on})" for step in waiting) or "aucun"
            fail(f"aucun règlement proposé n’a cette empreinte ; en attente : {told}")
        publications.publish(found[0].digest, found[0].effective_on, by, datetime.now(UTC))
    typer.echo(f"publié, en vigueur le {found[0].effective_on} : {found[0].digest}")


@rulebook.command("list")
def list_steps(as_json: AsJson = False) -> None:
    """Dire les règlements adoptés, proposés et publiés, le dernier d’abord."""
    with open_book() as (_, publications):
        steps = publications.steps()
    if as_json:
        typer.echo(json.dumps([asdict(step) for step in steps], default=str, ensure_ascii=False))
        return
    for step in steps:
        told = f"{_STEPS[step.step]} par {step.taken_by} le {step.taken_at:%Y-%m-%d}, pour le {step.effective_on}"
        typer.echo(f"{step.digest[:12]} : {told}")


@rulebook.command("schema")
def schema(
    output: Annotated[Path, typer.Option(help="Dossier à écrire")] = ROOT / "rulebooks" / "schema",
) -> None:
    """Écrire le schéma JSON de chaque fichier d’un règlement, pour les éditeurs de texte."""
    from permits.law.schema import write

    typer.echo(f"{len(write(output))} schémas dans {output}")


_STEPS = {"adopted": "adopté", "proposed": "proposé", "published": "publié"}
_SHORTEST_DIGEST = 8
