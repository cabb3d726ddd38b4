"""The rulebook: checked, read as of a day, proposed by one person and published by another."""

import json
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from permits.cli import trials
from permits.cli.common import AsJson, By, Directory, day_option, fail, law_in, open_book
from permits.desk import Law
from permits.settings import ROOT, Settings

if TYPE_CHECKING:
    from permits.domain.rulebook import Rulebook
    from permits.law.past import Rewritten
    from permits.register.publications import Publications, Step

app = typer.Typer()
rulebook = typer.Typer(no_args_is_help=True, help="Règlement.")
app.add_typer(rulebook, name="rulebook")
rulebook.add_typer(trials.app)

Day = Annotated[date | None, day_option("--on", help="Jour (aujourd’hui par défaut)")]


@rulebook.command("check")
def check(directory: Directory) -> None:
    """Lire un règlement et dire son empreinte, ou la première erreur avec son fichier et sa ligne."""
    law = law_in(directory)
    checked = law.rulebook
    typer.echo(f"{checked.authority.identity.name} : {len(law.files)} fichiers, empreinte {checked.digest}")


@rulebook.command("show")
def show(
    directory: Annotated[Path | None, typer.Argument(help="Dossier du règlement")] = None,
    on: Day = None,
    as_json: AsJson = False,
) -> None:
    """Dire ce qui vaut un jour donné : chaque chiffre, son texte et depuis quand.

    Sans dossier : ce qui est en vigueur dans la base, ou le dossier des réglages s’il n’y a pas de base.
    """
    from permits.domain.summary import in_force_on

    day = on or _today()
    law, source = (law_in(directory), f"dossier {directory}") if directory else _in_force(day)
    summary = in_force_on(law.rulebook, day)
    if as_json:
        typer.echo(json.dumps({"source": source} | summary.model_dump(mode="json"), ensure_ascii=False))
        return
    typer.echo(f"{summary.authority}, au {day.isoformat()}, {source} (empreinte {summary.digest[:12]})")
    typer.echo(f"Signataire : {summary.signatory or 'aucune délégation valable, tout est transmis'}")
    for entry in summary.entries:
        since = f" (depuis le {entry.since})" if entry.since else ""
        typer.echo(f"{entry.label} : {entry.value}{since} [{entry.citation.text}]")
    for period in summary.forbidden_periods:
        text = f" [{period.citation.text}]" if period.citation else ""
        typer.echo(f"Période interdite : {period.told}{text}")
    for question in summary.questions:
        typer.echo(f"Question : {question.asks}")
    for label in summary.missing:
        typer.echo(f"{label} : rien n’est en vigueur ce jour, la demande est transmise")


@rulebook.command("propose")
def propose(
    given: Annotated[
        str,
        typer.Argument(metavar="DOSSIER|EMPREINTE", help="Dossier du règlement, ou empreinte d’un autre déjà gardé"),
    ],
    by: By,
    effective_on: Annotated[date, day_option("--from", help="Premier jour, à venir")],
) -> None:
    """Proposer un règlement pour un jour à venir ; une autre personne le publie."""
    day, at = effective_on, datetime.now(UTC)
    with open_book() as (register, publications):
        law = law_in(Path(given)) if Path(given).is_dir() else _kept(publications, given)
        if law.rulebook.authority.identity.id != register.authority:
            fail(f"ce règlement est celui de {law.rulebook.authority.identity.id}, ce registre de {register.authority}")
        changed = _rewritten(publications, law.rulebook, day)
        register.keep_rulebook(law.rulebook.digest, law.files, at)
        publications.propose(law.rulebook.digest, day, by, at)
    typer.echo(f"proposé pour le {day} : {law.rulebook.digest}")
    for each in changed:
        typer.echo(
            f"Attention, une valeur passée est réécrite : {each.file}, « {each.label} », {each.day}. "
            "On n’efface pas une valeur passée : on ajoute la suivante."
        )
    typer.echo(f"Une autre personne : permits rulebook publish {law.rulebook.digest[:12]} --by …")


@rulebook.command("publish")
def publish(
    digest: Annotated[str, typer.Argument(help="Empreinte du règlement proposé ; ses 8 premiers caractères suffisent")],
    by: By,
    effective_on: Annotated[
        date | None,
        day_option("--from", help="Jour pour lequel il est proposé, s’il l’est pour plusieurs"),
    ] = None,
) -> None:
    """Publier ce qu’une autre personne a proposé : il prend effet au jour dit, sans redémarrage."""
    with open_book() as (_, publications):
        waiting = publications.waiting(_today())
        found, day = _proposed(waiting, digest, effective_on)
        _checked(publications, found)
        publications.publish(found, day, by, datetime.now(UTC))
    typer.echo(f"publié, en vigueur le {day} : {found}")


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


def _in_force(day: date) -> tuple[Law, str]:
    """Return what is in force on a day, and where that is kept."""
    from permits.laws import KeptLaws

    settings = Settings()
    if settings.database_url is not None:
        with open_book() as (_, publications):
            if publications.until(day):
                law, fault = KeptLaws(publications).read(day)
                if fault:
                    typer.echo(f"permits : {fault}", err=True)
                return law, "en vigueur dans la base"
    return law_in(settings.rulebook), f"dossier {settings.rulebook}"


def _kept(publications: "Publications", prefix: str) -> Law:
    """Return the one rulebook of the book whose digest begins so, found right, or stop."""
    found = publications.kept(prefix) if len(prefix) >= _SHORTEST_DIGEST else []
    if len(found) != 1:
        fail(f"« {prefix} » n’est ni un dossier, ni le début de l’empreinte d’un seul règlement de ce registre")
    return _checked(publications, found[0])


def _checked(publications: "Publications", digest: str) -> Law:
    """Return a kept rulebook, found right, or stop: what is put in force is read before, not on its day."""
    from permits.law.load import RulebookError
    from permits.laws import checked_law_of, kept_files

    try:
        return checked_law_of(kept_files(publications, digest))
    except RulebookError as error:
        fail(f"le règlement {digest[:12]} n’entre pas en vigueur : {error}")


def _rewritten(publications: "Publications", proposed: "Rulebook", day: date) -> "list[Rewritten]":
    """Return what of the past differs from what will be in force on the eve; nothing when none of it can be read."""
    from permits.desk import RulebookUnreadable
    from permits.law.past import rewritten
    from permits.laws import KeptLaws

    with suppress(RulebookUnreadable):
        before = KeptLaws(publications).on(day - timedelta(days=1))
        return list(rewritten(before.rulebook, proposed, day))
    return []


def _proposed(waiting: "list[Step]", prefix: str, day: date | None) -> tuple[str, date]:
    """Return the one proposal that is meant, or stop and tell those that are waiting."""
    known = sorted({(step.effective_on, step.digest) for step in waiting})
    found = [each for each in known if each[1].startswith(prefix) and day in (None, each[0])]
    if len(prefix) < _SHORTEST_DIGEST or not found:
        fail(f"aucun règlement proposé n’a cette empreinte ; en attente : {_told(known) or 'aucun'}")
    if len(found) > 1:
        fail(f"plusieurs propositions ont cette empreinte, dites le jour (--from) : {_told(found)}")
    return found[0][1], found[0][0]


def _told(proposals: list[tuple[date, str]]) -> str:
    return ", ".join(f"{digest[:12]} ({day})" for day, digest in proposals)


def _today() -> date:
    from permits.domain.calendar import paris_day

    return paris_day(datetime.now(UTC))


_STEPS = {"adopted": "adopté", "proposed": "proposé", "published": "publié"}
_SHORTEST_DIGEST = 8
