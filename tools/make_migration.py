"""Write the next migration: `python tools/make_migration.py NAME`.

Needs no server. Aerich's comparison runs once for each database, each time in a process and a scratch copy of
`migrations/` of its own, and both results go into one file whose `upgrade` picks by the connection's dialect.
"""

import asyncio
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "migrations"
URLS = {"sqlite": "sqlite:///:memory:", "postgres": "postgres://nobody@127.0.0.1:1/nothing"}

TEMPLATE = """from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True

UP = {up}

DOWN = {down}


async def upgrade(db: BaseDBAsyncClient) -> str:
    return UP[db.capabilities.dialect]


async def downgrade(db: BaseDBAsyncClient) -> str:
    return DOWN[db.capabilities.dialect]


MODELS_STATE = {state}
"""


@dataclass(frozen=True)
class Written:
    """What aerich wrote for one database."""

    file_name: str
    up: str
    down: str
    state: str


def main(name: str) -> int:
    """Write the file, or say why there is none."""
    written = {dialect: write_for(dialect, name) for dialect in URLS}
    known = [found for found in written.values() if found is not None]
    if not known:
        print("No changes.")
        return 0
    target = FOLDER / "models" / known[0].file_name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(file_text(written, known[0].state), encoding="utf-8")
    print(f"Wrote {target}")
    for dialect in (dialect for dialect, found in written.items() if found is None):
        print(f"Aerich cannot write this for {dialect}: write its SQL by hand.")
    return 0


def write_for(dialect: str, name: str) -> Written | None:
    """Run aerich for one database in a scratch copy; None when it wrote nothing."""
    with tempfile.TemporaryDirectory() as scratch:
        if (FOLDER / "models").is_dir():
            shutil.copytree(FOLDER / "models", Path(scratch, "models"))
        command = [sys.executable, __file__, "--child", dialect, name, scratch]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"}
        ran = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        if ran.returncode:
            print(f"{dialect}: {(ran.stderr.strip().splitlines() or ['failed'])[-1]}", file=sys.stderr)
            return None
        file_name = (ran.stdout.strip().splitlines() or [""])[-1]
        return read(Path(scratch, "models", file_name)) if file_name.endswith(".py") else None


def read(file: Path) -> Written:
    """Take apart a file that aerich wrote."""
    module = load(file)
    up, down = asyncio.run(module.upgrade(None)), asyncio.run(module.downgrade(None))
    return Written(file.name, up.strip(), down.strip(), module.MODELS_STATE)


def load(file: Path) -> ModuleType:
    """Import a migration file from its path."""
    spec = importlib.util.spec_from_file_location("migration", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def file_text(written: dict[str, Written | None], state: str) -> str:
    """Return the text of the file for both databases."""
    up = {dialect: found.up if found else None for dialect, found in written.items()}
    down = {dialect: found.down if found else None for dialect, found in written.items()}
    chunks = "\n".join(f'    "{state[at : at + 90]}"' for at in range(0, len(state), 90))
    return TEMPLATE.format(up=literal(up), down=literal(down), state=f"(\n{chunks}\n)")


def literal(scripts: dict[str, str | None]) -> str:
    """Return a dict of SQL scripts as Python source."""
    parts = []
    for dialect, script in scripts.items():
        body = f"-- to be written by hand for {dialect}" if script is None else quoted(script)
        parts.append(f'    "{dialect}": """\n        {body}\n    """,')
    return "{\n" + "\n".join(parts) + "\n}"


def quoted(script: str) -> str:
    """Return a script fit to stand between triple quotes."""
    return script.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')


async def child(dialect: str, name: str, scratch: str) -> None:
    """Run aerich without a server and print the name of the file it wrote."""
    from aerich import Command
    from tortoise.context import TortoiseContext

    from mission_control.database.setup import APP, MODEL_MODULES, orm_config

    with TortoiseContext():
        config = orm_config(URLS[dialect], modules=[*MODEL_MODULES, "aerich.models"])
        command = Command(tortoise_config=config, app=APP, location=scratch)
        if any(Path(scratch, APP).glob("[0-9]*_*.py")):
            await command.init(offline=True)
            print(await command.migrate(name, no_input=True, offline=True) or "")
        else:
            await command.init_migrations(True)
            print(max(file.name for file in Path(scratch, APP).glob("[0-9]*_*.py")))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        asyncio.run(child(*sys.argv[2:5]))
    elif len(sys.argv) == 2:
        sys.exit(main(sys.argv[1]))
    else:
        sys.exit("Usage: python tools/make_migration.py NAME")
