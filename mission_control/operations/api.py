"""A blueprint that keeps the operations it serves."""

from typing import Any

from quart import Blueprint

from mission_control.operations.registry import Operation


class Api(Blueprint):
    """The operations of one module. Its feature names the object, and `install()` publishes them."""

    def __init__(self, name: str, import_name: str, **options: Any) -> None:
        super().__init__(name, import_name, **options)
        self.operations: list[Operation] = []
