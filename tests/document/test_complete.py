"""Everything that the law wants on an automatic permit: what the template loses, the lint finds.

One line for each thing of each row of the checklist (`D`: its absence is a defect of the act): what is taken out of
which template, and how the lint calls what is missing.
"""

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from permits.document import TEMPLATES
from permits.document.print import print_act
from permits.domain.ruling import RulingKind
from tests.document.pages import defects_of, templates_with
from tests.document.sample import FEE, fee_line, sample_permit
from tests.document.sample_acts import sample_ruling


class Loss(NamedTuple):
    row: str
    page: str
    gone: str
    defect: str


ACT, PERMIT, PARTS, RULING = "act.html", "arrete.html", "parts.html", "decision.html"
LOSSES = (
    Loss("1 D", ACT, '<p class="authority">{{ by.name|fr }}</p>', "autorité"),
    Loss("1 D", ACT, "ARRÊTÉ n° ", "numéro de l’acte"),
    Loss("1 D", PERMIT, "{% else %}permis de stationnement", "titre de l’acte"),
    Loss("2 D", ACT, '<p class="visa">Vu {{ visa.text|visa }} ;</p>', "visa"),
    Loss("3 D", PERMIT, '<p class="visa">Considérant {{ consideration|consideration }} ;</p>', "considérant"),
    Loss("4 D", PARTS, "<strong>{{ who.name|fr }}</strong>", "bénéficiaire"),
    Loss("4 D", PARTS, "{{ who.siret|siret }}", "bénéficiaire"),
    Loss("4 D", PARTS, '– {{ who.address|join(", ")|fr }}', "adresse du bénéficiaire"),
    Loss("4 D", PERMIT, "à titre personnel", "caractère personnel"),
    Loss("5 D", PERMIT, "<td>{{ each|object|capital }}</td>", "objet"),
    Loss("5 D", PERMIT, "{{ each.address|fr }}", "emplacement"),
    Loss("5 D", PERMIT, "{{ each|dimensions }}", "dimensions"),
    Loss("5 D", PERMIT, "{{ each.area_m2|square_metres }}", "surface"),
    Loss("5 D", PERMIT, "<strong>{{ period(permit.starts_on, permit.ends_on) }}</strong>", "période"),
    Loss("5 D", PERMIT, "chaque jour de", "horaires"),
    Loss("5 D", PERMIT, "{% for plan in plans %}", "plan des emprises"),
    Loss("6 D", PERMIT, "à titre précaire et révocable", "caractère précaire et révocable"),
    Loss("6 D", PERMIT, "Elle prend fin de plein droit le", "fin de l’autorisation"),
    Loss("6 D", PERMIT, "il fait l’objet d’une nouvelle demande", "renouvellement sur nouvelle demande"),
    Loss("7 D", PERMIT, "{{ each.text|fr }}", "prescription"),
    Loss("7 D", PERMIT, "[{{ each.citation.text|fr }}]", "prescription"),
    Loss("8 D", PERMIT, "<td>{{ line.explanation|fr }}</td>", "ligne de redevance"),
    Loss(
        "8 D", PERMIT, '<th class="figure">{{ permit.fee.total|money(permit.fee.currency) }}</th>', "total de la rede"
    ),
    Loss("8 D", PERMIT, "Tarif appliqué : {{ permit.fee.tariff|fr }}", "version du tarif"),
    Loss("8 D", PERMIT, "{{ permit.payment_terms|fr }}", "modalités de paiement"),
    Loss("8 D", PERMIT, "donne lieu à redevance", "fondement de la redevance"),
    Loss("9", PERMIT, "Le bénéficiaire répond", "responsabilité"),
    Loss("9", PERMIT, "Il est assuré en responsabilité civile", "assurance"),
    Loss("9", PERMIT, "et les remet en état", "remise en état"),
    Loss("10", PERMIT, "est affiché sur le chantier", "affichage sur le chantier"),
    Loss("10", PERMIT, "Il ne dispense d’aucune autre autorisation", "autres autorisations"),
    Loss("10", PERMIT, "Les droits des tiers sont et demeurent réservés", "droits des tiers"),
    Loss("11 D", ACT, "<p>Fait à {{ by.place|fr }}, le {{ act.decided_at|paris_date }}</p>", "auteur de l’acte"),
    Loss("11 D", ACT, "<br/>{{ author.service|fr }}", "auteur de l’acte"),
    Loss("11 D", ACT, '<p class="name">{{ author.first_name }} {{ author.name }}</p>', "auteur de l’acte"),
    Loss("11 D", ACT, "Par délégation : {{ author.delegation|fr }}. ", "délégation"),
    Loss("11 D", ACT, "(article L. 212-2, 1°, du code", "dispense de signature"),
    Loss("12 D", PARTS, "dans les deux mois de sa notification", "délai de recours"),
    Loss("12 D", PARTS, "{{ routes.authority|fr }}", "recours gracieux"),
    Loss("12 D", PARTS, "{{ routes.court|fr }}", "juridiction"),
    Loss("12 D", PARTS, "www.telerecours.fr", "téléservice de recours"),
    Loss("12 D", PERMIT, "jamais par le seul traitement algorithmique", "recours examiné par un agent"),
    Loss("13 D", PERMIT, "sur le fondement d’un traitement algorithmique", "mention du traitement algorithmique"),
    Loss("13 D", PERMIT, "article 47 de la loi", "loi informatique et libertés"),
    Loss("13 D", PARTS, "Finalité : vérifier la conformité", "finalité du traitement"),
    Loss("13 D", PARTS, "demander la communication des règles", "droit à communication des règles"),
    Loss("13 D", PARTS, "{{ contact|fr }}", "accès aux règles"),
    Loss("13 D", PARTS, "(CADA)", "saisine de la CADA"),
    Loss("14 D", PARTS, "{{ each.data|fr }}", "donnée obtenue"),
    Loss("14 D", PARTS, "de les faire rectifier", "droit de rectification"),
    Loss("14 D", PARTS, "règlement (UE) 2016/679", "information sur les données personnelles"),
    Loss("14 D", PARTS, "{{ by.data_protection_contact|fr }}", "contact pour les données"),
    Loss("15", PARTS, "à la date de sa première consultation", "date de la notification"),
    Loss("15", PERMIT, "Copie en est tenue à la disposition de la police municipale", "copies"),
    Loss("16", ACT, "{{ act.verification_url }}</a>", "adresse de vérification"),
    Loss("16", ACT, "{{ qr(scanned) }}", "code QR"),
)


