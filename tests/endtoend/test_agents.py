"""What an agent types, on a real service and database: each act is sealed, told to its holder, and held by fsck."""

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from permits.document.verify import verify_seal
from permits.domain.calendar import paris_day
from permits.examples import with_coming_dates
from tests.endtoend.town import Town, open_town
from tests.fakes import request_body

pytestmark = [pytest.mark.xdist_group("agents"), pytest.mark.timeout(300)]

BY = ("--by", "agent-7")
HEARING = ("--hearing", "le titulaire a été invité par courriel à présenter ses observations, sans réponse")
BREACH = ("--ground", "condition_not_met", "--fact", "l’échafaudage empiète sur le passage des piétons")
ILLEGAL = ("--ground", "illegal", "--fact", "l’emprise est située sur un fonds privé")

KINDS = {"abrogation": "abrogation", "retrait": "withdrawal", "rectification": "correction", "refus": "refusal"}


@pytest.fixture(scope="module")
def opened() -> Iterator[tuple[Town, list[Any]]]:
    """A town whose service is running, and two permits whose printing failed: their numbers stay reserved."""
    with open_town() as town:
        town.start(PERMITS_FAILPOINT="printed=raise@1,printed=raise@2")
        with town.caller() as client:
            stuck = [town.file(client, str(uuid4())).json()["permit"] for _ in range(2)]
        town.put_jobs_off()
        assert [(each["state"], each["document_sha256"]) for each in stuck] == [("reserved", None)] * 2
        yield town, stuck


@pytest.fixture
def town(opened: tuple[Town, list[Any]]) -> Town:
    return opened[0]


@pytest.fixture
def stuck(opened: tuple[Town, list[Any]]) -> Any:
    """One of the two: it is used up."""
    return opened[1].pop()


