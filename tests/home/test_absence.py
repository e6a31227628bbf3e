"""What Home, its page, the API and digests say of the time in which a person was away."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from mission_control.agents.holds.models import Hold
from mission_control.boards.models import Run
from mission_control.core import times
from mission_control.http import authentication
from mission_control.people.models import Session, User
from tests.cast import Cast
from tests.visitor import Visitor, visitor

pytestmark = pytest.mark.dialect

AWAY = "While you were away</h2>"


async def left(cast: Cast, hours: float = 13) -> Visitor:
    """Ada at a browser that gave its last sign so long ago."""
    ada = await visitor(cast.app, cast.ada)
    await Session.filter(user_id=cast.ada.id).update(last_seen_at=times.clock_now() - timedelta(hours=hours))
    return ada


async def finished(cast: Cast, seconds: float, code: dict[str, Any] | None, **fields: Any) -> Run:
    """A task of Vega that is done, and its run, which took so long."""
    task = await cast.add_task(title="Polish the mirror")
    (await cast.ada.patch(f"{cast.home}/tasks/{task['id']}", {"status": "done"})).ok()
    end = times.clock_now() - timedelta(hours=2)
    return await Run.create(
        board_id=cast.board.id, task_id=task["id"], agent_id=cast.vega.id, agent_name="Vega", fence=1,
        code=code, started_at=end - timedelta(seconds=seconds), ended_at=end, **{"state": "completed", **fields},
    )  # fmt: skip


async def kinds(cast: Cast) -> list[str]:
    return [line["kind"] for line in (await cast.ada.get("/absence-report")).ok()["odd"]]


async def test_home_tells_of_the_night_after_an_absence(cast: Cast) -> None:
    await finished(cast, 6, None)
    ada = await left(cast)
    page = (await ada.get("/")).has(AWAY, "closed #1 in 6 s. No question, no change.", "View task", "<b>1</b>")
    page.has("Full report", 'action="/absence/closing"')
    report = (await ada.get("/absence")).is_status(200)
    report.has("Polish the mirror", "closed #1 in 6 s.")


async def test_nothing_is_told_without_an_absence_or_news(cast: Cast) -> None:
    ada = await left(cast)
    (await ada.get("/")).lacks(AWAY)  # nothing happened
    await finished(cast, 6, None)
    ada = await left(cast, hours=3.9)
    await User.filter(id=cast.ada.id).update(absent_since=None, back_at=None)
    (await ada.get("/")).lacks(AWAY)
    assert (await cast.ada.get("/absence-report")).status == 404


async def test_what_another_device_saw_is_no_absence(cast: Cast) -> None:
    await finished(cast, 6, None)
    ada = await left(cast)
    await visitor(cast.app, cast.ada)
    phone = await Session.filter(user_id=cast.ada.id).order_by("-created_at").first()
    assert phone is not None
    await User.filter(id=cast.ada.id).update(absent_since=None, back_at=None)
    (await ada.get("/")).lacks(AWAY)


async def test_the_absence_stays_when_the_new_sign_is_written(cast: Cast) -> None:
    await finished(cast, 6, None)
    ada = await left(cast)
    (await ada.get("/boards")).is_status(200)
    await authentication.write_down()
    (await ada.get("/")).has(AWAY)
    await authentication.write_down()
    (await ada.get("/")).has(AWAY)


async def test_signing_in_anew_keeps_the_absence(cast: Cast) -> None:
    await finished(cast, 6, None)
    await left(cast)
    (await (await visitor(cast.app, cast.ada)).get("/")).has(AWAY)


async def test_closed_once_it_is_closed_on_all_devices(cast: Cast) -> None:
    await finished(cast, 6, None)
    laptop = await left(cast)
    phone = await visitor(cast.app, cast.ada)
    (await laptop.get("/")).has('action="/absence/closing"')
    for tab in (laptop, phone):  # two tabs at once: the second is a no-op
        assert (await tab.post("/absence/closing", {})).status in (200, 303)
    await authentication.write_down()
    (await laptop.get("/")).lacks(AWAY)
    (await phone.get("/")).lacks(AWAY)
    assert (await cast.ada.get("/absence-report")).ok()["done"] == 1
    with times.travelled(timedelta(hours=13)):
        await finished(cast, 6, None)
        (await laptop.get("/")).has(AWAY)  # the next night


async def test_only_what_facts_say_is_odd(cast: Cast) -> None:
    await finished(cast, 6, {"files": 2, "commits": []})
    await finished(cast, 300, None)
    ada = await left(cast)
    (await ada.get("/")).has(AWAY).lacks("away-list")
    check = {"command": "make test", "exit_code": 1}
    await finished(cast, 300, {"files": 1, "check": check})
    await finished(cast, 60, None, state="released", end_reason="Stopped by Ben: wrong order.")
    assert await kinds(cast) == ["check_failed", "stopped"]
    (await ada.get("/")).has("handed in #3 although its check failed: make test", "was stopped at #4.")


async def test_more_than_four_lines_are_counted(cast: Cast) -> None:
    for _ in range(6):
        await finished(cast, 6, None)
    page = (await (await left(cast)).get("/")).has("2 more")
    assert page.text.count("No question, no change.") == 4


async def test_held_time_is_of_the_absence_alone(cast: Cast) -> None:
    ada, now = await left(cast, hours=5), times.clock_now()
    hold = await Hold.create(
        organization_id=cast.organization.id, board_id=cast.board.id, program="claude-code",
        host_label="ada-laptop", account="a", kind="window", words="limit", until=now - timedelta(hours=3),
        ended_at=now - timedelta(hours=3),
    )  # fmt: skip
    await Hold.filter(id=hold.id).update(created_at=now - timedelta(hours=9))
    (await ada.get("/")).has("2 h", "paused by limits", "Claude Code on ada-laptop", "waited for its limit")
    report = (await cast.ada.get("/absence-report")).ok()
    assert abs(report["paused_seconds"] - 7200) < 60 and report["workers_paused"] == 1


async def test_others_see_only_their_boards(cast: Cast) -> None:
    await finished(cast, 6, None)
    until = times.clock_now() + timedelta(minutes=1)
    asked = {"since": _text(until - timedelta(hours=9)), "until": _text(until)}
    seen = (await cast.ada.get("/absence-report", query_string=asked)).ok()
    assert (seen["done"], len(seen["odd"])) == (1, 1)
    other = (await cast.eve.get("/absence-report", query_string=asked)).ok()
    assert (other["done"], other["odd"]) == (0, [])


async def test_a_time_that_is_none_is_refused(cast: Cast) -> None:
    now = times.clock_now()
    asked = {"since": _text(now), "until": _text(now - timedelta(hours=1))}
    assert (await cast.ada.get("/absence-report", query_string=asked)).status == 422


def _text(moment: datetime) -> str:
    return f"{times.iso(moment)}"
