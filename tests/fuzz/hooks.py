"""What schemathesis must know of the contract: a `date-time` may be without an offset, and is then UTC."""

from typing import Any

import schemathesis
from hypothesis import strategies

MOMENT = {
    "format": "moment",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})?$",
}

schemathesis.openapi.format("moment", strategies.datetimes().map(lambda one: one.isoformat()))


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    """Give every `date-time` of the document its meaning in the contract."""
    _rewrite(raw_schema)


def _rewrite(node: Any) -> None:
    if isinstance(node, dict):
        if node.get("format") == "date-time":
            node.update(MOMENT)
        for one in node.values():
            _rewrite(one)
    elif isinstance(node, list):
        for one in node:
            _rewrite(one)
