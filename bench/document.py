"""The processor time of one sealed document, step by step, beside the plain stack and the floor. One process only.

`python -m bench.document`, about a minute. All are measured turn by turn in the same run, so that a busy
machine slows them alike: the ratios hold where the milliseconds do not.
"""

import gc
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from bench.plain import plain_stack
from bench.tell import tell_load, tell_machine
from bench.typesetting import Typesetter
from permits.document.codes import CodeKey
from permits.document.lint import lint
from permits.document.print import print_act, write_page
from permits.document.sealing.demo import DEMO_FILE, DEMO_PASSPHRASE_FILE, load_demo_seal, make_demo_seal
from permits.document.verify import verify_seal
from permits.document.worker import spare_collections
from permits.domain.permit import Permit
from tests.document.sample import sample_permit

ROUNDS = 40
OURS = ("print", "lint", "seal", "verify before release", "garbage collected")

Done = TypeVar("Done")
GOAL_MS, GOAL_RATIO = 250, 3
AMBITION_MS, AMBITION_RATIO = 100, 6


class Stopwatch:
    """The processor time of named steps."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = {}

    def time(self, step: str, work: Callable[[], Done]) -> Done:
        started = time.process_time()
        done = work()
        self.note(step, time.process_time() - started)
        return done

    def note(self, step: str, seconds: float) -> None:
        self.times.setdefault(step, []).append(seconds)

    def median_ms(self, step: str) -> float:
        return statistics.median(self.times[step]) * 1000


def main() -> None:
    tell_machine()
    with tempfile.TemporaryDirectory(prefix="permits-bench-") as home:
        watch = measure(Path(home))
    tell(watch)
    tell_load()


def measure(home: Path) -> Stopwatch:
    """Make the documents of so many permits by each stack in turn. Each permit is another; warm-ups are not counted."""
    make_demo_seal(home)
    seal, passphrase = load_demo_seal(home), (home / DEMO_PASSPHRASE_FILE).read_text(encoding="ascii")
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    codes = CodeKey(ec.generate_private_key(ec.SECP256R1()))
    watch = Stopwatch()
    with plain_stack(write_page(_permit(0), signed_code=codes.sign(_permit(0))), home / DEMO_FILE, passphrase) as plain:
        for each in range(-3, ROUNDS):
            if each == 0:
                watch = Stopwatch()
            permit = _permit(each + 10)
            code = codes.sign(permit)
            page = write_page(permit, signed_code=code)
            spare_collections()
            pdf = watch.time("print", partial(print_act, permit, signed_code=code))
            watch.time("lint", partial(lint, pdf, permit, code))
            sealed = watch.time("seal", partial(seal.seal, pdf)).content
            watch.time("verify before release", partial(verify_seal, sealed, seal.certificate))
            watch.time("garbage collected", gc.collect)
            watch.note("plain stack", plain.seal(page)[1])
            with tempfile.TemporaryDirectory(dir=home) as folder:
                watch.time("Typst", Typesetter(page, Path(folder)).set)
            watch.time("RSA-3072", lambda: key.sign(b"permit", padding.PKCS1v15(), SHA256()))
    return watch


def _permit(number: int) -> Permit:
    return sample_permit(number=f"EX-2027-{number:06d}", worksite=f"façade {number} rue des Exemples")


def tell(watch: Stopwatch) -> None:
    """Print the medians, and how far they are from the goals and from the floor."""
    print(f"\nProcessor time of one sealed document, ms, median of {ROUNDS}")
    for step in OURS:
        print(f"  {step:44} {watch.median_ms(step):8.1f}")
    whole = [sum(steps) for steps in zip(*(watch.times[step] for step in OURS), strict=True)]
    ours, plain = statistics.median(whole) * 1000, watch.median_ms("plain stack")
    print(f"  {'together':44} {ours:8.1f}   goal {GOAL_MS}, ambition {AMBITION_MS}")
    print(f"  {'plain stack, the same page':44} {plain:8.1f}")
    print(f"  {'against plain':44} {plain / ours:8.2f} × goal {GOAL_RATIO}, ambition {AMBITION_RATIO}")
    floor = {"the same page set by Typst": watch.median_ms("Typst"), "RSA-3072 signature": watch.median_ms("RSA-3072")}
    for what, took in floor.items():
        print(f"  {what:44} {took:8.1f}")
    print(
        f"  {'the floor, both together':44} {sum(floor.values()):8.1f}   {ours / sum(floor.values()):.1f} × less",
        flush=True,
    )


if __name__ == "__main__":
    main()
