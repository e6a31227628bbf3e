"""Cut a SQL script into its statements."""

import re
import sqlite3
from collections.abc import Iterator


def statements(script: str) -> Iterator[str]:
    """Yield each statement; a `;` inside a trigger, a string or a `$$` body does not end one."""
    buffer = ""
    for part in re.split(r"(;)", script):
        buffer += part
        if part == ";" and buffer.count("$$") % 2 == 0 and sqlite3.complete_statement(buffer):
            if _says_something(buffer):
                yield buffer.strip()
            buffer = ""
    if _says_something(buffer):
        yield buffer.strip()


def _says_something(statement: str) -> bool:
    return bool(re.sub(r"--[^\n]*", "", statement).strip(" ;\n\t"))
