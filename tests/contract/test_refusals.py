"""What every operation refuses whoever calls it: unknown fields, other shapes, pages without rows, malformed ids.

One test for each operation makes what its path names once, sends every wrong request and reports all that was not
refused as it should be, by its kind.
"""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mission_control.http.registry import OPERATIONS, Operation
from tests.cast import Answer, Caller, Cast
from tests.contract.bodies import caller_of
from tests.contract.operation_rights import named
from tests.contract.test_readmodels import REFUSED
from tests.outside import outside
from tests.things import filled, things_of

KINDS = ("unknown fields", "body of another kind", "page without rows", "malformed id")


def kinds_of(one: Operation) -> set[str]:
    """The kinds of wrong requests that an operation can get; only main agents of gateways reach some bodies."""
    paged = one.query is not None and "limit" in one.query.model_fields
    applies = (
        not one.is_inherited and not one.form,
        one.body is not None and REFUSED.get(one.name) != 403,
        paged,
        "<" in one.path,
    )
    return {kind for kind, is_so in zip(KINDS, applies, strict=True) if is_so}


SWEPT = [one for one in OPERATIONS if kinds_of(one)]


def test_operations_of_every_kind_are_swept() -> None:
    counts = {kind: sum(kind in kinds_of(one) for one in SWEPT) for kind in KINDS}
    assert counts["unknown fields"] > 200 and counts["body of another kind"] > 100, counts
    assert counts["page without rows"] > 30 and counts["malformed id"] > 200, counts


def has_envelope(answer: Answer) -> bool:
    """Whether an answer is a refusal in the shape of all, see `Answer.refused`."""
    try:
        answer.refused(answer.status)
    except (AssertionError, TypeError):
        return False
    return True


def problems(answer: Answer) -> list[tuple[tuple[str, ...], str]]:
    """The places and types of what a 422 says, else nothing."""
    if answer.status != 422 or not has_envelope(answer):
        return []
    return [(tuple(item["loc"]), item["type"]) for item in answer.body["detail"]]


async def failures(one: Operation, caller: Caller, path: str, malformed: Caller, nowhere: str) -> AsyncIterator[str]:
    """What an operation did not refuse as it should, by its kind."""
    kinds = kinds_of(one)
    has_body = one.body is not None
    if "unknown fields" in kinds:
        answer = await caller.call(one.method, f"{path}?wait_secs=50", {"wait_secs": 50} if has_body else ...)
        for place in ("query", "body") if has_body else ("query",):
            if ((place, "wait_secs"), "extra_forbidden") not in problems(answer):
                yield f"unknown fields: {place} is answered by {answer.status} {answer.body!r:.200}"
    if "body of another kind" in kinds:
        answer = await caller.call(one.method, path, 5)
        if [place for place, _ in problems(answer)] != [("body",)]:
            yield f"body of another kind: {answer.status} {answer.body!r:.200}"
    if "page without rows" in kinds:
        for wrong in ("limit=0", "limit=x"):
            answer = await caller.get(f"{path}?{wrong}")
            if ("query", "limit") not in [place for place, _ in problems(answer)]:
                yield f"page without rows: {wrong} is answered by {answer.status} {answer.body!r:.200}"
    if "malformed id" in kinds:
        answer = await malformed.call(one.method, nowhere, {} if has_body else ...)
        last = re.findall(r"<(?:string:)?\w+>", one.path)[-1]
        if not last.startswith("<string:") and (answer.status != 404 or not has_envelope(answer)):
            yield f"malformed id: {answer.status} {answer.body!r:.200}"


@pytest.mark.once
@pytest.mark.parametrize("one", SWEPT, ids=named)
async def test_wrong_requests_are_refused(cast: Cast, one: Operation, tmp_path: Path) -> None:
    made = await things_of(cast, one.path)
    path, nowhere = filled(one.path, made), one.path
    if made:
        nowhere = filled(one.path.replace(re.findall(r"<(?:string:)?\w+>", one.path)[-1], "nope"), made)
    async with outside(cast.app, path, tmp_path):
        malformed = cast.atlas if one.who == "agent" else cast.ada
        wrong = [failure async for failure in failures(one, caller_of(one, cast), path, malformed, nowhere)]
    assert not wrong, "\n".join(wrong)
