"""Forms of an agent's page: a dialog for htmx, else a page. What is refused comes back as it was typed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from markupsafe import Markup
from quart import make_response, request
from quart.typing import ResponseReturnValue

from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, Invalid, NotFound
from mission_control.web.forms import FormInvalid, is_htmx
from mission_control.web.fragments import render_macro
from mission_control.web.shell import shell_page

DIALOG = "agents/dialog.html"


@dataclass(frozen=True, slots=True)
class Form:
    """A form: what it is called, the macro that draws it, where it is sent, and where it came from."""

    title: str
    template: str
    macro: str
    url: str
    back: tuple[str, str]
    size: str = ""
    context: dict[str, Any] = field(default_factory=dict)

    @property
    def is_dialog(self) -> bool:
        """Whether it is shown in a dialog."""
        return is_htmx()

    async def render(self, actor: Actor, values: dict[str, Any]) -> ResponseReturnValue:
        """The form, to be filled in."""
        html = self._html(values, {})
        if self.is_dialog:
            return render_macro(DIALOG, "form_dialog", title=self.title, html=html, size=self.size)
        return await self._page(actor, html)

    async def refused(self, actor: Actor, status: int, errors: dict[str, str]) -> ResponseReturnValue:
        """The form with what was typed and why that cannot be."""
        typed = await request.form
        values: dict[str, Any] = {
            name: typed.getlist(name) if len(typed.getlist(name)) > 1 else typed[name] for name in typed
        }
        html = self._html(values, errors)
        return (html if self.is_dialog else await self._page(actor, html)), status

    async def instead(self, actor: Actor, html: Markup) -> ResponseReturnValue:
        """Something in the place of the form, such as a secret that is shown once."""
        response = await make_response(html if self.is_dialog else await self._page(actor, html))
        response.headers["Cache-Control"] = "no-store"
        return response

    def _html(self, values: dict[str, Any], errors: dict[str, str]) -> Markup:
        where = {"url": self.url, "back": self.back[0], "in_dialog": self.is_dialog}
        return Markup(render_macro(self.template, self.macro, values=values, errors=errors, **where, **self.context))

    async def _page(self, actor: Actor, html: Markup) -> str:
        return await shell_page(actor, "agents/form.html", active="agents", title=self.title, back=self.back, html=html)


Work = Callable[[], Awaitable[ResponseReturnValue]]


async def submitted(form: Form, actor: Actor, work: Work) -> ResponseReturnValue:
    """Do what a sent form asks for; what is refused comes back in the form."""
    try:
        return await work()
    except FormInvalid as invalid:
        return await form.refused(actor, 422, invalid.errors)
    except Invalid as invalid:
        return await form.refused(actor, 422, _by_field(invalid))
    except (Conflict, NotFound) as refused:
        return await form.refused(actor, refused.status, {"": refused.sentence})


def _by_field(invalid: Invalid) -> dict[str, str]:
    """Rules about one field under its name, others under none."""
    if not isinstance(invalid.detail, list):
        return {"": invalid.sentence}
    found: dict[str, str] = {}
    for item in invalid.detail:
        text = str(item.get("ctx", {}).get("error") or item["msg"])
        found.setdefault(str(item["loc"][-1]), text[:1].upper() + text[1:].rstrip(".") + ".")
    return found


def back_to(agent_id: UUID, tab: str, name: str) -> tuple[str, str]:
    """A tab of an agent's page as the place to go back to."""
    return f"/agents/{agent_id}/{tab}".removesuffix("/"), name
