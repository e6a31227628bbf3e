"""`work` while its program may not be prompted: no prompt, no question, no attempt, and it goes on by itself."""

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mission_control.client import clock
from mission_control.client.work.ends import WINDOW, End
from mission_control.client.work.holding import Holding
from tests.client.shop import Shop, until
from tests.client.terminal import ended
from tests.live.servers import API

pytestmark = [pytest.mark.database, pytest.mark.once]


def refusal(seconds: float, times: int = 1) -> str:
    message = f"Internal error: You've hit your 5-hour limit · resets in {seconds:.0f} seconds"
    return f"do: refuse {times} {json.dumps({'code': -32603, 'message': message})}"


async def questions(shop: Shop) -> Any:
    return (await shop.made.ask("GET", f"{API}/boards/{shop.made.board_id}/questions"))["items"]


async def test_task_that_met_a_closed_window_goes_back_untouched(shop: Shop) -> None:
    task = await shop.task(refusal(3_600))
    said = await shop.once(code=3)
    assert "You've hit your 5-hour limit" in said and "Nothing is prompted until" in said
    assert (await shop.made.task(task))["status"] == "inbox"
    assert [run["state"] for run in await shop.runs(task)] == ["released"]
    assert await questions(shop) == [] and len(shop.prompts()) == 1
    again = await shop.once(code=3)  # another process of the same account
    assert "Nothing is prompted until" in again and len(shop.prompts()) == 1
    assert [run["state"] for run in await shop.runs(task)] == ["released"]
    assert shop.trees() == [] and shop.left() == []


async def test_worker_goes_on_by_itself_when_the_window_opens(shop: Shop) -> None:
    task = await shop.task(f"do: write work.txt one\n{refusal(1)}\ndo: say Done.")
    process = await shop.terminal.start(*shop.work, CONSTANTS="work.holding.AGAIN_SECONDS=1")

    async def in_review() -> bool:
        return bool((await shop.made.task(task))["status"] == "review")

    await until(in_review)
    process.terminate()
    assert (await ended(process)).code == 0
    [run] = [run for run in await shop.runs(task) if run["state"] == "completed"]
    assert run["fence"] == 1 and len(shop.prompts()) == 2
    assert await questions(shop) == [] and shop.left() == []


@pytest.mark.parametrize(("times", "seconds"), [(0, 30), (1, 60), (3, 240), (9, 3_600)])
def test_window_that_stays_closed_is_tried_after_longer_and_longer_pauses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int, seconds: float
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(clock, "time", lambda: 1_000.0)
    worker: Any = SimpleNamespace(program=SimpleNamespace(account=lambda: "claude"))
    end = End(WINDOW, "Closed.", datetime.fromtimestamp(1_004, UTC))
    holding = Holding(worker)
    for _ in range(times):
        holding.begin(end)
    assert holding.begin(end).until == 1_000 + seconds and holding.is_on()
    monkeypatch.setattr(clock, "time", lambda: 1_000 + seconds)
    assert not holding.is_on()


async def test_worker_of_one_task_lets_what_it_has_begun_wait(shop: Shop) -> None:
    task = await shop.task(f"do: write work.txt one\n{refusal(3_600)}\ndo: say Done.")
    await shop.once(code=3)
    assert [run["state"] for run in await shop.runs(task)] == ["waiting"] and await hold_of(shop)
    await shop.once(code=3)  # which prompts nobody, and takes no other task
    assert [run["state"] for run in await shop.runs(task)] == ["waiting"] and len(shop.prompts()) == 1
    assert await questions(shop) == [] and shop.left() == []


async def test_overload_is_waited_for_in_the_session(shop: Shop) -> None:
    error = json.dumps({"code": -32603, "message": "API Error: 529 Overloaded."})
    task = await shop.task(f"do: refuse 1 {error}\ndo: write work.txt one\ndo: say Done.")
    assert "waits: " in await shop.once()
    assert [run["state"] for run in await shop.runs(task)] == ["completed"]
    assert await questions(shop) == [] and len(shop.prompts()) == 2


async def test_fault_holds_nobody(shop: Shop) -> None:
    task = await shop.task(f"do: refuse 9 {json.dumps({'code': -32602, 'message': 'Invalid params'})}")
    assert "Invalid params" in await shop.once()
    assert [run["state"] for run in await shop.runs(task)] == ["completed"] and len(shop.prompts()) == 2


async def test_exit_code_75_of_a_command_is_no_fault(shop: Shop) -> None:
    task = await shop.task("Mend it.")
    tried = f"test -e {shop.kept}/tried && touch work.txt && echo Done. || {{ touch {shop.kept}/tried; exit 75; }}"
    printed = await shop.terminal.run("work", "--agent", f"sh -c '{tried}'", "--repository", str(shop.top), "--once")
    assert printed.code == 0 and "waits: " in printed.err
    assert [run["state"] for run in await shop.runs(task)] == ["completed"] and await questions(shop) == []


async def test_words_of_a_limit_are_no_result(shop: Shop) -> None:
    task = await shop.task("do: write work.txt one\ndo: say You've hit your session limit, it resets in 3600 seconds")
    said = await shop.once(code=3)
    assert "You've hit your session limit" in said and await questions(shop) == []
    assert [run["state"] for run in await shop.runs(task)] != ["completed"]


async def hold_of(shop: Shop) -> Any:
    """The one need of people that a worker waits."""
    waiting = (await shop.made.ask("GET", "/api/v1/needs?kind=hold"))["items"]
    return next((need for need in waiting if need["board"]["id"] == shop.made.board_id), None)


async def test_begun_task_waits_for_its_worker_until_people_let_it_go_on(shop: Shop) -> None:
    message = "Internal error: You've hit your 5-hour limit · resets in 3600 seconds"
    error = json.dumps({"code": -32603, "message": message})
    task = await shop.task(f"do: write work.txt one\ndo: refuse 1 {error}\ndo: say Done.")
    process = await shop.terminal.start(*shop.work)
    need = await until(lambda: hold_of(shop))
    assert [run["state"] for run in await shop.runs(task)] == ["waiting"]
    assert (await shop.made.task(task))["status"] == "in_progress" and len(shop.prompts()) == 1
    printed = await shop.terminal.run("status")
    assert "A worker waits until" in printed.out and message.removeprefix("Internal error: ") in printed.out
    [answer] = [answer for answer in need["answers"] if answer["label"] == "Continue now"]
    await shop.made.ask("POST", f"/api/v1/needs/{need['id']}/answers", {"answer": answer["id"]})

    async def in_review() -> bool:
        return bool((await shop.made.task(task))["status"] == "review")

    await until(in_review)
    process.terminate()
    assert (await ended(process)).code == 0
    [run] = await shop.runs(task)
    assert (run["state"], run["fence"]) == ("completed", 1) and len(shop.prompts()) == 2
    assert await hold_of(shop) is None and await questions(shop) == [] and shop.left() == []
