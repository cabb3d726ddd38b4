"""The verification pages in a real browser: files that stay on the device, signed codes with no network, no script."""

import hashlib
import json
from base64 import urlsafe_b64encode
from typing import Any

import jwt
import pytest
from jwt.algorithms import ECAlgorithm
from playwright.sync_api import Browser, Page

from tests.web.conftest import PHONE, Api, Street
from tests.web.live import SIGNED, CodeSigner, band, ready
from tests.web.test_page_words import faults_in

ISSUED = "QR signé\u00a0: dit ce qui a été délivré, pas ce qui a changé depuis."


def test_a_chosen_file_is_told_authentic_and_never_leaves_the_device(street: Street, phone: Page) -> None:
    asked: list[str] = []
    phone.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    phone.goto(street.page)
    phone.set_input_files("#file", street.file)

    name, words = band(phone, "#result")
    assert name == "in_force" and "Document authentique" in words and "EX-2026-000001" in words
    assert asked[-1] == f"GET {street.url}/v1/documents/{hashlib.sha256(street.file.read_bytes()).hexdigest()}"
    assert not [request for request in asked if not request.startswith("GET ")]


def test_a_dropped_file_is_checked_where_it_falls(street: Street, phone: Page) -> None:
    phone.goto(f"{street.url}/verifier")
    phone.evaluate(
        """(content) => {
            const held = new DataTransfer();
            held.items.add(new File([Uint8Array.from(content)], "permis.pdf"));
            document.querySelector("form").dispatchEvent(
                new DragEvent("drop", { dataTransfer: held, bubbles: true, cancelable: true }));
        }""",
        list(street.file.read_bytes()),
    )

    assert band(phone, "#result")[0] == "in_force"


def test_a_changed_file_is_unknown_and_then_sent_only_when_asked(street: Street, phone: Page) -> None:
    street.file.write_bytes(b"%PDF-1.7\n" + street.file.read_bytes())
    phone.goto(f"{street.url}/verifier")
    phone.set_input_files("#file", street.file)
    name, words = band(phone, "#result")
    assert name == "unknown" and "authentique" not in words
    assert phone.url == f"{street.url}/verifier"

    phone.get_by_role("button", name="Envoyer ce fichier").click()
    phone.wait_for_selector("main > .band")
    assert band(phone, "main >")[0] == "other"


def test_without_scripts_the_form_sends_the_file(street: Street, chromium: Browser) -> None:
    context = chromium.new_context(viewport=PHONE, java_script_enabled=False)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(street.page)
    assert band(page, "#act")[0] == "in_force"
    page.set_input_files("#file", street.file)
    page.get_by_role("button", name="Vérifier ce fichier").click()

    name, words = band(page, "main >")
    assert name == "in_force" and "Document authentique" in words
    context.close()


def test_with_no_network_the_patrol_reads_the_signed_code(street: Street, phone: Page) -> None:
    ready(street.url, phone)
    token = street.signer.sign(f="2027-03-01", l="2027-03-05", p="1 place de l'Église")
    phone.goto(f"{street.page}#{token}")

    _, words = band(phone, "#signed")
    shown = phone.inner_text("#signed")
    assert "EX-2026-000001" in words and "n’est pas connu sans réseau" in words
    assert ISSUED in shown and "En vigueur" not in shown and "authentique" not in shown
    assert faults_in(shown + "\n") == {}
    plain = shown.replace("\u00a0", " ")
    for fact in (
        "ECHAFAUDAGES DU MODELE",
        "1 place de l’Église",
        "1er mars 2027",
        "5 mars 2027",
        "7 h 30 à 19 h",
    ):
        assert fact in plain
    # The control: nothing of this came by the network, and the act's own page was kept nowhere.
    assert phone.locator("#act").count() == 0


def test_a_phone_that_never_opened_the_patrol_s_page_shows_nothing_without_a_network(
    street: Street, phone: Page
) -> None:
    """Negative control: what is shown offline was kept by the worker."""
    phone.goto(street.page)
    phone.context.set_offline(True)
    with pytest.raises(Exception, match="ERR_INTERNET_DISCONNECTED"):
        phone.goto(f"{street.page}?again")


def written(part: dict[str, Any]) -> str:
    """Write a part of a token: unpadded Base64 of its JSON."""
    return urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def forgeries(signer: CodeSigner) -> dict[str, str]:
    """Return codes that no authority signed, each near to one that it did."""
    header, payload, signature = signer.sign().split(".")
    forger, public = CodeSigner(), signer.key.public_key().public_numbers().x.to_bytes(32, "big")
    own_key = json.loads(ECAlgorithm.to_jwk(forger.key.public_key()))
    return {
        "one letter of the signature": f"{header}.{payload}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}",
        "other days under the same signature": f"{header}.{written(SIGNED | {'l': '2028-01-15'})}.{signature}",
        "no signature": f"{header}.{payload}.",
        "alg none": f"{written({'alg': 'none', 'kid': signer.kid})}.{payload}.",
        "alg none, and a signature": f"{written({'alg': 'none', 'kid': signer.kid})}.{payload}.{signature}",
        "alg HS256 with the public key": jwt.encode(SIGNED, public, "HS256", headers={"kid": signer.kid}),
        "a key nobody knows": CodeSigner(kid="essai-2").sign(),
        "another key under a known name": CodeSigner(kid=signer.kid).sign(),
        "a key of its own": jwt.encode(SIGNED, forger.key, "ES256", headers={"kid": "own", "jwk": own_key}),
        "one part more": f"{header}.{payload}.{signature}.{signature}",
        "not Base64": f"{header}.{payload}.{signature[:-2]}*=",
        "not JSON": f"bm90aGluZw.{payload}.{signature}",
    }


