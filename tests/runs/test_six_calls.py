"""A worker asks, leaves, does another task, comes back with the answer and hands in: six calls, and nothing else read.

Over MCP it is `tests/mcp/test_six_calls.py`.
"""

from typing import Any

from tests.cast import Cast


class Worker:
    """A program that knows its token and its board, and counts its calls."""

    def __init__(self, cast: Cast) -> None:
        self._cast = cast
        self.calls = 0

    async def call(self, path: str, **body: Any) -> dict[str, Any]:
        self.calls += 1
        answer: dict[str, Any] = (await self._cast.vega.post(f"/agent{path}", body)).ok()
        return answer


async def test_worker_needs_six_calls(cast: Cast) -> None:
    (await cast.ada.patch(cast.home, {"brief": "Keep the old addresses."})).ok()
    redirect = await cast.add_task(title="Redirect the old shop", priority="high")
    (await cast.ada.post(f"{cast.task(redirect)}/checklist", {"text": "No 404", "is_criterion": True})).ok()
    await cast.add_task(title="Sweep the floor", priority="low")
    worker = Worker(cast)
    first = await worker.call("/next", wait_seconds=600)
    assert (first["task"]["title"], first["brief"]) == ("Redirect the old shop", "Keep the old addresses.")
    fence, tasks = first["lease"]["fence"], f"{cast.home}/tasks"
    asked = await worker.call(f"{cast.home}/questions", content="Where to?", task_id=redirect["id"], park=True)
    other = await worker.call("/next", wait_seconds=600)
    assert other["task"]["title"] == "Sweep the floor"
    answer = {"answer": "/shop/name, the rest to /"}
    (await cast.ada.post(f"{cast.home}/questions/{asked['id']}/answers", answer)).ok()
    lease = other["lease"]["fence"]
    await worker.call(f"{tasks}/{other['task']['id']}/completions", fence=lease, summary="Swept.")
    again = await worker.call("/next", wait_seconds=600)
    assert (again["kind"], again["task"]["id"], again["lease"]["fence"]) == ("resume", redirect["id"], fence)
    assert again["why"]["text"] == "You go on: Ada answered: /shop/name, the rest to /"
    assert [one["text"] for one in again["criteria"]] == ["No 404"]
    done = await worker.call(
        f"{tasks}/{redirect['id']}/completions", fence=fence, summary="Redirected.", checked="No 404 in 12 addresses."
    )
    assert done["run"]["checked"] == "No 404 in 12 addresses." and worker.calls == 6
