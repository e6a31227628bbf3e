"""What surrounds every page of a signed-in person: how a person gets in, the palette, and the frame of the settings.

`home/shell.py` fills it, because nothing here imports a feature.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol
from urllib.parse import quote
from uuid import UUID

from markupsafe import Markup
from quart import g, render_template, request

from mission_control.core import times
from mission_control.core.actor import Actor, BoardLike, can
from mission_control.core.errors import Unauthenticated
from mission_control.core.extensions import Hook, Part, add
from mission_control.core.values import parts_of
from mission_control.http import authentication
from mission_control.http.exchange import count_as
from mission_control.web.forms import is_htmx
from mission_control.web.fragments import render_macro


@dataclass(frozen=True, slots=True)
class ShellBoard:
    id: UUID
    name: str

    @property
    def url(self) -> str:
        return f"/boards/{self.id}"


@dataclass(frozen=True, slots=True)
class ShellOrganization:
    id: UUID
    name: str


@dataclass(slots=True)
class Shell:
    organization_name: str
    user_name: str
    user_initials: str
    is_admin: bool
    is_demo: bool = False
    work_state: str = "running"
    work_state_reason: str | None = None
    work_state_at: datetime | None = None
    organization_id: UUID | None = None
    other_organizations: list[ShellOrganization] = field(default_factory=list)
    boards: list[ShellBoard] = field(default_factory=list)
    pending_count: int = 0
    unread_count: int = 0
    online_count: int = 0
    active: str = ""
    own_work: str = ""  # safe HTML
    ended_work: str = ""  # safe HTML
    health: str = ""  # what fails on this server, in sentences
    queue_scope: str = "all"
    seq: int = 0


build_shell = Hook[Callable[[Actor], Awaitable[Shell]]](is_single=True)
needs_setup = Hook[Callable[[], Awaitable[bool]]](is_single=True)


async def signed_in() -> Actor:
    """The person whose browser asks; Unauthenticated (which leads to the sign-in page) when there is none."""
    actor = await authentication.user_by_session()
    if actor is None:
        raise Unauthenticated()
    g.actor = actor = actor.on("page")
    count_as(request.scope, actor.id)
    times.read_by(actor)
    return actor


async def sign_in_url() -> str:
    """Return where people sign in: /setup on a fresh installation, else /sign-in and back."""
    if needs_setup.function is not None and await needs_setup.function():
        return "/setup"
    # What forms and fragments are sent to is no page.
    address = request.full_path.rstrip("?") if request.method == "GET" else "/"
    if request.headers.get("HX-Request") == "true":
        parts = parts_of(request.headers.get("HX-Current-URL", ""))
        address = safe_next(parts.path + (f"?{parts.query}" if parts.query else ""))
    return f"/sign-in?next={quote(address)}" if address != "/" else "/sign-in"


def safe_next(path: str | None) -> str:
    """A path on this server to go on to after signing in; anything else becomes the start page."""
    path = path or "/"
    parts = parts_of(path)
    is_plain = path.isprintable() and "\\" not in path and not path.startswith("//")
    return path if is_plain and parts.path.startswith("/") and not (parts.scheme or parts.netloc) else "/"


async def shell_page(actor: Actor, template: str, *, active: str, **context: object) -> str:
    """Render a page inside the shell. `shell.seq` was read before everything else on the page.

    A page without a stream of its own, `live_url`, keeps the shell live with the one that has no other news.
    """
    if build_shell.function is None:
        raise RuntimeError("The shell has no builder.")
    shell = await build_shell.function(actor)
    shell.active = active
    if request.method == "GET" and not context.get("live_url"):  # a refused form must not become what its address shows
        context["live_url"] = f"/settings/live?active={active}&after={shell.seq}"
    return await render_template(template, shell=shell, actor=actor, **context)


async def dialog_or_page(
    actor: Actor,
    template: str,
    macro: str,
    title: str,
    *,
    active: str,
    back: tuple[str, str],
    subtitle: str = "",
    is_again: bool = False,
    **context: object,
) -> str:
    """Show a form that a macro draws: a dialog for htmx, else a page with the way back.

    `is_again`: a refused form of a dialog is swapped for itself.
    """
    html = Markup(render_macro(template, macro, in_dialog=is_htmx(), **context))
    if is_htmx():
        return html if is_again else render_macro("ui/overlay.html", "form_dialog", title=title, html=html)
    page = {"title": title, "subtitle": subtitle, "back": back, "html": html}
    return await shell_page(actor, "layouts/form.html", active=active, **page)


class NamedBoard(BoardLike, Protocol):
    name: str


@dataclass(frozen=True, slots=True)
class PaletteEntry(Part):
    """An entry: its label, address, glyph, and further words that find it.

    `{board}` and `{board_id}` stand for the board that the reader is on. Those get the entry who may do `verb` in their
    organization; `may` is asked with the reader and that board, None on other pages. Entries are listed by `position`,
    and `searched_only` ones only when somebody typed something.
    """

    label: str
    url: str
    icon: str
    words: str = ""
    position: int = 0
    group: Literal["Go to", "Do"] = "Go to"
    may: Callable[[Actor, NamedBoard | None], bool] = lambda actor, board: True
    searched_only: bool = False
    verb: str = ""

    def is_for(self, actor: Actor, board: NamedBoard | None) -> bool:
        return self.may(actor, board) and (not self.verb or can(actor, self.verb, actor.organization_id))

    def install(self) -> None:
        ENTRIES.append(self)


# The installed entries.
ENTRIES: list[PaletteEntry] = []

Group = Literal["You", "Organization"]
GROUPS: tuple[Group, ...] = ("You", "Organization")
HOME = "/settings"


def anybody(actor: Actor) -> bool:
    return True


def administers(actor: Actor) -> bool:
    return actor.administers(actor.organization_id)


@dataclass(frozen=True, slots=True)
class SettingsPage(Part):
    """A page of the settings: its place in the navigation, its address, and who sees it.

    `words` are further words by which the palette finds it. Pages are listed by `position` in their group. `may` only
    decides what is listed: the page itself refuses whom it refuses.
    """

    key: str
    group: Group
    label: str
    path: str
    icon: str
    position: int
    words: str = ""
    may: Callable[[Actor], bool] = anybody

    @property
    def palette_entry(self) -> PaletteEntry:
        words = f"settings {self.group} {self.words}".lower()
        return PaletteEntry(
            self.label, self.path, self.icon, words, 500 + self.position,
            may=lambda actor, board: self.may(actor), searched_only=True,
        )  # fmt: skip

    def install(self) -> None:
        add(SETTINGS, self.key, self)
        self.palette_entry.install()


# The installed pages, by key.
SETTINGS: dict[str, SettingsPage] = {}


@dataclass(frozen=True, slots=True)
class SettingsFrame:
    """What `layouts/settings.html` reads: the page, the groups of the navigation, and whether this is /settings."""

    page: SettingsPage
    groups: Sequence[tuple[str, Sequence[SettingsPage]]]
    is_index: bool


async def settings_page(actor: Actor, template: str, key: str, **context: object) -> str:
    """Render a page of the settings, whose template extends `layouts/settings.html`."""
    seen = sorted((page for page in SETTINGS.values() if page.may(actor)), key=lambda page: page.position)
    groups = [(group, [page for page in seen if page.group == group]) for group in GROUPS]
    around = SettingsFrame(SETTINGS[key], [(group, pages) for group, pages in groups if pages], request.path == HOME)
    return await shell_page(actor, template, active="settings", settings=around, **context)
