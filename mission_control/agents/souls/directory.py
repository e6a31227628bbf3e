"""The souls directory: a public website with texts that say who an agent is, cached for an hour; over HTTP."""

import html
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from pydantic import Field
from quart import current_app

from mission_control.core import times
from mission_control.core.actor import Actor, rule
from mission_control.core.errors import Invalid, Unreachable
from mission_control.core.outbound import Outbound, OutboundError
from mission_control.core.values import ErrorResponse, Schema
from mission_control.events.shared_reads import Shared
from mission_control.http.operation_api import Api


class SoulQuery(Schema):
    """Which souls to look for."""

    q: str = Field("", max_length=200)
    limit: int = Field(20, ge=1, le=100)


class SoulsDirectorySoulRef(Schema):
    """A soul, and where it is."""

    handle: str
    slug: str
    page_url: str
    raw_md_url: str


class SoulsDirectorySearchResponse(Schema):
    """The souls that were found."""

    items: list[SoulsDirectorySoulRef]


class SoulsDirectoryMarkdownResponse(Schema):
    """The text of a soul."""

    handle: str
    slug: str
    content: str


FRESH_FOR = timedelta(hours=1)
RETRY_AFTER = timedelta(minutes=1)


@dataclass(slots=True)
class _Kept[T]:
    value: T
    fresh_until: datetime
    read_at: datetime


class Cache[T]:
    """At most `most` values. The least recently used one is dropped first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[str, _Kept[T]] = OrderedDict()
        self._fetching: Shared[T] = Shared(0)

    def read_at(self, key: str) -> datetime | None:
        entry = self._kept.get(key)
        return None if entry is None else entry.read_at

    async def get(self, key: str, fetch: Callable[[], Awaitable[T]]) -> T:
        """Return the value, fetched when it is missing or old, once for all concurrent callers.

        When fetching fails, an old value serves for another minute; without one the error is raised. An empty value
        is not kept.
        """
        entry = self._kept.get(key)
        if entry is not None and entry.fresh_until > times.clock_now():
            self._kept.move_to_end(key)
            return entry.value
        return await self._fetching.get(key, lambda: self._fetch(key, fetch))

    async def _fetch(self, key: str, fetch: Callable[[], Awaitable[T]]) -> T:
        try:
            value = await fetch()
        except Exception:
            old = self._kept.get(key)
            if old is None:
                raise
            old.fresh_until = times.clock_now() + RETRY_AFTER
            return old.value
        if value:
            self._kept[key] = _Kept(value, times.clock_now() + FRESH_FOR, times.clock_now())
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return value


SEGMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
LOCATION = re.compile(r"<(?:[A-Za-z0-9_.-]+:)?loc(?:\s[^<>]*)?>([^<]*)</")
LONGEST_SEGMENT = 200
INDEX_BYTES, INDEX_SECONDS = 10_485_760, 10.0
TEXT_BYTES, TEXT_SECONDS = 524_288, 15.0
TEXTS_KEPT = 200


class SoulsDirectory:
    """A directory, with a cache of what was read from it within the last hour."""

    def __init__(self, url: str, outbound: Outbound) -> None:
        self._url = url
        self._outbound = outbound
        self._index: Cache[list[SoulsDirectorySoulRef]] = Cache(1)
        self._texts: Cache[str] = Cache(TEXTS_KEPT)

    @property
    def source(self) -> str:
        return self._url

    @property
    def read_at(self) -> datetime | None:
        return self._index.read_at("")

    def page_url(self, handle: str, slug: str) -> str:
        return f"{self._url}/souls/{handle}/{slug}"

    async def search(self, words: str, limit: int) -> list[SoulsDirectorySoulRef]:
        """Return the first souls whose `handle/slug` contains the words, in the directory's order."""
        text = words.strip().lower()
        souls = await self._index.get("", self._read_index)
        return [soul for soul in souls if text in f"{soul.handle}/{soul.slug}".lower()][:limit]

    async def text(self, handle: str, slug: str) -> SoulsDirectoryMarkdownResponse:
        handle, slug = segment("handle", handle), segment("slug", slug.strip().removesuffix(".md"))
        path = f"/api/souls/{handle}/{slug}.md"
        content = await self._texts.get(path, lambda: self._read(path, TEXT_BYTES, TEXT_SECONDS))
        return SoulsDirectoryMarkdownResponse(handle=handle, slug=slug, content=content)

    async def _read_index(self) -> list[SoulsDirectorySoulRef]:
        text = await self._read("/sitemap.xml", INDEX_BYTES, INDEX_SECONDS)
        addresses = (html.unescape(address).strip() for address in LOCATION.findall(text))
        return [ref for address in addresses if (ref := self._ref(address)) is not None]

    def _ref(self, address: str) -> SoulsDirectorySoulRef | None:
        if not address.startswith(f"{self._url}/souls/"):
            return None
        handle, _, rest = urlsplit(address).path.removeprefix(f"{urlsplit(self._url).path}/souls/").partition("/")
        slug = rest.partition("/")[0]
        if not (SEGMENT.fullmatch(handle) and SEGMENT.fullmatch(slug)):
            return None
        return SoulsDirectorySoulRef(
            handle=handle,
            slug=slug,
            page_url=f"{self._url}/souls/{handle}/{slug}",
            raw_md_url=f"{self._url}/api/souls/{handle}/{slug}.md",
        )

    async def _read(self, path: str, most_bytes: int, seconds: float) -> str:
        if not self._url:
            raise Unreachable("This installation has no souls directory. Set SOULS_DIRECTORY_URL to use one.")
        outbound = replace(self._outbound, most_bytes=most_bytes, seconds=seconds)
        try:
            reply = await outbound.get(self._url + path)
        except OutboundError as error:
            raise Unreachable(f"The souls directory {error}.") from error
        if reply.status == 404:
            raise Unreachable("The souls directory does not have this.")
        if reply.status != 200:
            raise Unreachable(f"The souls directory answered with status {reply.status}.")
        return reply.text.replace("\x00", "\ufffd")


