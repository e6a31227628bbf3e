"""Routes compile what writes their addresses late, and it writes what Quart's own rules write."""

import pytest
from quart.routing import QuartMap, QuartRule

from mission_control.http.middleware import Application, Route


@pytest.mark.parametrize(("rule", "values"), [
    ("/boards", {}),
    ("/boards", {"after": "a b", "rule": "x"}),
    ("/boards/<board_id>/tasks", {"board_id": "a/b ü"}),
    ("/rules/<rule>", {"rule": "self", "self": "rule"}),
    ("/files/<path:name>", {"name": "a/b c"}),
])  # fmt: skip
def test_routes_write_the_addresses_of_ordinary_rules(rule: str, values: dict[str, str]) -> None:
    written = set()
    for kind in (Route, QuartRule):
        bound = QuartMap([kind(rule, methods=["GET"], endpoint="one")]).bind("here")
        written |= {bound.build("one", values) for _ in range(2)}
    assert len(written) == 1 and written != {""}


def test_application_has_such_routes() -> None:
    assert {type(one) for one in Application("mission_control").url_map.iter_rules()} <= {Route}
    assert Application.url_rule_class is Route
