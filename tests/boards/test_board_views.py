"""Saved views of boards: one's own and shared ones, their order, and the one that opens the board."""

import asyncio
from typing import Any

import pytest

from tests.cast import Caller, Cast, head, kinds

pytestmark = pytest.mark.dialect


async def save(cast: Cast, name: str, by: Caller | None = None, **fields: Any) -> dict[str, Any]:
    """Save a view."""
    made: dict[str, Any] = (await (by or cast.ada).post(f"{cast.home}/views", {"name": name, **fields})).ok()
    return made


async def names(cast: Cast, by: Caller | None = None) -> list[str]:
    """The names of the views that somebody sees."""
    return [one["name"] for one in (await (by or cast.ada).get(f"{cast.home}/views")).ok()["items"]]


async def test_private_views_are_seen_by_their_owner_and_shared_ones_by_all(cast: Cast) -> None:
    before = await head(cast)
    made = await save(cast, "Mine", query="assignee:me", kind="table", sort="-due", columns=["due", "field:points"])
    assert (made["kind"], made["columns"], made["is_shared"]) == ("table", ["due", "field:points"], False)
    assert await kinds(cast, before) == []
    await save(cast, "All of us", is_shared=True)
    assert await names(cast) == ["Mine", "All of us"]
    assert await names(cast, cast.dan) == await names(cast, cast.cleo) == ["All of us"]
    assert [kind for kind, _ in await kinds(cast, before)] == ["view.created"]
    (await cast.cleo.patch(f"{cast.home}/views/{made['id']}", {"name": "x"})).refused(404)
    (await cast.eve.get(f"{cast.home}/views")).refused(404)


async def test_readers_save_their_own_views_only(cast: Cast) -> None:
    own = await save(cast, "Read", cast.dan)
    (await cast.dan.post(f"{cast.home}/views", {"name": "x", "is_shared": True})).refused(403)
    (await cast.dan.patch(f"{cast.home}/views/{own['id']}", {"is_shared": True})).refused(403)
    shared = await save(cast, "Shared", is_shared=True)
    (await cast.dan.patch(f"{cast.home}/views/{shared['id']}", {"name": "x"})).refused(403)
    (await cast.dan.delete(f"{cast.home}/views/{own['id']}")).ok()
    assert await names(cast, cast.dan) == ["Shared"]


async def test_views_change_places(cast: Cast) -> None:
    made = [await save(cast, name) for name in "abc"]
    url = f"{cast.home}/views"
    (await cast.ada.patch(f"{url}/{made[2]['id']}", {"move": "left"})).ok()
    assert await names(cast) == ["a", "c", "b"]
    (await cast.ada.patch(f"{url}/{made[0]['id']}", {"move": "left", "name": "A"})).ok()
    (await cast.ada.patch(f"{url}/{made[0]['id']}", {"move": "right"})).ok()
    assert await names(cast) == ["c", "A", "b"]


async def test_one_shared_view_opens_the_board(cast: Cast) -> None:
    (await cast.ada.post(f"{cast.home}/views", {"name": "x", "is_default": True})).refused(422)
    first = await save(cast, "First", is_shared=True, is_default=True)
    second = await save(cast, "Second", is_shared=True)
    url = f"{cast.home}/views"
    (await cast.cleo.patch(f"{url}/{second['id']}", {"is_default": True})).ok()
    assert [one["is_default"] for one in (await cast.ada.get(url)).ok()["items"]] == [False, True]
    private = (await cast.ada.patch(f"{url}/{second['id']}", {"is_shared": False})).ok()
    assert private["is_default"] is False
    assert (await cast.ada.patch(f"{url}/{first['id']}", {"query": "x"})).ok()["query"] == "x"


async def test_views_of_a_board_are_limited(cast: Cast) -> None:
    for number in range(50):
        await save(cast, f"Again {number}")
    (await cast.ada.post(f"{cast.home}/views", {"name": "One too many"})).refused(409)


async def test_names_of_views_are_told_apart(cast: Cast) -> None:
    first = await save(cast, "Mine")
    taken = (await cast.ada.post(f"{cast.home}/views", {"name": "mine"})).refused(409)
    assert "“mine”" in str(taken)
    theirs = await save(cast, "Mine", cast.ben)
    (await cast.ben.patch(f"{cast.home}/views/{theirs['id']}", {"is_shared": True})).ok()
    (await cast.ada.patch(f"{cast.home}/views/{first['id']}", {"is_shared": True})).refused(409)
    (await cast.ada.patch(f"{cast.home}/views/{first['id']}", {"query": "x"})).ok()
    other = await save(cast, "Other")
    (await cast.ada.patch(f"{cast.home}/views/{other['id']}", {"name": "MINE"})).refused(409)
    assert await names(cast) == ["Mine", "Mine", "Other"]


async def test_one_name_is_saved_once_by_two_at_once(cast: Cast) -> None:
    url = f"{cast.home}/views"
    answers = await asyncio.gather(*(cast.ada.post(url, {"name": "Twice", "is_shared": True}) for _ in range(6)))
    assert sorted(one.status for one in answers) == [200] + [409] * 5
