"""What a model reads before it does anything stays short."""

import orjson

from mission_control.api_docs import guide
from tests.cast import Cast
from tests.mcp.clients import connected
from tests.node_packages import Installer
from tests.tokens import counted


async def test_lists_of_tools_are_short(cast: Cast, npm: Installer) -> None:
    written = []
    for who in (cast.vega, cast.atlas, cast.ada):
        async with connected(who) as shown:
            tools = [one.model_dump(mode="json", by_alias=True, exclude_none=True) for one in await shown.listed()]
            written.append(orjson.dumps({"tools": tools}).decode())
    worker, lead, person = counted(npm, *written)
    assert 1_000 < worker <= 3_000
    assert 1_000 < lead <= 5_000
    assert 1_000 < person <= 3_000


def test_llms_txt_is_short(npm: Installer) -> None:
    texts = [guide.llms(address) for address in ("https://mission-control.example.org", "http://127.0.0.1:8000")]
    for cost in counted(npm, *texts):
        assert 1_500 < cost <= 2_500
