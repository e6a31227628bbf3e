"""What a start costs: `python -m bench.start [--against DIR] [--rounds 5]`.

Processor time and resident memory of a server on SQLite at its first answer in JSON and after its first page, and
processor time of `--help` and of the program for terminals: the least of the rounds, which take turns. Then the same of
a start without compiled modules, once, and the ten dearest imports, each package and each room without what it imports.
"""

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.server import Server

ROOT = Path(__file__).parents[1]
DEAREST = 10
QUIET = {"LOG_LEVEL": "WARNING", "PYTHONDONTWRITEBYTECODE": ""}


class Costs(NamedTuple):
    """Seconds of processor time, and MiB."""

    answer: float
    memory: float
    page: float
    memory_after_page: float
    help: float
    client: float


HEADS = (
    "first JSON answer, s", "resident then, MiB", "and a first page, s", "resident then, MiB", "--help, s",
    "client.pyz status, signed in nowhere, s",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.start", description=__doc__)
    parser.add_argument("--against", type=Path, help="compare with another checkout, which has a .venv")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    sides = [ROOT] if options.against is None else [options.against.resolve(), ROOT]
    with tempfile.TemporaryDirectory(prefix="mc-start-") as name:
        folders = {side: Path(name) / str(number) for number, side in enumerate(sides)}
        for side, folder in folders.items():
            folder.mkdir()
            measured(side, folder)  # makes the database and what is kept compiled
        rounds = [{side: measured(side, folder) for side, folder in folders.items()} for _ in range(options.rounds)]
        print(f"{'':42}{''.join(f'{side.name:>22}' for side in sides)}")
        _print(HEADS, [Costs(*map(min, zip(*(one[side] for one in rounds), strict=True))) for side in sides])
        print("without compiled modules")
        cold = [measured(side, folder, PYTHONPYCACHEPREFIX=f"{folder}/compiled") for side, folder in folders.items()]
        _print(HEADS[:4], cold)
        for side, folder in folders.items():
            print(f"\nThe dearest imports of {side.name}, ms")
            for package, own in imports(side, folder, options.rounds).most_common(DEAREST):
                print(f"{own / 1000:8.1f}  {package}")


def _print(heads: tuple[str, ...], sides: list[Costs]) -> None:
    for head, *values in zip(heads, *sides, strict=False):
        print(f"{head:42}{''.join(f'{value:22.2f}' for value in values)}")


def measured(side: Path, folder: Path, **environment: str) -> Costs:
    """Return what one start of a checkout costs, on the installation in a folder."""
    before = _of_children()
    subprocess.run([_python(side), "-m", "mission_control.cli", "--help"], stdout=subprocess.DEVNULL, check=True)
    helped = _of_children() - before
    with _serving(side, folder, **environment) as (server, url):
        _read(f"{url}/readyz")
        answer, memory = server.cpu_seconds(), server.resident_mib()
        _read(f"{url}/setup")
        served = server.cpu_seconds(), server.resident_mib()
        return Costs(answer, memory, *served, helped, _client_seconds(url, folder))


def _client_seconds(url: str, folder: Path) -> float:
    """Return what a start of the program for terminals costs; 0 for a checkout that has none."""
    try:
        (folder / "client.pyz").write_bytes(urllib.request.urlopen(f"{url}/client.pyz", timeout=60).read())
    except urllib.error.HTTPError:
        return 0.0
    before = _of_children()
    command = [sys.executable, str(folder / "client.pyz"), "status"]
    subprocess.run(command, env={"HOME": str(folder)}, stderr=subprocess.DEVNULL)
    return _of_children() - before


def imports(side: Path, folder: Path, rounds: int) -> Counter[str]:
    """Return the microseconds that a server's imports take, by package; rooms stand for themselves."""
    least: dict[str, int] = {}
    for _ in range(rounds):
        with _serving(side, folder, PYTHONPROFILEIMPORTTIME="1") as (_, url):
            _read(f"{url}/readyz")
        for own, module in re.findall(r"^import time: +(\d+) \| +\d+ \| +(\S+)$", _printed(folder).read_text(), re.M):
            least[module] = min(least.get(module, int(own)), int(own))
    found: Counter[str] = Counter()
    for module, own in least.items():
        names = module.split(".")
        found[".".join(names[: 1 + (names[0] == "mission_control")])] += own
    return found


@contextmanager
def _serving(side: Path, folder: Path, **more: str) -> Iterator[tuple[Server, str]]:
    environment = {**os.environ, **QUIET, "DATA_DIR": str(folder / "data"), "DATABASE_URL": "", **more}
    command = [_python(side), "-m", "mission_control.cli", "serve", "--port", "0"]
    with _printed(folder).open("w") as printed:
        process = subprocess.Popen(command, env=environment, stdout=printed, stderr=printed, cwd=folder)
    try:
        while not (found := re.search(r"http://[\d.]+:\d+", _printed(folder).read_text())):
            if process.poll() is not None:
                sys.exit(_printed(folder).read_text())
            time.sleep(0.02)
        yield Server(0, process.pid, None), found[0]
    finally:
        process.terminate()
        process.wait()


def _read(url: str) -> None:
    urllib.request.urlopen(url, timeout=60).read()


def _printed(folder: Path) -> Path:
    return folder / "printed"


def _python(side: Path) -> str:
    return str(side / ".venv/bin/python")


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
