"""How a benchmark presents its figures: the machine they were seen on, medians and 95th percentiles."""

import os
import platform
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime


def tell_machine() -> None:
    cores, system = os.cpu_count(), platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {cores} cores, {system}, Python {platform.python_version()}")
    tell_load()


def tell_load() -> None:
    """Other work on the machine slows what is measured: its load says how much there was."""
    print(f"load average {os.getloadavg()[0]:.1f} (one minute)", flush=True)


def percentiles(times: Sequence[float]) -> tuple[float, float]:
    """Return the median and the 95th percentile, in milliseconds."""
    ordered = sorted(times)
    return statistics.median(ordered) * 1000, ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))] * 1000
