"""The lock files `requirements/*.txt`: `python -m tools.lock check`, `python -m tools.lock write [--upgrade]`.

`run.txt` is what the server needs, `dev.txt` adds what tests need. Both name exact versions with hashes for every
platform, so that pip and uv install the same. `check` asks no index: a lock is stale when it does not satisfy
pyproject.toml, never because something newer was published.
"""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

ROOT = Path(__file__).parents[1]
RUN, DEV = Path("requirements/run.txt"), Path("requirements/dev.txt")
EXTRAS = {RUN: (), DEV: ("dev",)}
GROUP = "build"
PIN = re.compile(r"^([\w.-]+)==([^\s;]+)", re.M)
ASKED_FOR = re.compile(r"# +(?:via )?mission-control-boards \(pyproject\.toml")

type Pins = dict[NormalizedName, str]


def main(arguments: list[str]) -> int:
    """Check or write both lock files. Return 1 if one is stale."""
    match arguments:
        case ["check"]:
            stale = [f"{file}: {fault}" for file in EXTRAS for fault in faults(file)]
            print(
                "\n".join(
                    [*stale, "Stale: run `make lock` and commit it."] if stale else ["The lock files are current."]
                )
            )
            return bool(stale)
        case ["write", *options] if set(options) <= {"--upgrade"}:
            write(options)
            return 0
    print(__doc__)
    return 2


def faults(file: Path) -> Iterator[str]:
    """Yield one sentence for each requirement that a lock file does not satisfy, and each pin that nothing requires."""
    text = (ROOT / file).read_text(encoding="utf-8")
    pins: Pins = {canonicalize_name(name): version for name, version in PIN.findall(text)}
    direct = requirements(file)
    yield from unsatisfied(direct, pins)
    named = {canonicalize_name(one.name) for one in direct}
    for entry in re.split(r"^(?=[\w.-]+==)", text, flags=re.M)[1:]:
        name = canonicalize_name(entry.partition("==")[0])
        if ASKED_FOR.search(entry) and name not in named:
            yield f"{name} is no longer in pyproject.toml"


def requirements(file: Path) -> list[Requirement]:
    """Return what pyproject.toml asks for and a lock file covers."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    optional = project["project"]["optional-dependencies"]
    texts = [
        *project["project"]["dependencies"],
        *(text for extra in EXTRAS[file] for text in optional[extra]),
        *project["dependency-groups"][GROUP],
    ]
    return [Requirement(text) for text in texts]


def unsatisfied(direct: list[Requirement], pins: Pins) -> Iterator[str]:
    waiting, seen = list(direct), set[str]()
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if str(wanted) in seen or (wanted.marker and not wanted.marker.evaluate()):
            continue
        seen.add(str(wanted))
        if name not in pins:
            yield f"{wanted} is missing"
        elif not wanted.specifier.contains(pins[name], prereleases=True):
            yield f"{wanted} is wanted, {pins[name]} is locked"
        else:
            waiting += needs(name, pins[name], wanted.extras)


def needs(name: str, version: str, extras: set[str]) -> Iterator[Requirement]:
    """Yield what an installed package of exactly this version requires."""
    try:
        installed = distribution(name)
    except PackageNotFoundError:
        return
    if installed.version != version:
        return
    for wanted in map(Requirement, installed.requires or ()):
        if wanted.marker is None or any(wanted.marker.evaluate({"extra": extra}) for extra in (*extras, "")):
            wanted.marker = None
            yield wanted


def write(options: list[str]) -> None:
    """Write both lock files; what is locked stays as it is where it still satisfies, unless `--upgrade` is given."""
    compile_with = [
        *(uv(), "pip", "compile", "--quiet", "pyproject.toml", "--group", GROUP, "--universal"),
        *("--python-version", "3.13", "--generate-hashes", "--custom-compile-command", "make lock"),
    ]
    subprocess.run([*compile_with, "--extra", "dev", "--output-file", DEV, *options], cwd=ROOT, check=True)
    shutil.copy(ROOT / DEV, ROOT / RUN)
    subprocess.run([*compile_with, "--output-file", RUN], cwd=ROOT, check=True)


def uv() -> str:
    """Return the resolver's program: the machine's, else one installed beside this Python."""
    beside = Path(sys.executable).with_name("uv")
    if found := shutil.which("uv"):
        return found
    if not beside.exists():
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "uv"], check=True)
    return str(beside)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
