"""The guarded HTTP client.

A host's name is resolved here and the connection goes to the address that was checked, so that a name cannot mean one
address while it is checked and another one when it is used. Proxies of the environment are not used: they would
resolve the name again.
"""

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import dataclass

import httpx2

from mission_control import __version__
from mission_control.outbound.addresses import may_reach

CONNECT_SECONDS = 5.0
USER_AGENT = f"mission-control/{__version__}"


class OutboundError(Exception):
    """A request to the outside failed; the text is one half of a sentence that says nothing of our insides."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What somebody outside answered."""

    status: int
    headers: httpx2.Headers
    body: bytes

    @property
    def text(self) -> str:
        """The body as text; what is no UTF-8 is replaced."""
        return self.body.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Outbound:
    """How requests leave: where they may go, how long they may take, how much may come back.

    Without `reads_body` the status is all that is wanted, and what follows it is left unread.
    """

    allow_private: bool = False
    seconds: float = 15.0
    most_bytes: int = 1_048_576
    redirects: int = 0
    reads_body: bool = True

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> Reply:
        """Read what is behind an address."""
        return await self.request("GET", url, headers)

    async def request(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, content: bytes | None = None
    ) -> Reply:
        """Send a request and read the whole answer; OutboundError when there is none that may be had."""
        own = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
        try:
            async with (
                asyncio.timeout(self.seconds),
                self._client() as client,
                client.stream(method, url, headers={**own, **(headers or {})}, content=content) as answer,
            ):
                body = await self._body(answer) if self.reads_body else b""
                return Reply(answer.status_code, answer.headers, body)
        except (TimeoutError, httpx2.TimeoutException):
            raise OutboundError("did not answer in time") from None
        except httpx2.TooManyRedirects:
            raise OutboundError("redirects too often") from None
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol, ValueError):
            raise OutboundError("has no usable http or https address") from None
        except httpx2.HTTPError:
            raise OutboundError("could not be reached") from None

    def _client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            transport=GuardedTransport(self.allow_private),
            timeout=httpx2.Timeout(self.seconds, connect=CONNECT_SECONDS),
            follow_redirects=self.redirects > 0,
            max_redirects=self.redirects,
            trust_env=False,
        )

    async def _body(self, answer: httpx2.Response) -> bytes:
        if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise OutboundError("sent an answer in an encoding that was not asked for")
        announced = answer.headers.get("Content-Length", "")
        if announced.isdigit() and len(announced) < 20 and int(announced) > self.most_bytes:
            raise OutboundError("sent too much")
        body = bytearray()
        async for piece in answer.aiter_raw():
            body += piece
            if len(body) > self.most_bytes:
                raise OutboundError("sent too much")
        return bytes(body)


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Connects to addresses that were checked, and to those only; every redirect passes through here again."""

    def __init__(self, allow_private: bool) -> None:
        self._allow_private = allow_private
        # No connection is kept: one that was made for a name must not serve another name on the same address.
        limits = httpx2.Limits(max_keepalive_connections=0)
        self._inner = httpx2.AsyncHTTPTransport(trust_env=False, limits=limits)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request to one of the addresses of its host."""
        addresses = await self._addresses(request.url)
        for address in addresses[:-1]:
            try:
                return await self._inner.handle_async_request(_addressed(request, address))
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                continue
        return await self._inner.handle_async_request(_addressed(request, addresses[-1]))

    async def aclose(self) -> None:
        """Close what is open."""
        await self._inner.aclose()

    async def _addresses(self, url: httpx2.URL) -> list[str]:
        if url.scheme not in ("http", "https") or not url.host or url.userinfo:
            raise OutboundError("has no usable http or https address")
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                found = await asyncio.get_running_loop().getaddrinfo(
                    url.raw_host.decode("ascii"), url.port, type=socket.SOCK_STREAM
                )
        except (OSError, UnicodeError):
            raise OutboundError("could not be found") from None
        addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
        if not addresses or not all(may_reach(one, allow_private=self._allow_private) for one in addresses):
            raise OutboundError("is at an address that may not be reached from here")
        return addresses


def _addressed(request: httpx2.Request, address: str) -> httpx2.Request:
    """The same request to an address; the certificate and the Host header stay those of the name."""
    return httpx2.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.raw_host.decode("ascii")},
    )
