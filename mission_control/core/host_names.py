"""Addresses of hosts, looked up in threads of their own: where no server of names answers, nothing else waits."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from ipaddress import ip_address

# The threads of the event loop are few: some names that are not answered would hold up pages, and other names.
_threads = ThreadPoolExecutor(32, "names")


async def addresses_of(host: str, port: int | None) -> list[str]:
    """Return the addresses of a host, in the order in which to try them. Raises OSError and UnicodeError."""
    with suppress(ValueError):
        return [str(ip_address(host))]
    look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    results = await asyncio.get_running_loop().run_in_executor(_threads, look_up)
    return list(dict.fromkeys(str(result[4][0]) for result in results))
