"""The order in which a reader wants a list: the field `order` of the address, one of those that the page offers."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from quart import request


@dataclass(frozen=True, slots=True)
class Order:
    """An order that a list offers: what it is called, and what its rows are sorted by.

    `rank` sorts rows that have been read; without one they stay as they come, and equal ones do in any order. `sql` is
    for lists that are read in parts; it ends with the id, so that no row is on two pages.
    """

    label: str
    rank: Callable[[Any], Any] | None = None
    greatest_first: bool = False
    sql: str = ""

    def sorted[Row](self, found: Iterable[Row]) -> list[Row]:
        """Return rows in this order."""
        return list(found) if self.rank is None else sorted(found, key=self.rank, reverse=self.greatest_first)


type Orders = Mapping[str, Order]


def greatest(label: str, rank: Callable[[Any], Any]) -> Order:
    """Return an order with the greatest first."""
    return Order(label, rank, greatest_first=True)


def order_asked(orders: Orders) -> str:
    """Return the key of the wanted order; the first of `orders` unless a known one is asked."""
    asked = request.args.get("order", "")
    return asked if asked in orders else next(iter(orders))


def ordering(orders: Orders, order: str) -> dict[str, Any]:
    """Return what `ui/order.html` needs."""
    return {"orders": {key: one.label for key, one in orders.items()}, "order": order}
