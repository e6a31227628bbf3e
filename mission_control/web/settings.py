"""The pages under /settings, which features declare: their side navigation, and the palette's entries for them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from quart import request

from mission_control.core.actor import Actor
from mission_control.web.palette import NamedBoard, PaletteEntry
from mission_control.web.shell import shell_page

Group = Literal["You", "Organization"]
GROUPS: tuple[Group, ...] = ("You", "Organization")
HOME = "/settings"


def anybody(actor: Actor) -> bool:
    """Everybody who is signed in."""
    return True


def administers(actor: Actor) -> bool:
    """Owners and admins of the organization one works in."""
    return actor.administers(actor.organization_id)


@dataclass(frozen=True, slots=True)
class SettingsPage:
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
        """The page as an entry of the palette, found by searching."""

        def may(actor: Actor, board: NamedBoard | None) -> bool:
            return self.may(actor)

        words = f"settings {self.group} {self.words}".lower()
        return PaletteEntry(self.label, self.path, self.icon, words, 500 + self.position, may=may, searched_only=True)


# The pages of the installed features, by key.
SETTINGS: dict[str, SettingsPage] = {}


@dataclass(frozen=True, slots=True)
class SettingsFrame:
    """What `layouts/settings.html` reads: the page, the groups of the navigation, and whether this is /settings."""

    page: SettingsPage
    groups: Sequence[tuple[str, Sequence[SettingsPage]]]
    is_index: bool


def frame(actor: Actor, key: str, *, is_index: bool) -> SettingsFrame:
    """Return the frame around the page with a key, as an actor sees it."""
    seen = sorted((page for page in SETTINGS.values() if page.may(actor)), key=lambda page: page.position)
    groups = [(group, [page for page in seen if page.group == group]) for group in GROUPS]
    return SettingsFrame(SETTINGS[key], [(group, pages) for group, pages in groups if pages], is_index)


async def settings_page(actor: Actor, template: str, key: str, **context: object) -> str:
    """Render a page of the settings, whose template extends `layouts/settings.html`."""
    around = frame(actor, key, is_index=request.path == HOME)
    return await shell_page(actor, template, active="settings", settings=around, **context)
