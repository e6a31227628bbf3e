"""Serve a provider of tests on a port of the loopback that the system chooses."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hypercorn.asyncio import serve
from hypercorn.config import Config
from quart import Quart


@asynccontextmanager
async def serving(app: Quart) -> AsyncIterator[str]:
    """Yield the address of the provider; it stops at the end."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    config, ended = Config(), asyncio.Event()
    config.bind, config.accesslog, config.errorlog = [f"fd://{listener.detach()}"], None, None
    config.graceful_timeout = 0.1
    running = asyncio.create_task(serve(app, config, shutdown_trigger=ended.wait))
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        ended.set()
        await running
