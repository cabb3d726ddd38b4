"""Erase what the law wants erased, and show a person what was asked and read about them."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from permits.cli.common import fail, law_in_force, open_book
from permits.domain.calendar import PARIS

if TYPE_CHECKING:
    from permits.register.book import Register
    from permits.register.publications import Publications

app = typer.Typer()

_TABLES = {
    "application_contact": "courriel et téléphone des demandeurs",
    "application_evidence": "réponses du registre sur des personnes",
    "registry_access": "traces des appels au registre",
    "access_log": "lectures par les clients",
    "client": "comptes révoqués",
}
_COUNTED_FROM = {"end_of_file": "fin du dossier", "event": "chaque ligne", "revocation": "révocation"}
_PURPOSES = {
    "filing": "dépôt d’une demande",
    "preview": "simulation",
    "consultation": "consultation par un client",
    "waiting": "demande en attente du registre",
    "sealing": "vérification avant scellement",
    "operation": "opération du service",
}
_OUTCOMES = {
    "found": "trouvé",
    "not_found": "non trouvé",
    "protected": "protégé",
    "no_answer": "sans réponse",
    "not_asked": "non interrogé",
    "reused": "réponse déjà connue",
    None: "réponse inconnue",
}
_READ = {"application": "demande", "permits": "liste des permis", "act": "acte", "document": "document"}

Limit = Annotated[int, typer.Option(min=1, max=100_000, help="Nombre de lignes, les plus récentes, par tableau")]


@app.command()
def purge(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Compter seulement, ne rien effacer")] = False,
) -> None:
    """Effacer ce dont la durée de conservation est échue, selon le règlement en vigueur."""
    from permits.register.purge import purge as run

    with _book() as (register, publications):
        retention = law_in_force(publications).rulebook.retention
        erased = run(register.engine, register.authority, retention, datetime.now(UTC), dry_run=dry_run)
    rows = []
    for table, count in erased.items():
        period = getattr(retention, table)
        rows.append((_TABLES[table], f"{period.months} mois", _COUNTED_FROM[period.counted_from], str(count)))
    _tell(("Table", "Durée", "Comptée depuis", "À effacer" if dry_run else "Effacé"), rows)


@app.command("erase-contact")
def erase_contact(application: Annotated[UUID, typer.Argument(help="Identifiant de la demande")]) -> None:
    """Effacer le contact d’une demande avant son terme, quand la personne le demande."""
    from permits.register.purge import erase_contact as erase

    with _book() as (register, _):
        erased = erase(register.engine, register.authority, application, datetime.now(UTC))
    if not erased:
        fail(f"le registre ne tient aucun contact pour la demande {application}")
    typer.echo(f"contact de la demande {application} effacé")


@app.command("access-log")
def access_log(
    siret: Annotated[str, typer.Argument(help="SIRET de l’établissement, 14 chiffres")], limit: Limit = 1000
) -> None:
    """Montrer ce qui a été demandé au registre sur un SIRET et lu de ses dossiers (CRPA art. R. 114-9-7)."""
    from permits.register.readings import readings_about
    from permits.register.traces import traces_about

    if not (len(siret) == 14 and siret.isdecimal()):
        fail("un SIRET compte 14 chiffres")
    with _book() as (register, _):
        traces = traces_about(register.engine, register.authority, siret, limit)
        readings = readings_about(register.engine, register.authority, siret, limit)
    typer.echo(f"Appels au registre des entreprises : {len(traces)}")
    asked = [
        (_when(each.at), each.source, _PURPOSES[each.purpose], _OUTCOMES[each.outcome], _id(each.about))
        for each in traces
    ]
    _tell(("Instant (Paris)", "Registre", "Pourquoi", "Réponse", "Demande ou acte"), asked)
    typer.echo(f"\nLectures des dossiers : {len(readings)}")
    read = [
        (_when(each.at), each.name or str(each.client_id), _READ[each.what], each.subject or "") for each in readings
    ]
    _tell(("Instant (Paris)", "Client", "Lu", "Lequel"), read)


@contextmanager
def _book() -> "Iterator[tuple[Register, Publications]]":
    """Give the book, its schema checked: neither seal, nor registry, nor sound directory is needed."""
    from permits.register.database import check_schema

    with open_book() as (register, publications):
        with register.engine.connect() as connection:
            check_schema(connection)
        yield register, publications


def _tell(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Write a small table, its columns aligned."""
    table = [header, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(header))]
    for row in table:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _when(at: datetime) -> str:
    return f"{at.astimezone(PARIS):%Y-%m-%d %H:%M:%S}"


def _id(about: UUID | None) -> str:
    return str(about) if about else ""
