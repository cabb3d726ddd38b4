"""A caller of our own API, as a partner's software would be: files a request and saves the arrêté."""

import time
from datetime import date
from pathlib import Path
from typing import Any

import httpx

from permits.domain.french import day_text


class RequestRefused(Exception):
    """The service answered with a problem; the text is made for people."""


class Partner:
    """Calls the API at `base_url` with an access key."""

    def __init__(self, base_url: str, key: str) -> None:
        self._client = httpx.Client(
            base_url=base_url.rstrip("/"), headers={"Authorization": f"Bearer {key}"}, timeout=60
        )

    def issue(self, body: dict[str, Any], idempotency_key: str, output: Path) -> str:
        """File a request; return what became of it in French, the act that answered it being saved in `output`."""
        answer = self._post(body, idempotency_key)
        act = answer["permit"] or answer["refusal"]
        if act is None:
            return _unfinished(answer)
        if act["state"] == "annulled":
            return (
                f"Le numéro {act['number']} a été annulé, il n’autorise rien : {act['annulled_because']}\n"
                f"Déposez à nouveau, avec une autre clé d’idempotence. {_silence(answer)}"
            )
        if act["document_url"] is None:
            what = "Le permis" if answer["permit"] else "Le refus"
            return f"{what} {act['number']} est réservé ; son document est en cours d’établissement."
        path = self._save(act, output)
        if answer["permit"] is None:
            return f"Demande {answer['id']} refusée.\nRefus : {path}\nVérification : {act['verification_url']}"
        return (
            f"{_became_of(act, answer['establishment'])}\nRedevance : {answer['fee']['total'].replace('.', ',')} €\n"
            f"Arrêté : {path}\nVérification : {act['verification_url']}"
        )

    def _save(self, act: dict[str, Any], output: Path) -> Path:
        document = self._send("GET", f"/v1/acts/{act['number']}/document")
        _raise_for_problem(document)
        path = output / f"{act['number']}.pdf"
        path.write_bytes(document.content)
        return path

    def _post(self, body: dict[str, Any], idempotency_key: str) -> dict[str, Any]:
        """Post until the service has room, as its Retry-After asks, at most five times."""
        for _ in range(5):
            response = self._send("POST", "/v1/applications", json=body, headers={"Idempotency-Key": idempotency_key})
            if response.status_code not in (409, 503):
                break
            time.sleep(min(int(response.headers.get("Retry-After", "2")), 10))
        _raise_for_problem(response)
        answer: dict[str, Any] = response.json()
        return answer

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            return self._client.request(method, path, **request)
        except httpx.TransportError as error:
            raise RequestRefused(f"le service ne répond pas à {self._client.base_url} ({error})") from error


def _became_of(permit: dict[str, Any], establishment: dict[str, Any] | None) -> str:
    """Tell whether a permit still allows anything: the same request, sent again, tells it as it stands."""
    number, ender = permit["number"], permit["ended_by"]
    if permit["state"] == "abrogated":
        return f"Permis {number} abrogé par l’acte {ender} à compter du {_day(permit['ended_on'])}."
    if permit["state"] == "withdrawn":
        return f"Permis {number} retiré par l’acte {ender} : il n’autorise rien."
    if permit["state"] == "superseded":
        return f"Permis {number} remplacé par le permis {ender}, qui seul fait foi."
    # Its answer may have been erased since.
    return f"Permis {number} délivré à {(establishment and establishment['name']) or permit['siret']}."


def _day(day: str) -> str:
    return day_text(date.fromisoformat(day))


def _silence(answer: dict[str, Any]) -> str:
    return f"Sans réponse le {_day(answer['acknowledgement']['silence_on'])}, la demande sera réputée rejetée."


def _unfinished(answer: dict[str, Any]) -> str:
    if answer["outcome"] == "awaiting_registry":
        head = f"Demande {answer['id']} reçue ; elle sera décidée dès que le registre des entreprises répondra."
    else:
        grounds = "\n".join(f"  – {ground['message']}" for ground in answer["decision"]["grounds"])
        head = f"Demande {answer['id']} transmise à un agent :\n{grounds}"
    return f"{head}\n{_silence(answer)}"


def _raise_for_problem(response: httpx.Response) -> None:
    if response.is_success:
        return
    problem = response.json()
    fields = "".join(f"\n  {field['pointer']} : {field['detail']}" for field in problem.get("errors", []))
    raise RequestRefused(f"{problem['title']} ({problem['code']}). {problem['detail']}{fields}")
