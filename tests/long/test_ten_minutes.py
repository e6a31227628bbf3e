"""A wait as long as it may be, through nginx without any setting but the address behind it."""

import time
from pathlib import Path

import pytest

from tests.live.crew import crew
from tests.live.machines import NGINX
from tests.live.servers import Installation
from tests.live.test_long_waits import behind_nginx, next_of

pytestmark = [pytest.mark.long, pytest.mark.skipif(NGINX is None, reason="nginx is not installed")]


async def test_wait_of_ten_minutes_through_nginx_with_its_defaults(tmp_path: Path) -> None:
    here = Installation(tmp_path, f"sqlite:///{tmp_path}/waits.sqlite3")
    async with here.served() as server, behind_nginx(tmp_path, server.url) as url:
        made = await crew(server)
        began = time.monotonic()
        answer = await next_of(url, made.vega.token, wait_seconds=600, keep_alive=True)
        assert answer.json()["kind"] == "nothing" and time.monotonic() - began > 470
