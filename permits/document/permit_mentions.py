"""What the document of a permit must say, taken from its payload, and not from its template."""

from collections.abc import Iterator

from permits.document import french
from permits.document.mentions import Mention, algorithm, cited, common_mentions
from permits.document.occupancies import dimensions, named
from permits.domain.permit import Amendment, Permit, PermittedOccupancy

# Without these words the act can be annulled, or its time limits never run.
MANDATORY_WORDS = {
    "caractère précaire et révocable": "à titre précaire et révocable",
    "renouvellement sur nouvelle demande": "fait l’objet d’une nouvelle demande",
    "caractère personnel": "à titre personnel",
    "responsabilité": "Le bénéficiaire répond, envers",
    "assurance": "Il est assuré en responsabilité civile pendant toute la durée de l’occupation",
    "remise en état": "il libère les lieux, les nettoie et les remet en état",
    "affichage sur le chantier": "Le présent arrêté est affiché sur le chantier",
    "autres autorisations": "Il ne dispense d’aucune autre autorisation",
    "droits des tiers": "Les droits des tiers sont et demeurent réservés",
    "copies": "Copie en est tenue à la disposition de la police municipale",
    "fondement de la redevance": "donne lieu à redevance (code général de la propriété des personnes publiques",
    "loi informatique et libertés": "article 47 de la loi n° 78-17 du 6 janvier 1978",
    "recours examiné par un agent": "examiné par un agent, jamais par le seul traitement",
}


def permit_mentions(permit: Permit) -> Iterator[Mention]:
    """Yield all that the document must show, each in its place."""
    for what, words in MANDATORY_WORDS.items():
        yield Mention(what, words)
    yield from common_mentions(permit)
    yield from algorithm(permit.algorithm_contact)
    yield from _glance(permit)
    yield from _subject(permit)
    yield from _grounds(permit)
    yield from _place_and_time(permit)
    yield from _fee(permit)
    if permit.insurance:
        words = f"il a déclaré le contrat {permit.insurance.policy} de l’assureur {permit.insurance.insurer}."
        yield Mention("contrat d’assurance", words)


def _glance(permit: Permit) -> Iterator[Mention]:
    """What the box at the top says again, to be read first."""
    beneficiary, dates = permit.beneficiary, french.period(permit.starts_on, permit.ends_on)
    yield Mention("bénéficiaire, en tête", f"{beneficiary.name} (SIRET {french.spaced_siret(beneficiary.siret)})")
    things = " ; ".join(dict.fromkeys(named(each) for each in permit.occupancies))
    yield Mention("objet, en tête", f"Objet {french.capital(things)} Lieu {permit.occupancies[0].address}")
    yield Mention("dates, en tête", f"Dates {french.capital(dates)}, {_hours(permit, 'de', 'jour et nuit')}")
    yield Mention("montant, en tête", f"Redevance {french.money(permit.fee.total, permit.fee.currency)}")


def _hours(permit: Permit, before: str, otherwise: str) -> str:
    hours = permit.daily_hours
    return f"{before} {french.hour(hours.starts)} à {french.hour(hours.ends)}" if hours else otherwise


def _subject(permit: Permit) -> Iterator[Mention]:
    yield Mention("demande", f"demande n° {permit.asked_in}")
    if permit.amends is None:
        yield Mention("titre de l’acte", f"{permit.number} portant permis de stationnement")
    elif permit.amends.kind == "extension":
        yield from _extension(permit.number, permit.amends)
    else:
        yield from _correction(permit, permit.amends)


def _extension(number: str, amends: Amendment) -> Iterator[Mention]:
    first = cited(amends.cites)
    title = f"{number} portant prolongation du permis de stationnement n° {amends.cites.number}"
    yield Mention("titre de l’acte", title)
    yield Mention("visa de l’acte prolongé", f"Vu l{first}, que le présent arrêté prolonge ;")
    yield Mention("acte prolongé", f"Le présent arrêté prolonge l{first}, dont les autres dispositions")
    yield Mention("jours de chaque acte", "chacun des deux régit les jours qu’il autorise")


