"""The order in which a reader wants a list: the field `order` of the address, one of those that the page offers."""

from collections.abc import Mapping

from quart import request


def order_asked(orders: Mapping[str, str]) -> str:
    """Return the key of the wanted order; the first of `orders` (labels by key) unless a known one is asked."""
    asked = request.args.get("order", "")
    return asked if asked in orders else next(iter(orders))
