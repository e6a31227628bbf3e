"""What stands beside a page in the place of a task: chat, memory and more. Features add theirs.

`?panel=<name>` opens one, on the page as in its stream; its own parameters begin with its name and `_`.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode

from markupsafe import Markup
from quart import request

from mission_control.core.extensions import Part, add
from mission_control.core.values import parts_of
from mission_control.web.forms import is_htmx
from mission_control.web.fragments import render_macro
from mission_control.web.regions import View

TEMPLATE = "ui/aside.html"
LONGEST_OPTION = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class AsideView(View):
    """A page beside which something can stand: its name, and its part of the address."""

    aside: str = ""
    options: tuple[tuple[str, str], ...] = ()

    def option(self, name: str) -> str:
        return dict(self.options).get(name, "")


@dataclass(frozen=True, slots=True)
class Opened:
    """The content of an aside that is being opened, and what its stream needs to know beside its options."""

    html: str
    stream: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Aside(Part):
    """What stands beside pages of a kind (`board`, `group`): its name in the address, title, icon and keys."""

    place: str
    name: str
    title: str
    icon: str
    key: str
    open: Callable[..., Awaitable[Opened]]

    def install(self) -> None:
        add(ASIDES, (self.place, self.name), self)

    @property
    def page(self) -> str:
        return f"{self.place}-{self.name}"


# The installed asides by place and name, and their order in a header.
ASIDES: dict[tuple[str, str], Aside] = {}
ORDER = ("chat", "memory", "feed", "goal")


def asides(place: str) -> list[Aside]:
    return [ASIDES[place, name] for name in ORDER if (place, name) in ASIDES]


def asked(place: str, args: Mapping[str, str] | None = None) -> tuple[Aside | None, tuple[tuple[str, str], ...]]:
    args = request.args if args is None else args
    name = args.get("panel", "")
    start = f"{name}_"
    own = {key.removeprefix(start): value for key, value in args.items() if key.startswith(start) and value}
    options = tuple(sorted((key, value[:LONGEST_OPTION]) for key, value in own.items()))
    aside = ASIDES.get((place, name))
    return aside, options if aside is not None else ()


def query_of(name: str, options: Mapping[str, str]) -> str:
    named = {f"{name}_{key}": value for key, value in options.items() if value}
    return urlencode({"panel": name, **named})


def with_aside(place: str, address: str) -> str:
    aside, options = asked(place, dict(parse_qsl(parts_of(request.headers.get("HX-Current-URL", "")).query)))
    if aside is None:
        return address
    return f"{address}{'&' if '?' in address else '?'}{query_of(aside.name, dict(options))}"


async def opened(aside: Aside, view: AsideView, seq: int, back: str) -> tuple[str, str]:
    """Return the panel of an aside, read after the number `seq` of the log, and its part of a stream's address."""
    content = await aside.open(view, seq)
    stream = query_of(aside.name, {**dict(view.options), **content.stream})
    html = render_macro(TEMPLATE, "aside", aside=aside, html=Markup(content.html), stream=stream, seq=seq, back=back)
    return html, stream


def wants_panel_alone() -> bool:
    """Whether an open page asks for the panel and nothing around it."""
    return is_htmx() and request.headers.get("HX-Target") == "section#panel"


def panel_alone(html: str) -> str:
    return f'<section id="panel">{html}</section>'
