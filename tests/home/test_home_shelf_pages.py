"""What has waited for more than a week on Home: folded away at the end of the list, and counted as before."""

import re
from datetime import timedelta
from html import unescape
from uuid import UUID

from mission_control.approvals.models import Approval
from mission_control.core import times
from mission_control.tasks.models import Task
from tests.cast import Cast
from tests.visitor import visitor

SHELF = re.compile(r'<details class="shelf".*?</details>', re.DOTALL)


async def asked(cast: Cast, days: float, **fields: object) -> str:
    """The name of an approval that was requested so many days ago."""
    one = (await cast.ask())["id"]
    await Approval.filter(id=one).update(created_at=times.clock_now() - timedelta(days=days), **fields)
    return f"approval:{one}"


def folded(page: str) -> list[str]:
    """The rows that are folded away."""
    found = SHELF.search(page)
    return re.findall(r'data-need="([^"]+)"', found[0]) if found else []


async def test_older_rows_are_folded_away_and_counted(cast: Cast) -> None:
    old, older, new = await asked(cast, 8), await asked(cast, 23), await asked(cast, 6.9)
    ada = await visitor(cast.app, cast.ada)
    page = (await ada.get("/")).has("3 wait, the oldest came", "Older than 7 days", "Nothing is lost.", "23 d").text
    assert folded(page) == [older, old]
    assert 'id="count-answer">1<' in page
    shelf = SHELF.search(page)
    assert shelf is not None and " open" not in shelf[0].partition(">")[0] and 'id="count-older">2<' in shelf[0]
    assert page.index(f'data-need="{new}"') < page.index(shelf[0])
    assert {one.strip() for one in re.findall(r"data-queue-count[^>]*>([^<]*)<", page)} == {"3"}
    found = (await cast.ada.get("/needs")).ok()
    assert found["total"] == 3 and {one["id"] for one in found["items"]} == {old, older, new}
    opened = SHELF.search((await ada.get("/?older=1")).text)
    assert opened is not None and " open" in opened[0].partition(">")[0]


async def test_what_went_wrong_or_has_a_deadline_ahead_is_not_folded_away(cast: Cast) -> None:
    ahead = await asked(cast, 30, decide_by=times.clock_now() + timedelta(hours=1))
    passed = await asked(cast, 30, expires_at=times.clock_now() - timedelta(hours=1))
    task = await cast.add_task(title="Polish the mirror")
    flagged = {"flagged_at": times.clock_now() - timedelta(days=20), "flag_reason": "Five leases ran out."}
    await Task.filter(id=task["id"]).update(**flagged)
    ada = await visitor(cast.app, cast.ada)
    page = (await ada.get("/")).has(f'data-need="flagged:{task["id"]}"', f'data-need="{ahead}"').text
    assert folded(page) == [passed]


async def test_what_comes_back_from_being_put_off_is_not_folded_away_again(cast: Cast) -> None:
    name, _new = await asked(cast, 30), await cast.ask()
    until = times.wire(times.clock_now() + timedelta(hours=1))
    (await cast.ada.call("PUT", f"/needs/{name}/snooze", {"until": until})).ok()
    ada, ben = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.ben)
    assert folded((await ada.get("/")).text) == [] and folded((await ben.get("/")).text) == [name]
    snoozed = (await ada.get("/?show=snoozed")).has(f'data-need="{name}"').text
    assert "Older than 7 days" not in snoozed
    with times.travelled(timedelta(hours=2)):
        page = (await ada.get("/")).has(f'data-need="{name}"').text
        assert folded(page) == [] and folded((await ben.get("/")).text) == [name]


async def test_shelf_is_open_while_nothing_else_waits_and_has_rows_of_its_own(cast: Cast) -> None:
    for number in range(33):
        await asked(cast, 8 + number)
    ada = await visitor(cast.app, cast.ada)
    page = (await ada.get("/")).has("Show all 33", "data-alone").lacks("Nothing needs you")
    assert len(folded(page.text)) == 30 and re.search(r'<details class="shelf"[^>]* open', page.text)
    for _ in range(31):
        await cast.ask()
    page = (await ada.get("/")).has("Show all 31", "Show all 33", "/?all=1&amp;older=1#need-approval-", "64 wait")
    assert page.text.count("data-pending") == 60 and len(folded(page.text)) == 30
    assert len(folded((await ada.get("/?all=1")).lacks("Show all").text)) == 33


async def test_open_pages_get_rows_of_the_shelf_alone(cast: Cast) -> None:
    first, second, third = [await asked(cast, days) for days in (30, 20, 10)]
    await cast.ask()
    ada = await visitor(cast.app, cast.ada)
    live = unescape((await ada.get("/")).text.split('hx-sse:connect="')[1].split('"')[0])
    async with ada.watching(live) as watch:
        (await ada.with_htmx.post(f"/needs/{first}/answers", {"answer": "approve"})).is_status(204)
        gone = await watch.until("needs-older-age")
        assert f'hx-target="#need-{first.replace(":", "-")}" hx-swap="delete"' in gone
        assert 'hx-target="#count-older"' in gone and ">2<" in gone and "20 d" in gone
        new = await cast.ask()
        come = await watch.until(f'id="need-approval-{new["id"]}"')
        assert 'hx-target="#needs-answer" hx-swap="beforeend"' in come and 'hx-target="#queue"' not in gone + come
        await Approval.filter(id=UUID(new["id"])).update(created_at=times.clock_now() - timedelta(days=9))
        (await ada.with_htmx.post(f"/needs/{second}/answers", {"answer": "approve"})).is_status(204)
        whole = await watch.until("</details>")
    assert folded(whole) == [third, f"approval:{new['id']}"]