# Without network, a code may be of a key that is younger than those kept.
BY_NOBODY_HERE = ("a key nobody knows", "a key of its own")


@pytest.mark.parametrize("network", [True, False], ids=["online", "offline"])
def test_a_forged_code_is_never_read(network: bool, street: Street, phone: Page) -> None:
    ready(street.url, phone)
    phone.context.set_offline(not network)
    for how, token in forgeries(street.signer).items():
        phone.goto("about:blank")
        phone.goto(f"{street.page}#{token}")
        name, words = band(phone, "#signed")
        if how in BY_NOBODY_HERE and not network:
            assert name == "unchecked" and "ne vous y fiez pas" in words, how
        else:
            assert name == "forged" and "Faux ou altéré" in words, how
        assert "ECHAFAUDAGES" not in phone.inner_text("#signed"), how

    phone.goto("about:blank")
    phone.goto(f"{street.page}#{street.signer.sign()}")
    assert band(phone, "#signed")[0] == "signed"


def test_a_code_of_a_newer_key_than_the_patrol_s_is_read_once_it_had_a_network_again(
    street: Street, api: Api, phone: Page
) -> None:
    ready(street.url, phone)
    newer = CodeSigner(kid="essai-2")
    newer.publish(api.office.register.engine)
    phone.goto(f"{street.page}#{newer.sign()}")
    name, words = band(phone, "#signed")
    assert name == "unchecked" and "Rouvrez /patrouille avec du réseau" in words

    phone.context.set_offline(False)
    ready(street.url, phone)
    for signer in (street.signer, newer):
        phone.goto("about:blank")
        phone.goto(f"{street.page}#{signer.sign()}")
        assert band(phone, "#signed")[0] == "signed"


def test_without_network_a_code_that_is_not_signed_proves_nothing(street: Street, phone: Page) -> None:
    ready(street.url, phone)
    for page in (street.page, f"{street.url}/v/AAAAAAAAAAAAAAAAAAAAAA", f"{street.page}#top"):
        phone.goto("about:blank")
        phone.goto(page)
        name, words = band(phone, "#signed")
        assert name == "unchecked" and "Rien n’est vérifié" in words

    phone.context.set_offline(False)
    phone.goto("about:blank")
    phone.goto(street.page)
    band(phone, "#act")
    assert phone.locator("#signed .band").count() == 0, "the authority's own page says what there is to say"


def test_the_document_of_one_act_is_not_that_of_the_page_of_another(street: Street, phone: Page) -> None:
    phone.goto(f"{street.url}/verifier")
    phone.set_input_files("#file", street.file)
    assert band(phone, "#result")[0] == "in_force"

    phone.route(
        "**/v1/documents/*",
        lambda route: route.fulfill(json=route.fetch().json() | {"verification_url": "https://x.example/v/another"}),
    )
    phone.goto(street.page)
    phone.set_input_files("#file", street.file)
    name, words = band(phone, "#result")
    assert name == "other" and "Ce fichier est celui d’un autre acte" in words


def test_a_signed_specimen_authorises_nothing(street: Street, phone: Page) -> None:
    phone.goto(f"{street.page}#{street.signer.sign(x=1)}")

    name, words = band(phone, "#signed")
    assert name == "specimen" and "il n’autorise rien" in words


def test_a_signed_code_moved_to_the_page_of_another_act_is_red(street: Street, phone: Page) -> None:
    phone.goto(f"{street.page}#{street.signer.sign(n='EX-2026-000009')}")
    name, words = band(phone, "#signed")
    assert name == "forged" and "EX-2026-000009" in words

    phone.goto("about:blank")
    phone.goto(f"{street.page}#{street.signer.sign()}")
    name, words = band(phone, "#signed")
    assert name == "signed" and "Signature valable" in words
    assert band(phone, "#act")[0] == "in_force", "the authority's word on the state, not the code's"
    assert ISSUED in phone.inner_text("#signed")


def test_a_code_whose_keys_are_not_here_is_neither_good_nor_forged(street: Street, phone: Page) -> None:
    phone.route("**/jwks.json", lambda route: route.abort())
    phone.goto(f"{street.page}#{street.signer.sign()}")

    assert band(phone, "#signed")[0] == "unchecked"
    assert "12 rue des Exemples, 29999" not in phone.inner_text("#signed")


def test_markup_in_a_signed_code_is_text(street: Street, phone: Page) -> None:
    phone.goto(f"{street.page}#{street.signer.sign(c='<img src=x onerror=alert(1)>')}")
    band(phone, "#signed")

    assert "<img src=x" in phone.inner_text("#signed")
    assert phone.locator("#signed img").count() == 0


def test_no_page_is_wider_than_its_screen_and_the_state_is_seen_at_once(street: Street, phone: Page) -> None:
    for width in (320, 1280):
        phone.set_viewport_size({"width": width, "height": 640})
        for path in (f"/v/{street.code}", "/v/unknown", "/verifier", "/patrouille"):
            phone.goto(street.url + path)
            assert phone.evaluate("document.documentElement.scrollWidth") <= width, path
        phone.goto(street.page)
        for told in (".word", ".shape", "h1"):
            box = phone.locator(f"#act {told}").bounding_box()
            assert box is not None and box["height"] > 15 and box["y"] + box["height"] < 320, told
