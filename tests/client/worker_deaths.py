"""A worker, its agent or its server is killed at one of the steps of a task; what must hold then."""

import asyncio
import os
from pathlib import Path

from tests.client.shop import Shop, git, shop_in
from tests.client.terminal import ended
from tests.live.crew import crew
from tests.live.servers import ROOT, Installation, Server, installation

TASK = "do: plan Look,Write\ndo: child\ndo: call echo hi\ndo: write work.txt one\ndo: say Done."
AGENT_STEPS = 20


def dying(shop: Shop, **environment: str) -> dict[str, str]:
    """Have the worker's program be the one that kills; return what it needs."""
    shop.terminal.program, shop.terminal.has_own_clock = Path(__file__).with_name("dying_worker.py"), True
    return {"PYTHONPATH": str(ROOT), **environment}


async def steps_of(shop: Shop) -> int:
    """How many steps a task takes."""
    await shop.task(TASK)
    path = shop.kept / "steps"
    printed = await shop.terminal.run(*shop.work, "--once", **dying(shop, STEPS=str(path)))
    assert printed.code == 0, printed
    return int(path.read_text())


def step_at(part: float, total: int) -> int:
    """The step after that part of all, 0 for the first and 1 for the last."""
    return 1 + round(part * (total - 1))


async def handed_in_once(shop: Shop, task: str) -> None:
    """The task was handed in exactly once, nothing runs, and what was done is in the hand-in."""
    runs = await shop.runs(task)
    assert [one["state"] for one in runs] == ["completed"], runs
    assert "work.txt" in git(shop.top, "ls-tree", "--name-only", runs[0]["code"]["head"]).split()
    assert shop.left() == []
    comments = (await shop.made.ask("GET", f"{shop.made.tasks}/{task}/comments"))["items"]
    assert len(comments) == 1, comments  # the summary


async def worker_dies(shop: Shop, at: int) -> None:
    task = await shop.task(TASK)
    process = await shop.terminal.start(*shop.work, "--once", **dying(shop, DIES=f"{at} self"))
    printed = await ended(process)
    assert printed.code in (0, -9), printed
    async with asyncio.timeout(60):
        while shop.left():
            await asyncio.sleep(0.05)
    if (await shop.made.task(task))["status"] != "review":
        again = await shop.terminal.run(*shop.work, "--once", **dying(shop))
        assert again.code == 0, again
    await handed_in_once(shop, task)


async def agent_dies(shop: Shop, at: int) -> None:
    task = await shop.task(TASK)
    (shop.kept / "died").unlink(missing_ok=True)
    printed = await shop.terminal.run(*shop.work, "--once", ACP_DIES=str(at))
    assert printed.code == 0, printed
    await handed_in_once(shop, task)


async def server_dies(shop: Shop, here: Installation, server: Server, at: int) -> Server:
    """Return the server that was started anew."""
    task = await shop.task(TASK)
    dies, path = f"{at} {server.process.pid}", shop.kept / "steps"
    process = await shop.terminal.start(*shop.work, "--once", **dying(shop, DIES=dies, STEPS=str(path)))
    working = asyncio.create_task(ended(process))
    died = asyncio.create_task(server.process.wait())
    await asyncio.wait((working, died), return_when=asyncio.FIRST_COMPLETED)
    if died.done() or int(path.read_text()) >= at:
        await died
        server = await here.start(port=server.port)
        shop.made.server = server
    died.cancel()
    printed = await working
    if printed.code != 0:  # it was not there at the start
        printed = await shop.terminal.run(*shop.work, "--once")
    assert printed.code == 0, printed
    if (await shop.made.task(task))["status"] != "review":
        await shop.terminal.run(*shop.work, "--once", PATH=os.environ["PATH"])
    await handed_in_once(shop, task)
    return server


async def play(folder: Path, *parts: float) -> None:
    """Have each of them die after these parts of its steps."""
    async with installation(folder) as here:
        server = await here.start()
        made, number = await crew(server), 0

        def shop() -> Shop:
            nonlocal number
            number += 1
            return shop_in(folder / str(number), made)

        total = await steps_of(shop())
        assert total > 40
        for part in parts:
            await worker_dies(shop(), step_at(part, total))
        for part in parts:
            await agent_dies(shop(), step_at(part, AGENT_STEPS))
        for part in parts:
            server = await server_dies(shop(), here, server, step_at(part, total))
        await server.kill()