def _correction(permit: Permit, amends: Amendment) -> Iterator[Mention]:
    first = cited(amends.cites)
    title = f"{permit.number} portant rectification du permis de stationnement n° {amends.cites.number}"
    yield Mention("titre de l’acte", title)
    yield Mention("visa de l’acte rectifié", f"Vu l{first}, que le présent arrêté rectifie ;")
    yield Mention("acte remplacé", f"Le présent arrêté annule et remplace l{first}, dont il corrige :")
    for reason in amends.reasons:
        yield Mention("rectification", french.clause(reason))
    taken = french.paris_date(permit.decided_at)
    yield Mention("effet de la rectification", f"Il prend effet le {taken}, jour où il est pris.")


def _grounds(permit: Permit) -> Iterator[Mention]:
    for each in permit.considerations:
        yield Mention("considérant", f"Considérant {french.consideration(each)} ;")
    for prescription in permit.prescriptions:
        yield Mention("prescription", f"{prescription.text} [{prescription.citation.text}]")


def _place_and_time(permit: Permit) -> Iterator[Mention]:
    period = french.period(permit.starts_on, permit.ends_on)
    yield Mention("période", f"L’occupation est autorisée {period}, soit")
    yield Mention("fin de l’autorisation", f"fin de plein droit le {french.long_date(permit.ends_on)}.")
    yield Mention("durée", f"soit {french.number(french.day_count(permit.starts_on, permit.ends_on))} jour")
    hours = _hours(permit, "chaque jour de", "de jour comme de nuit, sous réserve de l’article 4")
    yield Mention("horaires", f"{hours}. Les emprises")
    if permit.urbanism_file:
        yield Mention("dossier d’urbanisme", f"(dossier d’urbanisme {permit.urbanism_file})")
    for mark, occupancy in enumerate(permit.occupancies, start=1):
        yield from _row(mark, occupancy)


def _row(mark: int, occupancy: PermittedOccupancy) -> Iterator[Mention]:
    """One line of the table, each figure in the words of that line: the same one may stand in another."""
    thing = f"{mark} {french.capital(named(occupancy))}"
    place = occupancy.address
    if occupancy.footway_clear_width_m is not None:
        place += f" Passage piéton laissé libre : {french.metres(occupancy.footway_clear_width_m)}"
        yield Mention("passage piéton", place)
    yield Mention("objet", thing)
    yield Mention("emplacement", f"{french.capital(named(occupancy))} {occupancy.address}")
    size = dimensions(occupancy)
    yield Mention("dimensions", f"{place} {size}")
    yield Mention("surface", f"{size} {french.square_metres(occupancy.area_m2)}")


def _fee(permit: Permit) -> Iterator[Mention]:
    payer = french.spaced_siret(permit.payer_siret or permit.beneficiary.siret)
    yield Mention("redevable", f"due par l’établissement de SIRET {payer} :")
    yield Mention("version du tarif", f"Tarif appliqué : {permit.fee.tariff}")
    yield Mention("modalités de paiement", permit.payment_terms)
    if not permit.fee.lines:
        yield Mention("redevance", "une ligne de tarif ou une exonération, avec son texte")
    for line in permit.fee.lines:
        # A line that rests on another text than the first says so beside its name.
        other = line.citation.text != permit.fee.lines[0].citation.text
        name = f"{line.label} [{line.citation.text}]" if other else line.label
        words = f"{name} {line.explanation} {french.money(line.amount, permit.fee.currency)}"
        yield Mention("ligne de redevance", words, is_figure=True)
        yield Mention("texte du tarif", line.citation.text)
    yield Mention("total de la redevance", f"Total {french.money(permit.fee.total, permit.fee.currency)}")
    for deposit in permit.fee.deposits:
        words = f"{deposit.explanation}, {french.money(deposit.amount, permit.fee.currency)}"
        yield Mention("dépôt de garantie", words, is_figure=True)
