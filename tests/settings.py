"""Other settings of the application, as long as a block runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from quart import Quart


@contextmanager
def having(app: Quart, **settings: Any) -> Iterator[None]:
    before = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(before, **settings)
    try:
        yield
    finally:
        app.config["SETTINGS"] = before
