"""Importing the program without looking for garbage."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Let what is imported here stay for good: looking for garbage among it would take a fifth of the start.

    It is never looked at again, which would stop the process for 100 ms each time.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
