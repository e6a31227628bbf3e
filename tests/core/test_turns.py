"""Long work in parts, with others in between."""

import asyncio

from mission_control.core.time_slices import MOST, in_turns


async def test_others_have_their_turn_between_parts() -> None:
    seen: list[str] = []

    async def other() -> None:
        for _ in range(2):
            seen.append("other")
            await asyncio.sleep(0)

    waiting = asyncio.create_task(other())
    async for some in in_turns(range(2 * MOST + 1)):
        seen.append(f"{len(some)}")
    await waiting
    assert seen == [f"{MOST}", "other", f"{MOST}", "other", "1"]
    assert [one async for one in in_turns(list[str]())] == []
