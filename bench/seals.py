"""Seals going on: another process lays out, checks and seals the same permit again and again, as the service does."""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from pathlib import Path
from tempfile import TemporaryDirectory

from permits.document.press import Press
from permits.document.sealing.demo import load_demo_seal, make_demo_seal
from permits.domain.permit import Permit


@contextmanager
def seals_going_on(permit: Permit, workers: int) -> Iterator["Synchronized[int]"]:
    """Keep so many layout workers busy until the caller is done; yields the number of documents sealed so far."""
    context = multiprocessing.get_context("spawn")
    begun, ended, sealed = context.Event(), context.Event(), context.Value("i", 0)
    with TemporaryDirectory(prefix="permits-bench-seal-") as directory:
        make_demo_seal(Path(directory))
        # Not a daemon: it has workers of its own.
        process = context.Process(target=_seal_until, args=(directory, permit, workers, begun, ended, sealed))
        process.start()
        try:
            if workers and not begun.wait(60):
                raise RuntimeError("no document was sealed within a minute")
            yield sealed
        finally:
            ended.set()
            process.join(60)
            process.kill()


def _seal_until(
    directory: str, permit: Permit, workers: int, begun: Event, ended: Event, sealed: "Synchronized[int]"
) -> None:
    if not workers:
        return
    press = Press(load_demo_seal(Path(directory)), workers=workers)
    press.start()

    def again_and_again() -> None:
        while not ended.is_set():
            press.seal(press.print_and_lint(permit))
            with sealed.get_lock():
                sealed.value += 1
            begun.set()

    with ThreadPoolExecutor(workers) as pool:
        for each in [pool.submit(again_and_again) for _ in range(workers)]:
            each.result()
    press.close()