def segment(what: str, text: str) -> str:
    """Return one part of a soul's name. Raises Invalid when it is blank or holds other characters."""
    text = text.strip(" \t\r\n/")
    if not text:
        raise Invalid(f"The {what} is empty.")
    if len(text) > LONGEST_SEGMENT or not SEGMENT.fullmatch(text):
        raise Invalid(f"The {what} may hold letters, digits, - and _ only, and begins with a letter or digit.")
    return text


api = Api(__name__, "souls-directory", below="/souls-directory", who="actor")
EXTENSION = "mission_control.souls"


def directory() -> SoulsDirectory:
    settings = current_app.config["SETTINGS"]
    key = (settings.souls_directory_url, settings.outbound_allow_private)
    cached = current_app.extensions.get(EXTENSION)
    if cached is None or cached[0] != key:
        outbound = Outbound(allow_private=settings.outbound_allow_private)
        cached = current_app.extensions[EXTENSION] = (key, SoulsDirectory(settings.souls_directory_url, outbound))
    directory_read: SoulsDirectory = cached[1]
    return directory_read


@api.get("/search", rule="soul.read", errors={502: ErrorResponse})
async def search_souls(actor: Actor, query: SoulQuery) -> SoulsDirectorySearchResponse:
    """Find souls by a part of their handle or name. Without words: the first ones of the directory."""
    return SoulsDirectorySearchResponse(items=await directory().search(query.q, query.limit))


@api.get("/<string:handle>/<string:slug>.md", rule="soul.read", errors={502: ErrorResponse})
@api.get("/<string:handle>/<string:slug>", rule="soul.read", errors={502: ErrorResponse})
async def get_markdown(actor: Actor, handle: str, slug: str) -> SoulsDirectoryMarkdownResponse:
    """Read the text of a soul; fill it into an agent's own words before you use it."""
    return await directory().text(handle, slug)


@rule("soul.read")
def may_read_souls(actor: Actor, thing: object) -> bool:
    """Every person and every agent."""
    return actor.is_user or actor.is_agent
