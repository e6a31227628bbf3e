"""Requests to the outside, by httpx2."""

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from functools import cache

import httpx2

from mission_control import __version__
from mission_control.core.host_names import addresses_of
from mission_control.core.outbound import Outbound, OutboundError, Reply, may_reach
from mission_control.core.values import whole_number


# The authorities whose certificates HTTPS requests accept. They are read once in a process: reading 140 of them takes
# ten milliseconds, in which nothing else runs, and longer than most requests. After they are replaced the server
# must be started again.
@cache
def authorities(*, of_environment: bool) -> ssl.SSLContext:
    """Return the settings of TLS for all requests; `of_environment` heeds SSL_CERT_FILE and SSL_CERT_DIR."""
    return httpx2.create_ssl_context(trust_env=of_environment)


CONNECT_SECONDS = 5.0
USER_AGENT = f"mission-control/{__version__}"


async def answered(limits: Outbound, method: str, url: str, headers: Mapping[str, str], content: bytes | None) -> Reply:
    """Send a request and return the whole answer. Raises OutboundError when there is none within the limits."""
    own = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
    try:
        async with (
            asyncio.timeout(limits.seconds),
            _client(limits) as client,
            client.stream(method, url, headers={**own, **headers}, content=content) as answer,
        ):
            body = await _body(limits, answer) if limits.reads_body else b""
            return Reply(answer.status_code, answer.headers, body)
    except (TimeoutError, httpx2.TimeoutException):
        raise OutboundError("did not answer in time") from None
    except httpx2.TooManyRedirects:
        raise OutboundError("redirects too often") from None
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol, ValueError):
        raise OutboundError("has no usable http or https address") from None
    except httpx2.HTTPError:
        raise OutboundError("could not be reached") from None


def _client(limits: Outbound) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        transport=GuardedTransport(limits.allow_private),
        timeout=httpx2.Timeout(limits.seconds, connect=CONNECT_SECONDS),
        follow_redirects=limits.redirects > 0,
        max_redirects=limits.redirects,
        trust_env=False,
    )


async def _body(limits: Outbound, answer: httpx2.Response) -> bytes:
    if limits.cuts_body:
        return await _beginning(limits, answer)
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise OutboundError("sent an answer in an encoding that was not asked for")
    if (whole_number(answer.headers.get("Content-Length"), 19) or 0) > limits.most_bytes:
        raise OutboundError("sent too much")
    body = bytearray()
    async for piece in answer.aiter_raw():
        body += piece
        if len(body) > limits.most_bytes:
            raise OutboundError("sent too much")
    return bytes(body)


async def _beginning(limits: Outbound, answer: httpx2.Response) -> bytes:
    """Return the first bytes of an answer, nothing of one in an encoding that was not asked for."""
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        return b""
    body = bytearray()
    with contextlib.suppress(httpx2.HTTPError):  # one that breaks off has its status all the same
        async for piece in answer.aiter_raw():
            body += piece
            if len(body) >= limits.most_bytes:
                break
    return bytes(body[: limits.most_bytes])


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Connect only to checked addresses. Every redirect passes through here again."""

    def __init__(self, allow_private: bool) -> None:
        self._allow_private = allow_private
        # No keep-alive: a connection made for one name must not serve another name at the same address.
        limits = httpx2.Limits(max_keepalive_connections=0)
        self._inner = httpx2.AsyncHTTPTransport(
            verify=authorities(of_environment=False), trust_env=False, limits=limits
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request to the first of its host's addresses that takes the connection."""
        addresses = await self._addresses(request.url)
        for address in addresses[:-1]:
            try:
                return await self._inner.handle_async_request(_addressed(request, address))
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                continue
        return await self._inner.handle_async_request(_addressed(request, addresses[-1]))

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _addresses(self, url: httpx2.URL) -> list[str]:
        if url.scheme not in ("http", "https") or not url.host or url.userinfo:
            raise OutboundError("has no usable http or https address")
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                addresses = await addresses_of(url.raw_host.decode("ascii"), url.port)
        except (OSError, UnicodeError):
            raise OutboundError("could not be found") from None
        if not addresses or not all(may_reach(address, allow_private=self._allow_private) for address in addresses):
            raise OutboundError("is at an address that may not be reached from here")
        return addresses


def _addressed(request: httpx2.Request, address: str) -> httpx2.Request:
    """Return the same request to an address; certificate and Host header stay those of the name."""
    return httpx2.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.raw_host.decode("ascii")},
    )
