"""The service with a time-stamp authority, out and back: what it delivers, what it says, and what it archives."""

from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import text

from tests.endtoend.running import wait
from tests.endtoend.town import Town, open_town
from tests.pki import Pki

pytestmark = [pytest.mark.proof, pytest.mark.timeout(300)]
PASSPHRASE = "essai"


def with_stamps(town: Town, pki: Pki, folder: Path) -> None:
    """Give the town a seal of that infrastructure, and its authority."""
    (folder / "seal.p12").write_bytes(pki.pkcs12(PASSPHRASE))
    (folder / "root.pem").write_bytes(pki.root.public_bytes(Encoding.PEM))
    town.certificate = pki.root
    town.change_settings(
        PERMITS_SEAL_PKCS12=str(folder / "seal.p12"),
        PERMITS_SEAL_PASSPHRASE=PASSPHRASE,
        PERMITS_TSA_URL=pki.tsa_url,
        PERMITS_SEAL_TRUST=str(folder / "root.pem"),
    )


def levels(town: Town) -> list[str]:
    with town.engine.connect() as connection:
        return list(connection.execute(text("SELECT level FROM document ORDER BY stored_at")).scalars())


def copies(town: Town) -> int:
    with town.engine.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM archive_copy")).scalar_one())


def timestamps(client: httpx.Client) -> tuple[bool, str]:
    (row,) = [each for each in client.get("/readyz").json()["checks"] if each["name"] == "timestamps"]
    assert not row["failing"]
    return row["ok"], row["detail"]


def test_an_outage_of_the_authority_is_told_and_made_up_for(pki: Pki, tmp_path: Path) -> None:
    with open_town() as town:
        with_stamps(town, pki, tmp_path)
        town.start()
        with town.caller() as client:
            assert town.file(client, str(uuid4())).json()["permit"]["state"] == "issued"
            assert timestamps(client) == (True, "les cachets sont horodatés (B-LT)")
            pki.faults["tsa"] = "down"
            assert town.file(client, str(uuid4())).json()["permit"]["state"] == "issued"
            assert levels(town) == ["B-LT", "B-B"]
            ok, detail = timestamps(client)
            assert not ok and "1 acte attend son horodatage" in detail
            pki.resume()
            assert wait(lambda: copies(town) > 0, 150), "the job of the next minutes stamps it"
        town.check_by_fsck()
