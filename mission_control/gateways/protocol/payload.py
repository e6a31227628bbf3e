"""What gateways answer and tell: objects of JSON, read leniently."""

from collections.abc import Mapping
from typing import Any


class Payload(dict[str, Any]):
    """An object that a gateway sent. What is missing in it, or of another type than expected, is empty."""

    @classmethod
    def of(cls, value: object) -> "Payload":
        return value if isinstance(value, Payload) else cls(value) if isinstance(value, Mapping) else cls()

    def inner(self, name: str) -> "Payload":
        return Payload.of(self.get(name))

    def items_of(self, name: str) -> list[Any]:
        items = self.get(name)
        return items if isinstance(items, list) else []

    def objects(self, name: str) -> list["Payload"]:
        return [Payload(item) for item in self.items_of(name) if isinstance(item, Mapping)]

    def text(self, *names: str) -> str:
        """Take the first of several fields that is not empty, as a text."""
        return next((str(value) for name in names if (value := self.get(name))), "")

    def string(self, name: str) -> str | None:
        """None if the field is no text."""
        value = self.get(name)
        return value if isinstance(value, str) else None
