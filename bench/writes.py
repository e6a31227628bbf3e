"""What a busy server writes to disk: `python -m bench.writes [--rounds 200] [--python OTHER/.venv/bin/python]`.

A server of its own on a new SQLite file does the same work one request after the other, each operation in turn, and
then rests. Printed for each is what the kernel wrote for the process (`/proc/PID/io`) per request; `--python` is the
interpreter of another checkout, for before and after.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from bench.client import Connection
from bench.data import operations, seed
from bench.server import Server, served

NAMES = ("POST task", "PATCH status", "POST comment", "POST approval")
REST_SECONDS = 20.0  # in which what is done beside requests is done


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.writes", description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--python", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mc-bench-") as name:
        folder = Path(name)
        with served(folder, f"sqlite:///{folder / 'bench.sqlite3'}", python=options.python) as server:
            asyncio.run(_measure(server, options.rounds))


async def _measure(server: Server, rounds: int) -> None:
    data = await seed(server)
    await asyncio.sleep(REST_SECONDS)
    connection = Connection(server.port, server.token)
    began = _written(server)
    for name in NAMES:
        before, make = _written(server), operations(data)[name]
        for number in range(rounds):
            await connection.call(*make(0, number))
        print(f"{name}: {(_written(server) - before) / rounds / 1024:.0f} KiB a request", flush=True)
    await asyncio.sleep(REST_SECONDS)
    every = rounds * len(NAMES)
    print(f"all, with what was done beside them: {(_written(server) - began) / every / 1024:.0f} KiB a request")
    before, since = _written(server), time.monotonic()
    await asyncio.sleep(REST_SECONDS)
    print(f"at rest: {(_written(server) - before) / (time.monotonic() - since) / 1024:.1f} KiB a second")


def _written(server: Server) -> int:
    text = Path(f"/proc/{server.pid}/io").read_text()
    return int(text.partition("\nwrite_bytes: ")[2].split()[0])


if __name__ == "__main__":
    main()
