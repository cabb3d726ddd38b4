"""Sealed permits per second, beside the plain stack, and where the time goes. `make bench`, under three minutes.

Everything is real: `permits demo` with its PostgreSQL (fsync on), its registry over HTTP, its seal. The
clients run on the same machine, and take their share of it.
"""

import os
import platform
import statistics
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import text

from bench.cpu import EVERYTHING, between, cpu_seconds
from bench.plain import Plain, plain_stack
from bench.requests import Load, Requests, issue_at, issue_for
from bench.walk import ORDER, watched_service
from permits.document.codes import CodeKey
from permits.document.print import write_page
from permits.domain.permit import Permit
from permits.embedded_postgres import EmbeddedPostgres
from permits.register.database import connect
from permits.settings import Settings
from tests.endtoend.running import Demo, forget, free_port

CLIENTS = (1, 4, 16)
SECONDS_EACH = 15.0
PLAIN_SECONDS = 10.0
STEPS_SECONDS = 12.0
PER_SECOND, AT_THAT_PACE = 3, 20
STARTS = 3


def main() -> None:
    home = Path(tempfile.mkdtemp(prefix="permits-bench-"))
    home.chmod(0o755)
    demo = Demo(home)
    try:
        demo.start()
        _tell_machine()
        _measure(demo)
    finally:
        demo.stop()
        forget(home)


def _measure(demo: Demo) -> None:
    requests, key = Requests(), demo.key()
    issue_for(demo.url, key, requests, clients=4, seconds=3)  # warm workers, filled pools
    settings = _settings(demo)
    assert settings.seal_pkcs12 is not None and settings.seal_passphrase is not None
    page = _a_page(settings)
    with plain_stack(page, settings.seal_pkcs12, settings.seal_passphrase.get_secret_value()) as plain:
        before = plain.seal_for(page, seconds=PLAIN_SECONDS)
        loads, costs = [], []
        for clients in CLIENTS:
            used = cpu_seconds(demo.processes())
            loads.append(issue_for(demo.url, key, requests, clients=clients, seconds=SECONDS_EACH))
            costs.append(between(used, cpu_seconds(demo.processes())))
        after = plain.seal_for(page, seconds=PLAIN_SECONDS)
    paced = issue_at(demo.url, key, requests, per_second=PER_SECOND, seconds=AT_THAT_PACE)
    _tell_rates([*loads, paced], before, after)
    _tell_costs(loads, costs, before, after)

    for clients in CLIENTS[:2]:
        with watched_service(settings) as watch:
            url = f"http://{settings.host}:{settings.port}"
            issue_for(url, key, requests, clients=clients, seconds=2)
            watch.times.clear()
            load = issue_for(url, key, requests, clients=clients, seconds=STEPS_SECONDS)
            _tell_steps(load, dict(watch.times))
    _tell_first(demo, requests, key)
    _tell_load()


def _tell_first(demo: Demo, requests: Requests, key: str) -> None:
    """Start the service anew, and time the first permit once it says that it is ready."""
    firsts = []
    for _ in range(STARTS):
        demo.stop()
        demo.start()
        firsts += issue_at(demo.url, key, requests, per_second=1, seconds=1).times
    told = ", ".join(f"{first:.2f}" for first in firsts)
    print(f"\nFirst permit after a start, once ready: {told} s", flush=True)


def _settings(demo: Demo) -> Settings:
    """Return the settings of a second service, on the data, the sandbox and the seal of the demonstration."""
    var, sandbox = demo.home / "var", demo.sandbox_url()
    given: dict[str, Any] = {
        "database_url": SecretStr(EmbeddedPostgres(var).start()),
        "var": var,
        "port": free_port(),
        "api_entreprise_url": sandbox,
        "api_entreprise_token": SecretStr("bac-a-sable"),
        "api_entreprise_recipient": "21299999900015",
        "recherche_entreprises_url": sandbox,
        "geocoder_url": f"{sandbox}/geocodage",
        "code_key": var / "codes" / "code-key.pem",
        "seal_pkcs12": var / "seal" / "seal.p12",
        "seal_passphrase": SecretStr((var / "seal" / "passphrase").read_text().strip()),
    }
    return Settings(**given)


