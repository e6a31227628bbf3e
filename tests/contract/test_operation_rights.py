"""Rights: every operation, called by everybody, answers what the table says; one without a row fails."""

from pathlib import Path

import pytest

from mission_control.http.registry import Operation
from tests.cast import Cast
from tests.contract.operation_rights import COLUMNS, answer, callers, operations, table, write
from tests.outside import outside
from tests.things import path_of


def named(one: Operation) -> str:
    return f"{one.method} {one.path}"


def test_every_operation_has_a_row() -> None:
    assert {place: row["name"] for place, row in table().items()} == {
        (one.method, one.path): one.name for one in operations()
    }


@pytest.mark.once
@pytest.mark.parametrize("one", operations(), ids=named)
async def test_rights_of_operations_match_the_table(
    cast: Cast, one: Operation, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    everybody = await callers(cast)
    path = await path_of(cast, one)
    async with outside(cast.app, path, tmp_path):
        found = {name: await answer(one, everybody[name], path) for name in COLUMNS}
    if request.config.getoption("--write-rights"):
        known = table()
        known[one.method, one.path] = found
        write(known)
        return
    expected = table()[one.method, one.path]
    assert found == {name: expected[name] for name in COLUMNS}
