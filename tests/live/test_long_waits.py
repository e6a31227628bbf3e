"""Waits that last longer than a proxy waits for a byte: nginx without any setting but the address behind it."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from tests.gateways.real import free_port
from tests.live.crew import crew
from tests.live.machines import NGINX
from tests.live.servers import API, PATIENCE, TELLING, Installation

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")

CONFIGURED = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass {url}; {more} }}
    }}
}}
"""


@asynccontextmanager
async def behind_nginx(folder: Path, url: str, more: str = "") -> AsyncIterator[str]:
    """Yield the address of a proxy with nginx's defaults, and `more`, in front of a server."""
    assert NGINX is not None
    port = free_port()
    (folder / "nginx.conf").write_text(CONFIGURED.format(folder=folder, port=port, url=url, more=more))
    with (folder / "nginx.log").open("wb") as log:
        process = subprocess.Popen([NGINX, "-c", str(folder / "nginx.conf")], stdout=log, stderr=log)
    try:
        async with asyncio.timeout(PATIENCE), httpx.AsyncClient() as client:
            while True:
                with suppress(httpx.TransportError):
                    if (await client.get(f"http://127.0.0.1:{port}/healthz")).status_code == 200:
                        break
                await asyncio.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait)


async def next_of(url: str, token: str, **wanted: Any) -> httpx.Response:
    async with httpx.AsyncClient(base_url=url, headers={"X-Agent-Token": token}, timeout=PATIENCE) as client:
        return await client.post(f"{API}/agent/next", json=wanted)


async def test_wait_outlasts_the_patience_of_a_proxy(tmp_path: Path) -> None:
    here = Installation(tmp_path, f"sqlite:///{tmp_path}/waits.sqlite3", settings={"QUIET_SECONDS": "0.5"})
    async with (
        here.served(program=TELLING) as server,
        behind_nginx(tmp_path, server.url, "proxy_read_timeout 2s;") as url,
    ):
        made = await crew(server)
        cut = await next_of(url, made.vega.token, wait_seconds=50)
        assert cut.status_code == 504, "without white space the proxy ends it, so this test can fail"
        waiting = asyncio.create_task(next_of(url, made.vega.token, wait_seconds=50, keep_alive=True))
        told: list[float] = []

        async def tell(progress: float, total: float | None, message: str | None) -> None:
            told.append(progress)

        headers = {"Authorization": f"Bearer {made.atlas.token}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=PATIENCE) as client,
            Client(streamable_http_client(f"{url}/mcp", http_client=client)) as atlas,
        ):
            calling = asyncio.create_task(atlas.call_tool("next", {"wait_seconds": 50}, progress_callback=tell))
            await asyncio.sleep(5)
            assert not waiting.done() and not calling.done()
            task_id = await made.add_task("Sweep")
            answer = await asyncio.wait_for(waiting, PATIENCE)
            assert answer.text.startswith("    ") and answer.json()["task"]["id"] == task_id
            found = (await asyncio.wait_for(calling, PATIENCE)).structured_content
            assert found is not None and found["kind"] == "notice" and len(told) > 3