def _a_page(settings: Settings) -> str:
    """Return the very page of one of the permits just issued."""
    assert settings.database_url is not None and settings.code_key is not None
    engine = connect(settings.database_url.get_secret_value(), pool_size=1)
    with engine.connect() as connection:
        payload = connection.execute(text("SELECT payload FROM act ORDER BY number LIMIT 1")).scalar_one()
    engine.dispose()
    permit = Permit.model_validate(payload)
    return write_page(permit, signed_code=CodeKey.load(settings.code_key).sign(permit))


def _tell_machine() -> None:
    cores, system = os.cpu_count(), platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {cores} cores, {system}, Python {platform.python_version()}")
    _tell_load()


def _tell_load() -> None:
    """Other work on the machine slows both stacks: its load says how much there was."""
    print(f"load average {os.getloadavg()[0]:.1f} (one minute)", flush=True)


def _tell_rates(loads: list[Load], before: Plain, after: Plain) -> None:
    best = max(before.per_second, after.per_second)
    print(f"\n{'Sealed permits per second':46}    rate   p50 ms   p95 ms   against plain")
    for load in loads:
        waits = f"   ({load.told_to_wait} times told to wait)" if load.told_to_wait else ""
        told = _rate(f"the service, {load.name}", load.per_second, load.times)
        print(f"{told}   {load.per_second / best:5.2f} ×{waits}")
    print(_rate("plain stack, one at a time, before", before.per_second, before.times))
    print(_rate("plain stack, one at a time, after", after.per_second, after.times))
    print(f"  (against the better of the two runs of the plain stack, {best:.1f} a second)", flush=True)


def _rate(what: str, per_second: float, times: list[float]) -> str:
    p50, p95 = _percentiles(times)
    return f"  {what:44} {per_second:7.1f} {p50:8.0f} {p95:8.0f}"


def _tell_costs(loads: list[Load], costs: list[dict[str, float]], before: Plain, after: Plain) -> None:
    print(f"\n{'Processor time of one permit, ms':44}" + "".join(f"{load.name:>12}" for load in loads))
    ours = [role for role in costs[0] if role != EVERYTHING]
    for role in ours:
        each = [cost[role] * 1000 / len(load.times) for load, cost in zip(loads, costs, strict=True)]
        print(f"  {role:42}" + "".join(f"{cost:12.0f}" for cost in each))
    sums = [sum(cost[role] for role in ours) for cost in costs]
    print(f"  {'together':42}" + "".join(f"{s * 1000 / len(o.times):12.0f}" for s, o in zip(sums, loads, strict=True)))
    print(f"  plain stack: {before.cpu * 1000:.0f} before, {after.cpu * 1000:.0f} after")
    others = [(c[EVERYTHING] - s) / o.seconds for c, s, o in zip(costs, sums, loads, strict=True)]
    print(f"{'Cores kept busy by other programs':44}" + "".join(f"{cores:12.2f}" for cores in others), flush=True)


def _tell_steps(load: Load, times: dict[str, list[float]]) -> None:
    print(f"\n{f'Time of each step, {load.name}, {len(load.times)} permits':46}   p50 ms   p95 ms")
    steps = {step: times[step] for step in ORDER if step in times}
    for step, found in (steps | {"the whole request, seen by the client": load.times}).items():
        p50, p95 = _percentiles(found)
        print(f"  {step:44} {p50:8.1f} {p95:8.1f}", flush=True)


def _percentiles(times: list[float]) -> tuple[float, float]:
    """Return the median and the 95th percentile, in milliseconds."""
    ordered = sorted(times)
    return statistics.median(ordered) * 1000, ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))] * 1000


if __name__ == "__main__":
    main()
