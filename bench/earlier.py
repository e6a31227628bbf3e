"""Results of an earlier run, for ratios: machines differ, and one machine is now busy and now idle.

Processor time is compared in yardsticks: how long a fixed piece of work takes on the machine during that run. SQL
statements and bytes need none.
"""

import hashlib
import sqlite3
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import orjson

ROUNDS = 15


@dataclass(frozen=True, slots=True)
class Figures:
    """What one operation costs; `sql` is None where it was not counted."""

    cpu_ms: float
    sql: int | None
    size: int


@dataclass(slots=True)
class Result:
    """The figures of one run by operation, and its yardstick."""

    yardstick_ms: float
    figures: dict[str, Figures]

    @classmethod
    def read(cls, path: Path) -> Self | None:
        if not path.exists():
            return None
        held = orjson.loads(path.read_bytes())
        return cls(held["yardstick_ms"], {name: Figures(**one) for name, one in held["figures"].items()})

    def write(self, path: Path) -> None:
        path.write_bytes(orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2))

    def beside(self, before: "Result | None", name: str) -> str:
        """Return the cells that compare an operation with an earlier result."""
        if before is None:
            return ""
        if (then := before.figures.get(name)) is None:
            return " | | |"
        now = self.figures[name]
        ratio = (now.cpu_ms / self.yardstick_ms) / max(then.cpu_ms / before.yardstick_ms, 1e-9)
        return f" {ratio:.2f} | {'' if then.sql is None else then.sql} | {then.size} |"


def yardstick_ms() -> float:
    """Return the milliseconds of processor time that a fixed piece of work takes: Python, JSON, a hash and SQLite."""
    times = []
    with sqlite3.connect(":memory:") as database:
        database.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)")
        for _ in range(ROUNDS):
            began = time.thread_time()
            rows = [(number, f"Row {number}: " + "word " * 20) for number in range(500)]
            database.executemany("INSERT OR REPLACE INTO t VALUES (?, ?)", rows)
            found = [{"id": one, "text": text} for one, text in database.execute("SELECT id, text FROM t")]
            hashlib.sha256(orjson.dumps(found)).hexdigest()
            times.append((time.thread_time() - began) * 1000)
    return statistics.median(times)
