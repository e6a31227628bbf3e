"""Rights: every operation, called by everybody, answers what the table says; one without a row fails."""

import pytest

from mission_control.core.registry import Operation
from tests.cast import Cast
from tests.contract.operation_rights import COLUMNS, addresses, answer, callers, operations, path_of, table, write


def named(one: Operation) -> str:
    return f"{one.method} {one.path}"


def test_every_operation_has_a_row() -> None:
    assert {(one.method, one.path) for one in operations()} == set(table())


@pytest.mark.parametrize("one", operations(), ids=named)
async def test_who_gets_in(cast: Cast, one: Operation, request: pytest.FixtureRequest) -> None:
    path = path_of(one, await addresses(cast))
    everybody = await callers(cast)
    found = {name: await answer(one, everybody[name], path) for name in COLUMNS}
    if request.config.getoption("--write-rights"):
        known = table()
        known[one.method, one.path] = found
        write(known)
        return
    expected = table()[one.method, one.path]
    assert found == {name: expected[name] for name in COLUMNS}
