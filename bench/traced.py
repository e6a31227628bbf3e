"""Run `mission-control` with its SQL statements counted: `python bench/traced.py FILE serve --port 8000`.

FILE gets eight bytes, a little-endian count of the statements that SQLite has begun so far, BEGIN and COMMIT
included, what triggers do inside of a statement not. It works with the installation of whichever interpreter runs it.
"""

import mmap
import sqlite3
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def count_into(path: Path) -> None:
    """Let every connection that is opened from now on count its statements in a file."""
    path.write_bytes(bytes(8))
    with path.open("r+b") as file:
        counter = mmap.mmap(file.fileno(), 8)
    connect: Callable[..., sqlite3.Connection] = sqlite3.connect
    last: dict[int, str] = {}

    def traced(*arguments: Any, **named: Any) -> sqlite3.Connection:
        connection = connect(*arguments, **named)
        key = id(connection)

        def count(text: str) -> None:
            # Inside of a statement SQLite tells of triggers ("-- ...") and of the full-text index (the text again).
            if not text.startswith("--") and last.get(key) != text:
                counter[:] = struct.pack("<q", struct.unpack("<q", counter[:])[0] + 1)
            last[key] = text

        connection.set_trace_callback(count)
        return connection

    vars(sqlite3)["connect"] = traced


if __name__ == "__main__":
    count_into(Path(sys.argv.pop(1)))
    from mission_control.cli import main

    main()
