"""Parts: what a module adds to the application. Installing makes a part count (`server/installation.py`), no import.

A part stands in its module under a name, alone or in a tuple; or it is a function that a decorator has marked.
"""

from collections.abc import Callable, MutableMapping
from typing import Any

from quart import Quart


class Part:
    """Something that counts once it is installed."""

    __slots__ = ()

    def install(self) -> None:
        raise NotImplementedError


def marked[F: Callable[..., Any]](function: F, install: Callable[[F], None]) -> F:
    """Let `install` make a function count when the parts are installed."""
    vars(function).setdefault("parts", []).append(install)
    return function


def add(registry: MutableMapping[Any, Any], key: object, part: object) -> None:
    """Put a part into a registry; raises RuntimeError when another one has its key."""
    if key in registry:
        raise RuntimeError(f"{key} is declared twice.")
    registry[key] = part


class Hook[F: Callable[..., Any]]:
    """Functions of rooms above that a room calls: each is marked by `@hook`. `is_single`: there is at most one."""

    def __init__(self, *, is_single: bool = False) -> None:
        self.functions: list[F] = []
        self._is_single = is_single

    def __call__(self, function: F) -> F:
        return marked(function, self._install)

    @property
    def function(self) -> F | None:
        """The only one, None when there is none."""
        return self.functions[0] if self.functions else None

    def _install(self, function: F) -> None:
        if self._is_single and self.functions:
            raise RuntimeError(f"{function.__qualname__} and {self.functions[0].__qualname__} have one place.")
        self.functions.append(function)


# What needs the application itself, when it is made.
prepare = Hook[Callable[[Quart], None]]()