_INSTEAD = {
    "{% for plan in plans %}": "{% for plan in () %}",
    "{% else %}permis de stationnement": "{% else %}",
    "{{ act.verification_url }}</a>": "</a>",
}


def test_every_row_of_the_checklist_is_tried() -> None:
    assert {int(loss.row.split()[0]) for loss in LOSSES} == set(range(1, 17))


@pytest.mark.parametrize("turn", range(3))
def test_what_a_template_loses_is_found(turn: int, tmp_path: Path) -> None:
    """In three pages: no two losses of one name are in the same."""
    names = [loss.defect for loss in LOSSES]
    lost = [loss for place, loss in enumerate(LOSSES) if names[:place].count(loss.defect) == turn]
    found = defects_without(lost, tmp_path)
    assert [loss for loss in lost if not any(each.startswith(loss.defect) for each in found)] == []


@pytest.mark.proof
@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: f"{loss.row} {loss.defect}")
def test_what_a_template_loses_alone_is_found(loss: Loss, tmp_path: Path) -> None:
    assert any(each.startswith(loss.defect) for each in defects_without([loss], tmp_path))


def defects_without(losses: list[Loss], tmp_path: Path) -> list[str]:
    """Return what the lint finds in a page whose templates lost these."""
    copy = Path(shutil.copytree(TEMPLATES, tmp_path / "templates", ignore=shutil.ignore_patterns("web")))
    for loss in losses:
        page = copy / loss.page
        text = page.read_text(encoding="utf-8")
        assert loss.gone in text, loss
        # Where a condition, a loop or a tag is taken out, another one has to stand.
        page.write_text(text.replace(loss.gone, _INSTEAD.get(loss.gone, "")), encoding="utf-8")
    return defects_of(print_act(sample_permit(), copy), sample_permit())


def test_a_fee_of_zero_needs_its_line_and_its_text(tmp_path: Path) -> None:
    free = fee_line("Exonération", "1 occupation, gratuit", "1", "u", "0", "0")
    permit = sample_permit(fee=FEE.model_copy(update={"total": free.amount, "lines": (free,)}))
    templates = templates_with(tmp_path, "{{ main|fr }}", "")
    assert any(each.startswith("texte du tarif") for each in defects_of(print_act(permit, templates), permit))


@pytest.mark.parametrize("kind", [RulingKind.WITHDRAWAL])
@pytest.mark.parametrize(
    ("page", "gone", "defect"),
    [
        (RULING, "Considérant {{ motive.fact|consideration }}", "motif"),
        (RULING, "Considérant {{ ruling.hearing|consideration }}", "procédure contradictoire"),
        (ACT, "ARRÊTÉ n° ", "numéro de l’acte"),
        (PARTS, "{{ routes.court|fr }}", "juridiction"),
    ],
)
def test_what_the_template_of_a_ruling_loses_is_found(
    kind: RulingKind, page: str, gone: str, defect: str, tmp_path: Path
) -> None:
    templates = templates_with(tmp_path, gone, "", page)
    ruling = sample_ruling(kind)
    assert any(each.startswith(defect) for each in defects_of(print_act(ruling, templates), ruling))
