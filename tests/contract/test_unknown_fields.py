"""Operations that the predecessor does not have refuse what they do not know; the others pass over it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import TypeAdapter

from mission_control.http.registry import OPERATIONS, Operation, inherited_ids
from tests.cast import Cast

OURS = [one for one in OPERATIONS if not one.is_inherited and not one.form]


def test_every_inherited_operation_is_served() -> None:
    served = {(one.method, re.sub(r"<[^>]+>", "{}", one.path)) for one in OPERATIONS}
    known = {("GET", path) for path in ("/health", "/healthz", "/readyz")}
    assert set(inherited_ids()) <= served | known


def open_shapes(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "properties" in node and node.get("additionalProperties") is not False:
            yield str(node.get("title"))
        for one in node.values():
            yield from open_shapes(one)
    elif isinstance(node, list):
        for one in node:
            yield from open_shapes(one)


@pytest.mark.parametrize("one", [one for one in OURS if one.body is not None], ids=lambda one: one.operation_id)
def test_own_bodies_refuse_unknown_fields(one: Operation) -> None:
    assert list(open_shapes(TypeAdapter[Any](one.body).json_schema())) == []


async def test_inherited_operations_ignore_unknown_fields(cast: Cast) -> None:
    task = (await cast.ada.post(f"{cast.tasks}?_=1", {"title": "x", "is_new": True})).ok()
    (await cast.ada.patch(f"{cast.task(task)}?_=1", {"title": "y", "is_new": True})).ok()
    (await cast.ada.get(f"{cast.tasks}?_=1")).ok()


async def test_refusal_names_the_nearest_field(cast: Cast) -> None:
    claims = f"/agent/boards/{cast.board.id}/claims"

    async def said(body: Any) -> list[str]:
        return [item["msg"] for item in (await cast.vega.post(claims, body)).refused(422)]

    assert await said({"wait_secs": 5}) == ["Extra inputs are not permitted; did you mean `wait_seconds`?"]
    assert await said({"wait": 5}) == ["Extra inputs are not permitted; did you mean `wait_seconds`?"]
    assert (await said({"zzz": 5}))[0].startswith("Extra inputs are not permitted; known here: ")
    question = {"content": "North?", "options": [{"lable": "North", "label": "N"}]}
    [item] = (await cast.vega.post(claims.replace("claims", "questions"), question)).refused(422)
    assert item["loc"] == ["body", "options", 0, "lable"] and item["msg"].endswith("did you mean `label`?")
    [item] = (await cast.ada.get("/needs?limt=5")).refused(422)
    assert item["msg"].endswith("did you mean `limit`?")
