"""A waiting claim is refused immediately when its agent may no longer work, whatever its place in the queue."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from mission_control.boards.models import Run
from tests.cast import Cast
from tests.live.waiters import PATIENCE, hang_up, poll, stand_in_queue

pytestmark = [pytest.mark.dialect, pytest.mark.usefixtures("looks_are_counted")]

Change = Callable[[Cast], Awaitable[Any]]


async def move(cast: Cast) -> None:
    (await cast.ada.patch(f"/agents/{cast.vega.id}", {"board_id": str(cast.other_board.id)})).ok()


async def promote(cast: Cast) -> None:
    (await cast.ada.patch(f"/agents/{cast.atlas.id}", {"is_board_lead": False})).ok()
    (await cast.ada.patch(f"/agents/{cast.vega.id}", {"is_board_lead": True})).ok()


async def replace_its_token(cast: Cast) -> None:
    """Its token is replaced without an overlap."""
    (await cast.ada.post(f"/agents/{cast.vega.id}/tokens", {"overlap_seconds": 0})).ok()


async def revoke_its_token(cast: Cast) -> None:
    [token] = (await cast.ada.get(f"/agents/{cast.vega.id}/tokens")).ok()["items"]
    (await cast.ada.delete(f"/agents/{cast.vega.id}/tokens/{token['id']}")).ok()


async def narrow_its_token(cast: Cast) -> None:
    """Its token may only read."""
    [token] = (await cast.ada.get(f"/agents/{cast.vega.id}/tokens")).ok()["items"]
    (await cast.ada.patch(f"/agents/{cast.vega.id}/tokens/{token['id']}", {"scopes": ["read"]})).ok()


async def delete(cast: Cast) -> None:
    (await cast.ada.delete(f"/agents/{cast.vega.id}")).ok()


CHANGES: dict[Change, int] = {
    move: 404, promote: 403, replace_its_token: 401, revoke_its_token: 401, narrow_its_token: 403, delete: 401,
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda one: one.__name__)
async def test_refused_waiter_is_answered_and_others_keep_waiting(cast: Cast, change: Change) -> None:
    before, waiting = await poll(cast, cast.rigel), await poll(cast)
    await change(cast)
    (await asyncio.wait_for(waiting, PATIENCE)).refused(CHANGES[change])
    await stand_in_queue(cast, 1)
    assert not before.done()
    await hang_up(before)


async def test_board_deletion_answers_all_waiters(cast: Cast) -> None:
    polls = [await poll(cast, cast.rigel), await poll(cast)]
    (await cast.ada.delete(cast.home)).ok()
    for one in polls:
        (await asyncio.wait_for(one, PATIENCE)).refused(404)
    assert await Run.all().count() == 0
