"""A list of twenty costs as many SQL statements as a list of one, for every operation whose answer holds a list."""

import typing
from typing import Any

import pytest
from pydantic import BaseModel

from mission_control.core.values import Page
from mission_control.http.registry import OPERATIONS, Operation
from mission_control.http.response_cache import cache
from tests.cast import Cast
from tests.lists import FIXED, LISTS, Listing, listings
from tests.samples import sampled
from tests.statements import counted
from tests.things import filled, things_of

ROWS = 20
TABLES = {"text/csv"}


def holds_a_list(one: Operation) -> bool:
    """Whether an answer is as long as there are rows: a list, a page, a table, or a model with a list of models."""
    if one.method != "GET" or one.is_stream:
        return False
    kind = one.returns
    if typing.get_origin(kind) is list or TABLES & set(one.media):
        return True
    if not isinstance(kind, type) or not issubclass(kind, BaseModel):
        return False
    return issubclass(kind, Page) or any(_of_models(info.annotation) for info in kind.model_fields.values())


def _of_models(kind: Any) -> bool:
    inner = typing.get_args(kind)
    if typing.get_origin(kind) is list:
        return isinstance(inner[0], type) and issubclass(inner[0], BaseModel)
    return any(_of_models(one) for one in inner)


def test_every_list_is_counted() -> None:
    listed = {one.path for one in OPERATIONS if holds_a_list(one)}
    assert len(listed) > 30
    assert listed - set(LISTS) - set(FIXED) == set(), "a list operation without an entry in tests/lists.py"
    assert (set(LISTS) | set(FIXED)) - listed == set()
    assert set(LISTS) & set(FIXED) == set()


@pytest.mark.once
@pytest.mark.parametrize("listing", sampled(listings()), ids=lambda one: one.operation.operation_id)
async def test_lists_use_the_same_statements_for_1_and_20_rows(cast: Cast, listing: Listing) -> None:
    made = await things_of(cast, listing.operation.path)
    path = filled(listing.operation.path, made) + listing.query
    costs, sizes = [], []
    for row in range(ROWS):
        await listing.more(cast, made, row)
        if row in (0, ROWS - 1):
            statements, size = await _read(cast, listing.operation, path)
            costs.append(statements)
            sizes.append(size)
    assert sizes[1] > sizes[0] * 3, "twenty rows did not make the answer longer"
    assert len(costs[0]) == len(costs[1]), _difference(*costs)


async def _read(cast: Cast, one: Operation, path: str) -> tuple[list[str], int]:
    """The statements of a third reading, and how long its answer is: what is new for an agent rides on the first."""
    caller = cast.atlas if one.who == "agent" else cast.ada
    caller = cast.cleo if path.endswith("/me/member") else caller
    for _ in range(2):
        (await caller.get(path)).ok()
    cache.clear()  # what is kept costs nothing
    with counted() as found:
        body = (await caller.get(path)).ok()
    return list(found), len(body) if isinstance(body, bytes) else len(repr(body))


def _difference(few: list[str], many: list[str]) -> str:
    texts = "\n".join(many)
    return f"{len(few)} statements became {len(many)}:\n{texts[:4000]}"
