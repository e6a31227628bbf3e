"""Draft the next migration: `python tools/make_migration.py NAME [REVISION]`.

Needs no server. Aerich compares the models of the working tree with those of a git revision (HEAD unless another is
named), once for each database, each time in a process and a scratch copy of `migrations/` of its own. Both results go
into one file whose `upgrade` picks by the connection's dialect. Read it, and add by hand what no model says.
"""

import asyncio
import importlib.util
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "migrations"
URLS = {"sqlite": "sqlite:///:memory:", "postgres": "postgres://nobody@127.0.0.1:1/nothing"}
COLUMNS = ('"', "CONSTRAINT ", "UNIQUE (")

TEMPLATE = """from mission_control.database.migrate import by_dialect

RUN_IN_TRANSACTION = True

UP = {up}

DOWN = {down}

upgrade, downgrade = by_dialect(UP), by_dialect(DOWN)
"""


@dataclass(frozen=True)
class Written:
    """Aerich's draft for one database."""

    file_name: str
    up: str
    down: str


def main(name: str, revision: str = "HEAD") -> int:
    try:
        run_child(ROOT, "--describe")
    except subprocess.CalledProcessError as error:  # aerich would say that nothing has changed
        print(f"The models cannot be read.\n{error.stderr}", file=sys.stderr)
        return 1
    state = state_of(revision)
    written = {dialect: write_for(dialect, name, state) for dialect in URLS}
    known = [found for found in written.values() if found is not None]
    if not known:
        print(f"No changes of the models since {revision}.")
        return 0
    target = FOLDER / "models" / known[0].file_name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(file_text(written), encoding="utf-8")
    print(f"Wrote {target}")
    for dialect in (dialect for dialect, found in written.items() if found is None):
        print(f"Aerich cannot write this for {dialect}: write its SQL by hand.")
    return 0


def state_of(revision: str) -> str:
    """Return aerich's packed description of the models in a git revision."""
    packed = subprocess.run(
        ["git", "archive", "--format=tar", revision, "mission_control"], cwd=ROOT, capture_output=True, check=True
    )
    with tempfile.TemporaryDirectory() as scratch:
        with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as tree:
            tree.extractall(scratch, filter="data")
        return run_child(Path(scratch), "--describe").stdout.strip()


def write_for(dialect: str, name: str, state: str) -> Written | None:
    """Run aerich for one database in a scratch copy; None when it wrote nothing."""
    with tempfile.TemporaryDirectory() as scratch:
        if (FOLDER / "models").is_dir():
            shutil.copytree(FOLDER / "models", Path(scratch, "models"))
            newest = max(Path(scratch, "models").glob("[0-9]*_*.py"), key=lambda file: int(file.name.split("_")[0]))
            with newest.open("a", encoding="utf-8") as file:  # where aerich looks for the models as they were
                file.write(f"MODELS_STATE = {state!r}\n")
        try:
            ran = run_child(ROOT, "--draft", dialect, name, scratch)
        except subprocess.CalledProcessError as error:
            print(f"{dialect}: {(error.stderr.strip().splitlines() or ['failed'])[-1]}", file=sys.stderr)
            return None
        file_name = (ran.stdout.strip().splitlines() or [""])[-1]
        return read(Path(scratch, "models", file_name)) if file_name.endswith(".py") else None


def run_child(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run this program in a process of its own, with the `mission_control` of a tree."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONHASHSEED": "0"}
    command = [sys.executable, __file__, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=True)


def read(file: Path) -> Written:
    """Take apart a file that aerich wrote."""
    module = load(file)
    up, down = asyncio.run(module.upgrade(None)), asyncio.run(module.downgrade(None))
    return Written(file.name, up.strip(), down.strip())


def load(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("migration", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def file_text(written: dict[str, Written | None]) -> str:
    """Return the text of the file for both databases."""
    up = {dialect: found.up if found else None for dialect, found in written.items()}
    down = {dialect: found.down if found else None for dialect, found in written.items()}
    return TEMPLATE.format(up=literal(up), down=literal(down))


def literal(scripts: dict[str, str | None]) -> str:
    parts = []
    for dialect, script in scripts.items():
        body = f"-- to be written by hand for {dialect}" if script is None else quoted(indented(script))
        is_short = not {"\n", "'", "\\"} & set(body) and len(body) < 100
        parts.append(f'    "{dialect}": ' + (f"'{body}'," if is_short else f'"""\n        {body}\n    """,'))
    return "{\n" + "\n".join(parts) + "\n}"


def indented(script: str) -> str:
    """Return a script with its columns further in than its statements."""
    lines = [line.strip() for line in script.splitlines() if line.strip()]
    return "\n".join(
        line if not number else f"{' ' * (12 if line.startswith(COLUMNS) else 8)}{line}"
        for number, line in enumerate(lines)
    )


def quoted(script: str) -> str:
    """Return a script fit to stand between triple quotes."""
    return script.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')


async def draft(dialect: str, name: str, scratch: str) -> None:
    """Run aerich without a server and print the name of the file it wrote."""
    from aerich import Command
    from tortoise.context import TortoiseContext

    from mission_control.database.setup import APP, MODEL_MODULES, orm_config
    from mission_control.server import installation

    installation.install()
    with TortoiseContext():
        config = orm_config(URLS[dialect], modules=[*MODEL_MODULES, "aerich.models"])
        command = Command(tortoise_config=config, app=APP, location=scratch)
        if any(Path(scratch, APP).glob("[0-9]*_*.py")):
            await command.init(offline=True)
            print(await command.migrate(name, no_input=True, offline=True) or "")
        else:
            await command.init_migrations(True)
            print(max(file.name for file in Path(scratch, APP).glob("[0-9]*_*.py")))


async def describe() -> None:
    """Print aerich's packed description of the models."""
    from aerich.utils import compress_dict, get_models_describe
    from tortoise import Tortoise
    from tortoise.context import TortoiseContext

    from mission_control.database.setup import APP, MODEL_MODULES, orm_config
    from mission_control.server import installation

    installation.install()
    with TortoiseContext():
        await Tortoise.init(config=orm_config(URLS["sqlite"], modules=[*MODEL_MODULES, "aerich.models"]))
        print(compress_dict(get_models_describe(APP)))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--draft", dialect, name, scratch]:
            asyncio.run(draft(dialect, name, scratch))
        case ["--describe"]:
            asyncio.run(describe())
        case [name] | [name, _] if not name.startswith("-"):
            sys.exit(main(*sys.argv[1:]))
        case _:
            sys.exit("Usage: python tools/make_migration.py NAME [REVISION]")
