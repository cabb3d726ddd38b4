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
        """File a request; return what became of it in French, the arrêté being saved in `output`."""
        answer = self._post(body, idempotency_key)
        if answer["permit"] is None:
            return _unfinished(answer)
        permit = answer["permit"]
        if permit["document_url"] is None:
            return f"Le permis {permit['number']} est réservé ; son arrêté est en cours d’établissement."
        document = self._send("GET", f"/v1/permits/{permit['number']}/document")
        _raise_for_problem(document)
        path = output / f"{permit['number']}.pdf"
        path.write_bytes(document.content)
        return (
            f"Permis {permit['number']} délivré à {answer['establishment']['name'] or permit['siret']}.\n"
            f"Redevance : {answer['fee']['total'].replace('.', ',')} €\n"
            f"Arrêté : {path}\nVérification : {permit['verification_url']}"
        )

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


def _unfinished(answer: dict[str, Any]) -> str:
    silence = day_text(date.fromisoformat(answer["acknowledgement"]["silence_on"]))
    if answer["outcome"] == "awaiting_registry":
        head = f"Demande {answer['id']} reçue ; elle sera décidée dès que le registre des entreprises répondra."
    else:
        grounds = "\n".join(f"  – {ground['message']}" for ground in answer["decision"]["grounds"])
        head = f"Demande {answer['id']} transmise à un agent :\n{grounds}"
    return f"{head}\nSans réponse le {silence}, elle sera réputée rejetée."


def _raise_for_problem(response: httpx.Response) -> None:
    if response.is_success:
        return
    problem = response.json()
    fields = "".join(f"\n  {field['pointer']} : {field['detail']}" for field in problem.get("errors", []))
    raise RequestRefused(f"{problem['title']} ({problem['code']}). {problem['detail']}{fields}")
