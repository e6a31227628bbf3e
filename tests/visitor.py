"""People with a browser: they carry a session cookie, read pages and post forms."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

from quart import Quart
from quart_auth import generate_auth_token

from mission_control.core.actor import system
from mission_control.people.accounts.commands import start_session
from mission_control.people.accounts.credentials import hash_password
from mission_control.people.models import User
from tests.cast import Cast, Person

PASSWORD = "correct horse battery"
HERE = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What a browser got."""

    status: int
    text: str
    headers: Any

    @property
    def leads_to(self) -> str:
        """Where the answer sends the browser."""
        return str(self.headers.get("Location") or self.headers.get("HX-Redirect") or "")

    def has(self, *parts: str) -> "Seen":
        """Assert that texts stand in the page."""
        for part in parts:
            assert part in self.text, f"{part!r} is not in the page:\n{self.text}"
        return self

    def lacks(self, *parts: str) -> "Seen":
        """Assert that texts do not stand in the page."""
        for part in parts:
            assert part not in self.text, f"{part!r} is in the page"
        return self

    def form(self, action: str) -> dict[str, Any]:
        """What a browser sends when the form with this address is sent as it is."""
        reader = _FormReader(action)
        reader.feed(self.text)
        assert reader.sent, f"There is no form for {action} in the page:\n{self.text}"
        return dict(reader.sent)

    def is_status(self, status: int) -> "Seen":
        """Assert the status."""
        assert self.status == status, f"{self.status}: {self.text[:2000]}"
        return self


class _FormReader(HTMLParser):
    """The fields of the form that is sent to an address, as a browser sends them."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.action, self.sent = action, {}  # type: str, dict[str, list[str]]
        self.is_inside, self.select, self.area = False, "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        about = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.is_inside = about.get("action") == self.action
        name = about.get("name", "")
        if tag == "option" and self.select and "selected" in about:
            self.sent[self.select] = [about.get("value", "")]
        if tag == "select":
            self.select = name
        if not (self.is_inside and name) or "disabled" in about:
            return
        if tag == "select":
            self.sent[name] = [""]
        elif tag == "textarea":
            self.area, self.sent[name] = name, [""]
        elif tag == "input" and (about.get("type") not in ("checkbox", "radio") or "checked" in about):
            self.sent.setdefault(name, []).append(about.get("value", ""))

    def handle_data(self, data: str) -> None:
        if self.area:
            self.sent[self.area][0] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.is_inside = False
        elif tag == "select":
            self.select = ""
        elif tag == "textarea":
            self.area = ""


@dataclass(slots=True)
class Visitor:
    """A browser, of somebody or nobody."""

    app: Quart
    cookie: str = ""
    htmx: bool = False
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def with_htmx(self) -> "Visitor":
        """The same browser, where htmx asks."""
        return Visitor(self.app, self.cookie, True, self.headers)

    async def get(self, path: str, **headers: str) -> Seen:
        """Open a page."""
        return await self._open("GET", path, None, headers)

    async def post(self, path: str, form: dict[str, Any] | None = None, **headers: str) -> Seen:
        """Send a form of our own pages."""
        return await self._open("POST", path, form or {}, {**HERE, **headers})

    async def post_from(self, path: str, form: dict[str, Any], **headers: str) -> Seen:
        """Send a form as some other page would."""
        return await self._open("POST", path, form, headers)

    def _sent(self, more: dict[str, str]) -> dict[str, str]:
        sent = {"Accept": "text/html", **self.headers}
        if self.cookie:
            sent["Cookie"] = f"mission_control={self.cookie}"
        if self.htmx:
            sent["HX-Request"] = "true"
        return sent | {name.replace("_", "-"): value for name, value in more.items()}

    async def _open(self, method: str, path: str, form: dict[str, Any] | None, headers: dict[str, str]) -> Seen:
        client = self.app.test_client(use_cookies=False)
        sent = self._sent(headers)
        options: dict[str, Any] = {}
        if form is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
            options["data"] = urlencode(form, doseq=True)
        response = await client.open(path, method=method, headers=sent, **options)
        body: Any = await response.get_data(as_text=False)
        return Seen(response.status_code, body.decode(errors="replace"), response.headers)

    async def remembering(self, seen: Seen) -> "Visitor":
        """The same browser with the cookie that an answer set."""
        found = re.search(r"\bmission_control=([^;]+);", " ".join(seen.headers.getlist("Set-Cookie")))
        assert found, seen.headers
        return Visitor(self.app, found[1], self.htmx, self.headers)

    @asynccontextmanager
    async def watching(self, path: str) -> AsyncIterator["Watch"]:
        """Follow a page's stream."""
        client = self.app.test_client(use_cookies=False)
        request: Any = client.request(path, headers=self._sent({"HX-Request": "true"}))
        async with request as connection:
            await connection.send_complete()
            watch = Watch(connection)
            await watch.until(":")
            assert connection.status_code == 200
            yield watch
            await connection.disconnect()


@dataclass(slots=True)
class Watch:
    """An open stream of a page."""

    connection: Any
    text: str = ""

    async def until(self, part: str) -> str:
        """Read until a text has come; returns everything read so far."""
        async with asyncio.timeout(PATIENCE):
            while part not in self.text:
                self.text += (await self.connection.receive()).decode()
        return self.text

    async def so_far(self) -> str:
        """Read what has come, and return everything read so far."""
        with suppress(TimeoutError):
            while True:
                self.text += (await asyncio.wait_for(self.connection.receive(), 0.1)).decode()
        return self.text


async def visitor(app: Quart, person: Person) -> Visitor:
    """The browser of a person who has signed in."""
    user = await User.get(id=person.id)
    secret = await start_session(system(), user, "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0")
    return Visitor(app, generate_auth_token(app.test_client(), secret))


async def give_password(person: Person, password: str = PASSWORD) -> None:
    """Let a person have a password and a time zone; an owner with a password ends the first run."""
    await User.filter(id=person.id).update(password_hash=await hash_password(password), timezone="Europe/Zurich")


async def opened(cast: Cast) -> Visitor:
    """Nobody yet, at an installation that is set up."""
    await give_password(cast.ada)
    return Visitor(cast.app)
