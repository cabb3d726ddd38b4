"""A voted text comes into force under a service that never stops: written, proposed, published, live on its day.

Nobody waits for midnight: the steps are moved into the past instead, which the service can't tell from days gone by.
"""

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text

from permits.document import french
from permits.domain.calendar import paris_day
from permits.laws import load_law
from permits.register.book import Register
from permits.register.publications import Publications
from permits.register.queue import ProcrastinateQueue
from tests.domain.builders import RULEBOOK_DIRECTORY
from tests.endtoend.town import Town, open_town
from tests.register.forcing import superuser

pytestmark = [pytest.mark.xdist_group("rulebook"), pytest.mark.timeout(300)]

TARIFF, VOTED = "tariffs/droits_de_voirie.yaml", 'rate: "1.20"'


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    """A town whose service runs from the first of these tests to the last, on a rulebook directory of its own."""
    with open_town() as opened:
        shutil.copytree(RULEBOOK_DIRECTORY, rulebook_of(opened))
        opened.start(PERMITS_RULEBOOK=str(rulebook_of(opened)))
        yield opened
        assert opened.service is not None and opened.service.process.poll() is None


def rulebook_of(town: Town) -> Path:
    return town.home / "rulebook"


def write(town: Town, rate: str) -> None:
    """Save the tariff, in the directory that the service runs on, with another rate of scaffolds."""
    voted = (RULEBOOK_DIRECTORY / TARIFF).read_text(encoding="utf-8")
    assert VOTED in voted
    (rulebook_of(town) / TARIFF).write_text(voted.replace(VOTED, rate), encoding="utf-8")


def ready(town: Town, check: str) -> tuple[bool, str]:
    """Return what `/readyz`, which answers 200 whatever it tells of rulebooks, says under this name."""
    with town.caller() as client:
        answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)
    (found,) = [each for each in answer.json()["checks"] if each["name"] == check]
    return found["ok"], found["detail"]


def granted(town: Town) -> tuple[str, str]:
    """File an application; return the fee of the permit, and the digest of the rulebook that its trace names."""
    with town.caller() as client:
        filed = town.file(client, str(uuid4())).json()
        assert (filed["outcome"], filed["permit"]["state"]) == ("granted", "issued"), filed
        trace = client.get(f"/v1/permits/{filed['permit']['number']}/trace").raise_for_status().json()
    return filed["fee"]["total"], trace["rulebook"]


def scaffolds(town: Town, day: date) -> str:
    """Return what the API says a scaffold costs on a day, and the page too."""
    with town.caller() as client:
        entries = client.get("/v1/rulebook", params={"on": str(day)}).raise_for_status().json()["entries"]
        page = client.get("/reglement", params={"on": str(day)}).raise_for_status().text
    (told,) = [str(entry["value"]) for entry in entries if entry["id"] == "tariff/1"]
    assert f"<td>{french.typeset(told)}</td>" in page
    return told


def a_month_passes(town: Town) -> None:
    """Make every step as old as if a month had gone by."""
    with town.engine.begin() as connection, superuser(connection):
        connection.execute(text("UPDATE rulebook_step SET effective_on = effective_on - 30"))


def test_an_edited_directory_changes_nothing_and_readyz_tells_it(town: Town) -> None:
    in_force = granted(town)
    assert in_force[0] == "92.40"
    assert ready(town, "rulebook:directory") == (True, "le dossier est celui qui est en vigueur")

    write(town, 'rate: "1.20')
    told = "le dossier ne se lit pas, le règlement en vigueur le reste : "
    told += f"{TARIFF}: ligne 14: une virgule, un crochet ou une accolade manque, ou un texte à mettre entre guillemets"
    assert ready(town, "rulebook:directory") == (True, told)
    assert granted(town) == in_force

    write(town, 'rate: "1.30"')
    digest = load_law(rulebook_of(town)).rulebook.digest
    told = f"le dossier tient un autre règlement ({digest[:12]}) : proposez-le (`permits rulebook propose`)"
    assert ready(town, "rulebook:directory") == (True, told)
    assert granted(town) == in_force


def test_two_people_publish_what_is_live_on_its_day(town: Town) -> None:
    write(town, 'rate: "1.30"')
    digest = load_law(rulebook_of(town)).rulebook.digest
    today = paris_day(datetime.now(UTC))
    coming = today + timedelta(days=2)  # so that midnight may come meanwhile
    before = granted(town)

    proposed = town.permits("rulebook", "propose", str(rulebook_of(town)), "--from", str(coming), "--by", "agent-7")
    alone = town.permits("rulebook", "publish", digest[:12], "--by", "agent-7")
    assert scaffolds(town, coming) == "1,20 € par m² et par jour", "what is only proposed binds nobody"
    published = town.permits("rulebook", "publish", digest[:12], "--by", "agent-8")

    assert proposed.returncode == 0, proposed.stderr
    refused = "permits : une autre personne doit avoir proposé ce règlement, pour ce même jour\n"
    assert (alone.returncode, alone.stderr) == (1, refused)
    assert (published.returncode, published.stdout) == (0, f"publié, en vigueur le {coming} : {digest}\n")
    assert scaffolds(town, today) == "1,20 € par m² et par jour"
    assert scaffolds(town, coming) == "1,30 € par m² et par jour"
    assert granted(town) == before
    town.check_by_fsck()

    a_month_passes(town)
    assert granted(town) == ("99.60", digest)
    assert scaffolds(town, today) == "1,30 € par m² et par jour"
    assert ready(town, "rulebook:directory") == (True, "le dossier est celui qui est en vigueur")


def test_a_published_rulebook_altered_in_the_base_leaves_the_one_before_and_readyz_tells_it(town: Town) -> None:
    before = granted(town)
    assert ready(town, "rulebook:published") == (True, "se lit")
    write(town, 'rate: "0.90"')
    law, at = load_law(rulebook_of(town)), datetime.now(UTC)
    digest, coming = law.rulebook.digest, paris_day(at) + timedelta(days=2)
    register = Register(town.engine, law.rulebook.authority.identity.id, ProcrastinateQueue())
    register.keep_rulebook(digest, law.files, at)
    publications = Publications(town.engine, register.authority, register.floor)
    publications.propose(digest, coming, "agent-7", at)
    publications.publish(digest, coming, "agent-8", at)
    with town.engine.begin() as connection, superuser(connection):
        altered = text("UPDATE rulebook SET files = files - 'retention.yaml' WHERE digest = :digest")
        assert connection.execute(altered, {"digest": digest}).rowcount == 1
    a_month_passes(town)

    ok, told = ready(town, "rulebook:published")
    assert not ok
    assert told.startswith(f"le règlement publié {digest[:12]} ne se lit pas, le précédent reste : ")
    assert granted(town) == before
