"""Measure and print one table: `python -m bench [--database postgres] [--seconds 2]`, or `--against DIR` for two.

With `--keep FILE` the table says ratios to what the file holds from the run before, and then the file holds this one.
"""

import argparse
import asyncio
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import earlier, measure, polls, statements
from bench.data import Data, operations, seed
from bench.server import Server, database, served

CONCURRENCIES = (1, 16)
STREAMS = 100
WAITERS = 500
IDLE_SECONDS = 20.0
WAKES = 60
PARTS = ("streams", "polls")


def main() -> None:
    options = _options()
    if options.against is not None:
        _compare(options.against, options.database)
        return
    with tempfile.TemporaryDirectory(prefix="mc-bench-") as name, _server(Path(name), options) as server:
        print(f"{time.strftime('%F %T')}, {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
        print(f"database: {options.database}; {options.seconds:g} s a cell; 500 tasks, 200 approvals, 20 agents\n")
        if server.start_seconds is not None:
            print(f"start to first page: {server.start_seconds:.2f} s; resident {server.resident_mib():.0f} MiB")
        counts = asyncio.run(statements.count(Path(name) / "counted")) if options.port is None else {}
        asyncio.run(_measure(server, counts, options))
        if options.port is None and _wants(options, "polls"):
            found = asyncio.run(statements.count_waiting(Path(name) / "waiting", WAITERS, IDLE_SECONDS))
            print(f"{WAITERS} agents waiting: {len(found)} SQL statements in {IDLE_SECONDS:g} s, in process on SQLite")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one cell")
    parser.add_argument("--workers", type=int, default=1, help="server processes (PostgreSQL)")
    parser.add_argument("--only", default="", help=f"names of operations, {' and '.join(PARTS)}, comma separated")
    parser.add_argument("--keep", type=Path, help="compare with the result in this file, then keep this one there")
    parser.add_argument("--port", type=int, help="measure the server on this loopback port instead")
    parser.add_argument("--token", default="", help="its owner's token, with --port")
    parser.add_argument("--pid", type=int, help="its process, for CPU and memory")
    parser.add_argument("--against", type=Path, help="compare with another checkout in the same run, in every way")
    return parser.parse_args()


def _compare(other: Path, database: str) -> None:
    """Run the three comparisons with another checkout, one after the other; each prints a table."""
    for name, more in (("compare", ["--database", database]), ("stall", ["--database", database]), ("live_page", [])):
        subprocess.run([sys.executable, "-m", f"bench.{name}", "--against", str(other), *more], check=True)


@contextmanager
def _server(folder: Path, options: argparse.Namespace) -> Iterator[Server]:
    if options.port is not None:
        yield Server(options.port, options.pid, None, options.token)
        return
    workers = options.workers if options.database == "postgres" else 1
    with database(options.database, folder) as url, served(folder, url, workers) as server:
        yield server


async def _measure(server: Server, counts: dict[str, int], options: argparse.Namespace) -> None:
    began = time.perf_counter()
    data = await seed(server)
    print(f"seeded in {time.perf_counter() - began:.1f} s\n")
    await _operations(server, data, counts, options)
    if _wants(options, "streams"):
        await _streams(server, data, options)
    if _wants(options, "polls"):
        await _polls(server, data)
    print(f"\nresident at the end: {server.resident_mib():.0f} MiB")


def _wanted(options: argparse.Namespace) -> list[str]:
    return [one.strip() for one in options.only.split(",") if one.strip()]


def _wants(options: argparse.Namespace, part: str) -> bool:
    return not options.only or part in _wanted(options)


async def _operations(server: Server, data: Data, counts: dict[str, int], options: argparse.Namespace) -> None:
    wanted = _wanted(options)
    if wanted and not set(wanted) - set(PARTS):
        return
    kept = earlier.Result.read(options.keep) if options.keep is not None else None
    now = earlier.Result(earlier.yardstick_ms(), {})
    print(f"yardstick: {now.yardstick_ms:.2f} ms" + (f", before {kept.yardstick_ms:.2f}" if kept else ""))
    ratios = " CPU ratio | SQL before | bytes before |" if kept else ""
    print(f"| Operation | at once | req/s | p50 ms | p99 ms | CPU ms | SQL | bytes |{ratios}")
    print("|---|---|---|---|---|---|---|---|" + ("---|---|---|" if kept else ""))
    for name, make in operations(data).items():
        if wanted and name not in wanted:
            continue
        for concurrency in CONCURRENCIES:
            cell = await measure.load(server, make, concurrency, options.seconds)
            failed = f" ({cell.errors} errors)" if cell.errors else ""
            figures = earlier.Figures(cell.cpu_ms, counts.get(name), cell.size)
            now.figures[key := f"{name} at {concurrency}"] = figures
            print(
                f"| {name} | {concurrency} | {cell.per_second:.0f}{failed} | {cell.p50:.1f} | {cell.p99:.1f}"
                f" | {cell.cpu_ms:.2f} | {counts.get(name, '')} | {cell.size} |{now.beside(kept, key)}",
                flush=True,
            )
    if options.keep is not None:
        now.write(options.keep)


async def _streams(server: Server, data: Data, options: argparse.Namespace) -> None:
    answered, shown = await measure.change_to_stream(server, data, 60)
    for what, times in (("answer", answered), ("stream", shown)):
        p50, p99 = measure.percentile(times, 50), measure.percentile(times, 99)
        print(f"change to {what}: p50 {p50:.1f} ms, p99 {p99:.1f} ms")
    known = operations(data)
    for name in ("GET tasks (200)", "POST comment"):
        rates: dict[int, float] = {0: 0.0, STREAMS: 0.0}
        for _ in range(2):
            for count in rates:
                async with measure.open_streams(server, data, count):
                    rates[count] += (await measure.load(server, known[name], 4, options.seconds)).per_second / 2
        print(
            f"{name} at 4: {rates[0]:.0f} req/s without streams, {rates[STREAMS]:.0f} with {STREAMS}"
            f" (ratio {rates[STREAMS] / max(rates[0], 0.1):.2f})"
        )
    async with measure.open_streams(server, data, STREAMS):
        print(f"{STREAMS} idle streams: {await measure.idle_cpu_percent(server, 10):.1f} % of a core")


async def _polls(server: Server, data: Data) -> None:
    waiters = await polls.hire(server, data, WAITERS)
    async with polls.waiting(waiters) as waiting:
        share = await measure.idle_cpu_percent(server, 5)
        print(f"{WAITERS} agents waiting on their inboxes: {share:.1f} % of a core")
        answered, woken, between = await polls.wake(server, data, waiting, WAKES)
    for what, times in (
        ("assignment to its answer", answered),
        ("assignment to the woken poll's answer", woken),
        ("the one to the other", between),
    ):
        print(f"{what}: p50 {measure.percentile(times, 50):.1f} ms, p99 {measure.percentile(times, 99):.1f} ms")


if __name__ == "__main__":
    main()
