"""No answer that is kept is ever an old one: after each write of the API what is kept is as if it were made anew."""

from pathlib import Path

import pytest

from mission_control.http.registry import OPERATIONS, Operation
from tests.cache_check import compare, paths_of, read_all
from tests.cast import Cast
from tests.contract.test_readmodels import ready, scene
from tests.samples import sampled

WRITES = [one for one in OPERATIONS if one.method != "GET"]


@pytest.mark.once
@pytest.mark.parametrize("one", sampled(WRITES, each=8), ids=lambda one: f"{one.method} {one.operation_id}")
async def test_kept_answers_show_every_write(cast: Cast, one: Operation, tmp_path: Path) -> None:
    await scene(cast)
    async with ready(cast, one, tmp_path) as send:
        paths = await paths_of(cast.ada)
        for caller in (cast.ada, cast.cleo, cast.vega):
            await read_all(caller, paths)
        await send()
        for caller in (cast.ada, cast.cleo):
            await compare(caller, paths)
        for _ in range(2):  # to take the news, which would ride on the first answer and change the log with the second
            await cast.vega.post("/agent/heartbeat", None)
        await compare(cast.vega, paths)
    if one.name not in ("delete_me", "end_my_access"):
        await compare(cast.ben, await paths_of(cast.ben))
