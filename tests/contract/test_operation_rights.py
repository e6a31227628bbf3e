"""Rights: every operation, called by everybody, answers what the table says; one without a row fails."""

from pathlib import Path

import pytest

from mission_control.database.sql import Row, rows
from mission_control.http.registry import Operation
from tests.cast import Cast
from tests.contract.operation_rights import COLUMNS, answer, callers, named, operations, table, write
from tests.outside import outside
from tests.samples import sampled
from tests.things import path_of


async def stored() -> Row:
    """Return how much was recorded and is on its way, of everything."""
    [counts] = await rows(
        "SELECT (SELECT COUNT(*) FROM events) AS events, (SELECT COUNT(*) FROM deliveries) AS deliveries,"
        " (SELECT COUNT(*) FROM notifications) AS notifications,"
        " (SELECT COUNT(*) FROM outgoing_deliveries) AS outgoing"
    )
    return counts


def test_every_operation_has_a_row() -> None:
    assert {place: row["name"] for place, row in table().items()} == {
        (one.method, one.path): one.name for one in operations()
    }


@pytest.mark.once
@pytest.mark.parametrize("one", sampled(operations(), each=2), ids=named)
async def test_rights_of_operations_match_the_table_and_refusals_store_nothing(
    cast: Cast, one: Operation, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    everybody = await callers(cast)
    path = await path_of(cast, one)
    async with outside(cast.app, path, tmp_path):
        answers = {}
        for name in COLUMNS:
            before = await stored()
            answers[name] = await answer(one, everybody[name], path)
            assert answers[name] == "in" or await stored() == before, name
    if request.config.getoption("--write-rights"):
        known = table()
        known[one.method, one.path] = answers
        write(known)
        return
    expected = table()[one.method, one.path]
    assert answers == {name: expected[name] for name in COLUMNS}
