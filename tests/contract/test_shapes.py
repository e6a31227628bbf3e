"""Every operation reads its body and its query by the shapes that the document shows, whatever they are."""

from pathlib import Path

import pytest

from mission_control.http.registry import OPERATIONS, Operation
from tests.cast import Cast
from tests.contract.bodies import caller_of
from tests.contract.operation_rights import named
from tests.contract.test_readmodels import REFUSED
from tests.outside import outside
from tests.things import path_of

# Only the main agent of a gateway may do the others.
WITH_BODY = [one for one in OPERATIONS if one.body is not None and REFUSED.get(one.name) != 403]
PAGED = [one for one in OPERATIONS if one.query is not None and "limit" in one.query.model_fields]


def test_operations_with_shapes_are_found() -> None:
    assert len(WITH_BODY) > 100 and len(PAGED) > 30


@pytest.mark.once
@pytest.mark.parametrize("one", WITH_BODY, ids=named)
async def test_body_of_another_kind_is_refused(cast: Cast, one: Operation, tmp_path: Path) -> None:
    path = await path_of(cast, one)
    async with outside(cast.app, path, tmp_path):
        [item] = (await caller_of(one, cast).call(one.method, path, 5)).refused(422)
    assert item["loc"] == ["body"]


@pytest.mark.once
@pytest.mark.parametrize("one", PAGED, ids=named)
async def test_page_without_rows_is_refused(cast: Cast, one: Operation) -> None:
    path = await path_of(cast, one)
    for wrong in ("limit=0", "limit=x"):
        items = (await caller_of(one, cast).get(f"{path}?{wrong}")).refused(422)
        assert ["query", "limit"] in [item["loc"] for item in items]
