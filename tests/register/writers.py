"""Sixteen writers in two processes, who take numbers in one of three ways while some of their commits fail.

    python -m tests.register.writers URL register 0 40

is one of the processes: it prints, as JSON, the numbers whose commit it was told of.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from permits.register.database import connect
from tests.fakes import ROOT, open_office
from tests.register.filings import Filings

PROCESSES, THREADS = 2, 8
# Half of each writer's numbers are asked for just before midnight in Paris, half just after.
BEFORE, AFTER = datetime(2026, 12, 31, 22, 59, 59, tzinfo=UTC), datetime(2026, 12, 31, 23, 0, tzinfo=UTC)
COMMIT_REFUSED = "PX999"
_PATIENCE_S = 1800.0

# At COMMIT, when the number has long been given: what a crash or a lost connection would do there.
_REFUSE_SOME_COMMITS = """
CREATE FUNCTION refuse_some_commits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF random() < 0.02 THEN
        RAISE EXCEPTION 'this commit is refused' USING ERRCODE = '{state}';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER refuse_some_commits AFTER INSERT ON {table}
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_some_commits();
"""
_NAIVE_BOOK = """
CREATE TABLE naive (series text NOT NULL, year integer NOT NULL, number integer NOT NULL);
CREATE SEQUENCE "EX-2026"; CREATE SEQUENCE "EX-2027"; CREATE SEQUENCE "EXS-2026"; CREATE SEQUENCE "EXS-2027";
"""
_MAX_PLUS_ONE = text(
    "INSERT INTO naive SELECT :series, :year, coalesce(max(number), 0) + 1 FROM naive"
    " WHERE series = :series AND year = :year RETURNING number"
)
_NEXT_OF_SEQUENCE = text(
    "INSERT INTO naive VALUES (:series, :year, nextval(format('%I', :series || '-' || :year)::regclass))"
    " RETURNING number"
)

# From the writer's turn to the number it was given, as it is written on the act.
Take = Callable[[int, bool, datetime], str]


def refuse_some_commits(engine: Engine, table: str) -> None:
    """From now on, refuse two commits in a hundred of those that insert into this table."""
    with engine.begin() as connection:
        connection.exec_driver_sql(_REFUSE_SOME_COMMITS.format(state=COMMIT_REFUSED, table=table))


def make_naive_book(engine: Engine) -> None:
    """Make the table that the two naive ways of numbering write in."""
    with engine.begin() as connection:
        connection.exec_driver_sql(_NAIVE_BOOK)


def write(url: str, way: str, each: int) -> list[str]:
    """Have every writer take `each` numbers; return those whose commit was told."""
    command = [sys.executable, "-m", "tests.register.writers", url, way]
    processes = [
        subprocess.Popen([*command, str(first), str(each)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for first in range(PROCESSES)
    ]
    told: list[str] = []
    try:
        for process in processes:
            output, _ = process.communicate(timeout=_PATIENCE_S)
            assert process.returncode == 0, f"a writer ended with {process.returncode}"
            told += json.loads(output)
    finally:
        for process in processes:
            process.kill()
    return told


def register(engine: Engine) -> Take:
    """Number as the register does: the whole recording transaction of the walk."""
    filings = Filings(open_office(engine))

    def take(turn: int, sandbox: bool, at: datetime) -> str:
        act = filings.record(filings.at(turn, sandbox=sandbox), at).act
        assert act is not None
        return act.number

    return take


def max_plus_one(engine: Engine) -> Take:
    """Number by the highest number plus one."""
    return _naive(engine, _MAX_PLUS_ONE)


def sequence(engine: Engine) -> Take:
    """Number by the database's sequences."""
    return _naive(engine, _NEXT_OF_SEQUENCE)


def _naive(engine: Engine, statement: object) -> Take:
    def take(turn: int, sandbox: bool, at: datetime) -> str:
        series, year = "EXS" if sandbox else "EX", 2026 if at < AFTER else 2027
        with engine.begin() as connection:
            number = connection.execute(statement, {"series": series, "year": year}).scalar_one()  # type: ignore[call-overload]
        return f"{series}-{year}-{number:06d}"

    return take


WAYS = {way.__name__: way for way in (register, max_plus_one, sequence)}


def _run(url: str, way: str, process: int, each: int) -> list[str]:
    engine = connect(url)
    take = WAYS[way](engine)

    def one_writer(thread: int) -> list[str]:
        writer, told = process * THREADS + thread, []
        for n in range(each):
            try:
                told.append(take(writer * each + n, n % 3 == 2, BEFORE if n < each // 2 else AFTER))
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) != COMMIT_REFUSED:
                    raise
        return told

    with ThreadPoolExecutor(THREADS) as pool:
        found = [number for numbers in pool.map(one_writer, range(THREADS)) for number in numbers]
    engine.dispose()
    return found


if __name__ == "__main__":
    json.dump(_run(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])), sys.stdout)
