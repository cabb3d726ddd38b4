"""`permits draft-police-order`: the draft of a stored application, as an agent reads it on the day."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import uuid4

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from permits import acts
from permits.cli import app
from permits.domain.filing import Filed
from permits.issue import issue_permit
from permits.laws import law_of
from tests.acting import BY, HEARING, MARKET, permit_of, referred
from tests.fakes import SIRET, FakeOffice, OneLaw, open_establishment, request_body


@pytest.fixture
def here(office: FakeOffice, monkeypatch: pytest.MonkeyPatch) -> FakeOffice:
    """An office on the database that the command is told to use; the command reads its clock."""

    clock = SimpleNamespace(now=lambda zone: office.clock().astimezone(zone))
    monkeypatch.setattr("permits.cli.police_order.datetime", clock)
    monkeypatch.setenv("PERMITS_DATABASE_URL", office.register.engine.url.render_as_string(hide_password=False))
    return office


def run(application_id: object) -> Result:
    return CliRunner().invoke(app, ["draft-police-order", str(application_id)])


def page(filed: Filed) -> str:
    """What the command writes of this application, its unbreakable spaces as plain ones and its lines as one."""
    done = run(filed.filing.application_id)
    assert done.exit_code == 0, done.output
    return " ".join(done.stdout.replace("\u00a0", " ").replace("\u202f", " ").split())


def refusal(application_id: object) -> str:
    """The one line that says why there is no draft."""
    done = run(application_id)
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    return done.stderr.removeprefix("permits : ").rstrip("\n")


def test_the_draft_of_a_referred_application_is_written_in_the_order_of_an_act(here: FakeOffice) -> None:
    filed = referred(here)
    written = page(filed)
    parts = (
        "PROJET D’ARRÊTÉ, SANS EFFET JURIDIQUE",
        "Commune d’Exemple-Ville – Service Occupation du domaine public",
        "Autorité fictive",
        "réglementant le stationnement et la circulation (44 rue des Exemples 29999 Exemple-Ville) du 11 janvier 2027",
        "Vu le code de la route, notamment ses articles R. 411-8, R. 411-25 et R. 417-1 et suivants [source",
        "Vu le règlement de voirie d’Exemple-Ville adopté le 12 novembre 2025 (fictif) [texte non vérifié] ;",
        f"Vu la demande n° {filed.filing.application_id} reçue par téléservice le 1er décembre 2026 ;",
        "Considérant que l’occupation de la voie publique que demande l’entreprise ECHAFAUDAGES DU MODELE",
        "ARRÊTE",
        "Article 1er. Stationnement Le stationnement de tout véhicule est interdit",
        "chaque jour de 8 h à 18 h, au droit du chantier : – 44 rue des Exemples 29999 Exemple-Ville (nacelle",
        "[code de la route, article R. 417-10, texte non vérifié]",
        "Article 2. Circulation",
        "Article 6. Exécution",
        "Fait à Exemple-Ville, le [date] Maëlle Fictive, adjointe au maire",
        "À COMPLÉTER OU À VÉRIFIER AVANT SIGNATURE 1. Signature : vérifier",
        "11. Mode de passage : alternat",
    )

    found = [written.find(part) for part in parts]
    assert -1 not in found, parts[found.index(-1)]
    assert found == sorted(found)


def test_no_line_is_too_wide_or_begins_with_its_punctuation(here: FakeOffice) -> None:
    lines = run(referred(here).filing.application_id).stdout.splitlines()

    assert len(lines) > 50
    assert max(map(len, lines)) <= 88
    assert not [line for line in lines if line.strip()[:1] in {":", ";", "»", "."}]


def test_drafting_writes_nothing_and_gives_the_same_text_again(here: FakeOffice) -> None:
    def entries() -> int:
        with here.register.engine.connect() as connection:
            return int(connection.execute(text("SELECT count(*) FROM audit_entry")).scalar_one())

    filed = referred(here)
    before = entries()

    assert page(filed) == page(filed)
    assert entries() == before > 0


def test_a_masked_name_is_not_written(here: FakeOffice) -> None:
    here.registry.answers[SIRET] = open_establishment(partially_diffusible=True)
    written = page(referred(here))

    assert f"que demande l’entreprise de SIRET {SIRET} pour le chantier" in written
    assert "ECHAFAUDAGES" not in written


def test_on_a_day_when_nobody_may_sign_the_draft_says_so(here: FakeOffice) -> None:
    filed = referred(here)
    here.clock.now = datetime(2032, 4, 1, 9, 0, tzinfo=UTC)
    written = page(filed)

    assert "le [date] [signataire à désigner]" in written
    assert "1. Signature : aucune délégation n’est valable le 1er avril 2032 ;" in written


def test_an_application_that_nobody_filed_is_told(here: FakeOffice) -> None:
    unknown = uuid4()

    assert refusal(unknown) == f"le registre ne tient aucune demande {unknown}"


def test_an_application_that_takes_neither_a_space_nor_a_lane_is_told(here: FakeOffice) -> None:
    permit = permit_of(here)
    narrow, _ = issue_permit(here.desk, here.filing(request_body("03-narrow-footway-referred")))

    for application_id in (permit.application_id, narrow.filing.application_id):
        assert refusal(application_id).startswith("cette demande ne prend ni place de stationnement ni voie")


def test_a_refused_application_is_told(here: FakeOffice) -> None:
    filed = referred(here)
    act = acts.refuse(here.desk, filed, (MARKET,), HEARING, BY)

    assert refusal(filed.filing.application_id).startswith(f"cette demande est refusée ({act.number}) : ")


def test_an_application_that_waits_for_the_registry_is_told(here: FakeOffice) -> None:
    here.registry.is_down = True
    filed, _ = issue_permit(here.desk, here.filing(request_body("04-parking-and-lane-referred")))

    assert filed.outcome == "awaiting_registry"
    assert refusal(filed.filing.application_id).startswith("cette demande n’est pas encore examinée")


def test_an_application_of_the_sandbox_occupies_no_street(here: FakeOffice) -> None:
    filing = replace(here.filing(request_body("04-parking-and-lane-referred")), sandbox=True)
    filed, _ = issue_permit(here.desk, filing)

    assert refusal(filed.filing.application_id).startswith("cette demande vient du bac à sable")


def test_the_rulebook_that_examined_the_application_is_the_one_that_speaks(here: FakeOffice) -> None:
    """Decided before the section was written, an application gets no draft; the city's new words are not its own."""
    files = dict(here.desk.law.files)
    files["authority.yaml"] = files["authority.yaml"].partition("police_order:")[0]
    law = law_of(files)
    here.register.keep_rulebook(law.rulebook.digest, law.files, here.clock())
    here.desk = replace(here.desk, law=law, laws=OneLaw(law))

    assert refusal(referred(here).filing.application_id) == (
        f"le règlement de cette demande ({law.rulebook.digest[:12]}) n’a pas de police_order dans authority.yaml"
    )