def taken(town: Town, *words: str) -> str:
    """Run a command that takes an act; return its number, once its sealed document was fetched as its holder does."""
    done = town.permits(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    told = re.fullmatch(r"(EX[AR]?-\d{4}-\d{6}) : (\w+), acte scellé, document ([0-9a-f]{64})\n", done.stdout)
    assert told is not None, done.stdout
    number, name, sha256 = told.groups()
    with town.caller() as client:
        act = client.get(f"/v1/acts/{number}").raise_for_status().json()
        document = client.get(f"/v1/acts/{number}/document").raise_for_status().content
    assert (act["kind"], act["state"], act["document_sha256"]) == (KINDS[name], "issued", sha256)
    assert hashlib.sha256(document).hexdigest() == sha256
    verify_seal(document, town.certificate)
    return number


def refused(town: Town, *words: str) -> str:
    """Run a command that can't be carried out; return the one line that says why."""
    done = town.permits(*words)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()[-1]


def new_permit(town: Town) -> str:
    with town.caller() as client:
        answer = town.file(client, str(uuid4()))
    assert (answer.status_code, answer.json()["outcome"]) == (201, "granted"), answer.text
    number: str = answer.json()["permit"]["number"]
    return number


def permit(town: Town, number: str) -> Any:
    with town.caller() as client:
        return client.get(f"/v1/permits/{number}").raise_for_status().json()


def page(town: Town, number: str) -> str:
    with town.caller() as client:
        return client.get("/v/" + permit(town, number)["verification_url"].rsplit("/", 1)[1]).raise_for_status().text


@pytest.mark.proof
def test_abrogate(town: Town) -> None:
    number = new_permit(town)
    day = (date.fromisoformat(str(town.body["starts_on"])) + timedelta(days=2)).isoformat()
    act = taken(town, "abrogate", number, *BREACH, *HEARING, *BY, "--effective-on", day)

    ended = permit(town, number)
    assert (ended["state"], ended["ended_on"], ended["ended_by"]) == ("abrogated", day, act)
    assert f"permis abrogé par l’acte {act}" in page(town, number)
    again = refused(town, "abrogate", number, *BREACH, *HEARING, *BY, "--effective-on", day)
    assert again == f"permits : {number} n’est pas un permis délivré, ou un autre acte l’a déjà terminé ou remplacé"


@pytest.mark.proof
def test_withdraw(town: Town) -> None:
    number = new_permit(town)
    wrong = refused(town, "withdraw", number, *BREACH, *HEARING, *BY)
    assert wrong == "permits : motif inconnu pour cet acte ; motifs possibles : illegal"
    act = taken(town, "withdraw", number, *ILLEGAL, *HEARING, *BY)

    assert (permit(town, number)["state"], permit(town, number)["ended_by"]) == ("withdrawn", act)


@pytest.mark.proof
def test_correct(town: Town) -> None:
    number = new_permit(town)
    reason = ("--reason", "le nom du chantier : « rue du Four » au lieu de « rue des Exemples »")
    act = taken(town, "correct", number, "--set", "worksite=façade, 12 rue du Four", *reason, *BY)

    corrected = permit(town, act)
    assert (corrected["kind"], corrected["cites"], corrected["worksite"]) == (
        "correction",
        number,
        "façade, 12 rue du Four",
    )
    assert (permit(town, number)["state"], permit(town, number)["ended_by"]) == ("superseded", act)
    assert "ne se corrige pas" in refused(town, "correct", act, "--set", "ends_on=2030-01-01", *reason, *BY)


@pytest.mark.proof
def test_extend_then_end_in_order(town: Town) -> None:
    number = new_permit(town)
    longer = date.fromisoformat(str(town.body["ends_on"])) + timedelta(days=3)
    with town.caller() as client:
        answer = client.post(
            f"/v1/permits/{number}/extension",
            json={"ends_on": longer.isoformat()},
            headers={"Idempotency-Key": str(uuid4())},
        )
    extension = answer.json()["permit"]
    assert (answer.status_code, extension["kind"], extension["cites"]) == (201, "extension", number)
    assert "mettez d’abord fin à sa prolongation" in refused(town, "withdraw", number, *ILLEGAL, *HEARING, *BY)
    taken(town, "withdraw", extension["number"], *ILLEGAL, *HEARING, *BY)
    taken(town, "withdraw", number, *ILLEGAL, *HEARING, *BY)


@pytest.mark.proof
def test_refuse(town: Town) -> None:
    body = with_coming_dates(request_body("04-parking-and-lane-referred"), date.today())
    with town.caller() as client:
        asked = client.post("/v1/applications", json=body, headers={"Idempotency-Key": str(uuid4())}).json()
    assert asked["outcome"] == "referred"
    motive = ("--fact", "la place accueille le marché aux dates demandées")
    law = ("--law", "Règlement de voirie d’Exemple-Ville, art. 22 (fictif)")
    assert "un --law pour chaque --fact" in refused(town, "refuse", asked["id"], *motive, *motive, *law, *HEARING, *BY)
    act = taken(town, "refuse", asked["id"], *motive, *law, *HEARING, *BY)

    with town.caller() as client:
        answered = client.get(f"/v1/applications/{asked['id']}").json()
    assert (answered["refusal"]["number"], answered["acknowledgement"]) == (act, None)
    assert act.startswith("EXR-")


@pytest.mark.proof
def test_notify(town: Town) -> None:
    number, today = new_permit(town), paris_day(datetime.now(UTC)).isoformat()
    words = ("notify", number, "--on", today, "--channel", "registered_letter", "--proof", "RK 12 345 678 9 FR", *BY)
    done = town.permits(*words)

    assert done.returncode == 0, done.stderr
    assert permit(town, number)["notification"] == {
        "notified_on": today,
        "channel": "registered_letter",
        "proof": "RK 12 345 678 9 FR",
    }
    assert refused(town, *words) == f"permits : la notification de {number} est déjà enregistrée"


def test_annul(town: Town, stuck: Any) -> None:
    before = int(new_permit(town).rsplit("-", 1)[1])
    words = ("annul", stuck["number"], "--reason", "le document ne se compose pas", *BY)
    done = town.permits(*words)

    assert (done.returncode, done.stdout) == (0, f"{stuck['number']} : permis, numéro annulé\n")
    assert permit(town, stuck["number"])["state"] == "annulled"
    assert refused(town, *words).endswith(f"seul un numéro réservé s’annule, et {stuck['number']} ne l’est plus")
    assert int(new_permit(town).rsplit("-", 1)[1]) == before + 1


def test_repair_seals_what_is_reserved(town: Town, stuck: Any) -> None:
    """`fsck --repair` has a press and a seal of its own: the service's jobs are put off."""
    done = town.permits("fsck", "--repair", "--seals", "all")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 acte réservé scellé" in done.stderr
    assert done.stdout.startswith("Registre exact : ")
    sealed = permit(town, stuck["number"])
    assert sealed["state"] == "issued"
    town.check_documents([(sealed["number"], sealed["document_sha256"])], seals=1)


@pytest.mark.parametrize("by", ["Maëlle Fictive", "maelle@exemple-ville.example", ""], ids=["name", "email", "nothing"])
def test_an_agent_is_named_by_an_identifier_only(town: Town, by: str) -> None:
    words = ("annul", "EX-2026-000001", "--reason", "le document ne se compose pas", "--by", by)

    assert refused(town, *words).startswith("permits : --by : donnez un identifiant")


def test_after_everything_the_book_is_exact(town: Town) -> None:
    """Whatever of the above was run: numbers, chain, documents, footprints, and every seal."""
    new_permit(town)
    done = town.permits("fsck", "--seals", "all")

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("Registre exact")
