"""The program for terminals with a clock of the tests: a pause lasts a thirtieth of itself, and the time after it is as
if it had lasted all of it.

Arguments are the program's file, or `-` for the package of this checkout, and then those of the command. Variables:
SHORTER is how much shorter pauses are; with PAUSES_ONLY the time of day stays, which others write down too; CONSTANTS
is `MODULE.NAME=NUMBER ...` of the client.
"""

import importlib
import os
import shlex
import sys
import time

SHORTER = float(os.environ.get("SHORTER", "30"))
COMMAND = shlex.join([sys.executable, __file__, "-"])  # for what it starts
SHORTEST = 0.1  # seconds: shorter pauses are looks at what others do, and stay
skipped = 0.0


def sleep(seconds: float) -> None:
    global skipped
    length = seconds if seconds < SHORTEST else seconds / SHORTER
    time.sleep(length)
    skipped += seconds - length


def main() -> int:
    _, program, *arguments = sys.argv
    sys.argv = [program, *arguments]
    if program == "-":
        del sys.path[0]
        script = importlib.import_module("mission_control.client.script")
        script.python_command = lambda: COMMAND  # type: ignore[attr-defined]
    else:
        sys.path[0] = program
    clock = importlib.import_module("mission_control.client.clock")
    clock.sleep = sleep  # type: ignore[attr-defined]
    clock.monotonic = lambda: time.monotonic() + skipped  # type: ignore[attr-defined]
    if not os.environ.get("PAUSES_ONLY"):
        clock.time = lambda: time.time() + skipped  # type: ignore[attr-defined]
    for text in os.environ.pop("CONSTANTS", "").split():
        name, _, number = text.partition("=")
        module, _, constant = name.rpartition(".")
        owner = importlib.import_module(f"mission_control.client.{module}")
        assert hasattr(owner, constant), text
        setattr(owner, constant, float(number))
    return int(importlib.import_module("mission_control.client.__main__").main())


if __name__ == "__main__":
    sys.exit(main())
