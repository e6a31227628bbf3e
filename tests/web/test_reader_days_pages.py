"""Days where the reader is: typed, shown, asked for, and grouped by."""

from datetime import datetime, timedelta
from typing import Any

from mission_control.boards.days import day_of
from mission_control.core import times
from mission_control.events.models import Event
from mission_control.people.models import User
from mission_control.tasks.needs.kinds import next_day
from tests.cast import Cast
from tests.visitor import visitor

DUE = "2027-03-06T10:59:00Z"  # the end of March 5 in Pago Pago, eleven hours behind
DAY = "2027-03-05"


async def in_pago_pago(cast: Cast) -> None:
    await User.filter(id=cast.ada.id).update(timezone="Pacific/Pago_Pago")


async def added(cast: Cast, text: str) -> dict[str, Any]:
    made: dict[str, Any] = (await cast.ada.post(f"{cast.home}/tasks/lines", {"text": text})).ok()
    return made


async def test_day_is_typed_and_shown_where_the_person_is(cast: Cast) -> None:
    await in_pago_pago(cast)
    task = await added(cast, f"Polish the mirror due:{DAY}")
    assert task["due_at"] == DUE
    ada, ben = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.ben)
    (await ada.get(cast.task(task))).has(f'value="{DAY}"')
    (await ben.get(cast.task(task))).has('value="2027-03-06"')
    for who, day, other in ((ada, DAY, "2027-03-06"), (ben, "2027-03-06", DAY)):
        (await who.get(f"{cast.home}?q=due:{day}")).has("Polish the mirror")
        (await who.get(f"{cast.home}?q=due:{other}")).lacks("Polish the mirror")


async def test_feed_is_grouped_by_the_readers_days(cast: Cast) -> None:
    await in_pago_pago(cast)
    await cast.add_task(title="Oil the dome")
    ada, ben = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.ben)
    midnight = times.clock_now().replace(hour=0, minute=30)
    await Event.filter(organization_id=cast.organization.id).update(created_at=midnight)
    there = times.named("Pacific/Pago_Pago")
    name = "Today" if times.day_of(midnight, there) == times.today(there) else "Yesterday"
    (await ada.get("/activity")).has(f">{name}<")
    (await ben.get("/activity")).has(">Today<")


async def test_tomorrow_is_a_day_where_the_person_is(cast: Cast) -> None:
    await in_pago_pago(cast)
    times.read_by(await cast.ada.actor())
    now = datetime(2027, 3, 6, 5)  # the evening of March 5 there
    assert str(day_of("today", now)) == DAY
    assert next_day(datetime(2027, 3, 6, 4), now) == datetime(2027, 3, 7, 4)
    assert next_day(datetime(2027, 3, 5, 4), now) - timedelta(days=2) == datetime(2027, 3, 5, 4)


async def test_lease_on_a_card_ends_at_the_readers_time(cast: Cast) -> None:
    await in_pago_pago(cast)
    await cast.add_task(title="Oil the dome")
    claim = (await cast.vega.post(f"/agent{cast.home}/claims", {"lease_seconds": 1800})).ok()
    ends = datetime.fromisoformat(claim["lease"]["expires_at"]).replace(tzinfo=None)
    there = times.local(ends, times.named("Pacific/Pago_Pago"))
    for who, wall in ((cast.ben, ends), (cast.ada, there), (cast.ben, ends)):
        text = (await (await visitor(cast.app, who)).get(cast.home)).text
        lease = text.partition("card-lease")[2].partition("</time>")[0]
        assert f"{wall:%H:%M}" in lease.rpartition(">")[2], lease
