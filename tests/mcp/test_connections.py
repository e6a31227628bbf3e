"""A program that a person connected has the tools of a worker, by the token of its connection."""

from tests.cast import Cast
from tests.devices import connected as sign_in
from tests.mcp.clients import connected


async def test_connected_program_takes_a_task_by_the_tools_of_a_worker(cast: Cast) -> None:
    await cast.add_task(title="Oil the dome")
    program, made = await sign_in(cast, board=cast.board.name)
    async with connected(program) as tools:
        assert {"next", "finish"} <= await tools.names()
        assert "Oil the dome" in await tools.says("next")
    (await cast.ada.delete(f"/connections/{made['connection_id']}")).ok()
    (await program.get("/agent/healthz")).refused(401)
