"""Forms of an agent's page: a dialog for htmx, else a page. A refused form comes back as it was typed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from markupsafe import Markup
from quart import make_response, request
from quart.typing import ResponseReturnValue

from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, Invalid, NotFound
from mission_control.web.actions import Refusal
from mission_control.web.forms import EditConflict, Fields, FormInvalid, is_htmx
from mission_control.web.fragments import render_macro
from mission_control.web.shell import shell_page

DIALOG = "agents/dialog.html"


@dataclass(frozen=True, slots=True)
class FormPage:
    """A form: its title, the macro that renders it, the address that it is sent to, and the page to go back to."""

    title: str
    template: str
    macro: str
    url: str
    back: tuple[str, str]
    size: str = ""
    active: str = "agents"
    context: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_dialog(self) -> bool:
        """Whether it is shown in a dialog."""
        return is_htmx()

    async def render(self, actor: Actor, values: Fields) -> ResponseReturnValue:
        """Return the form, to be filled in."""
        html = self._html(values, {})
        if self.is_dialog:
            return render_macro(DIALOG, "form_dialog", title=self.title, html=html, size=self.size)
        return await self._page(actor, html)

    async def refused(self, refusal: Refusal[Any, Any], errors: dict[str, str] | None = None) -> str:
        """Return the form with what was typed and the reasons; an error page when nobody may send it."""
        refusal.only(FormInvalid, Invalid, Conflict, NotFound)
        typed = await request.form
        values: dict[str, Any] = {
            name: typed.getlist(name) if len(typed.getlist(name)) > 1 else typed[name] for name in typed
        }
        if isinstance(refusal.error, EditConflict):
            values = refusal.values
        html = self._html(values, refusal.errors if errors is None else errors)
        return html if self.is_dialog else await self._page(refusal.actor, html)

    async def instead(self, actor: Actor, html: Markup) -> ResponseReturnValue:
        """Return something in the place of the form, such as a secret that is shown once."""
        response = await make_response(html if self.is_dialog else await self._page(actor, html))
        response.headers["Cache-Control"] = "no-store"
        return response

    def _html(self, values: Fields, errors: dict[str, str]) -> Markup:
        where = {"url": self.url, "back": self.back[0], "in_dialog": self.is_dialog}
        return Markup(render_macro(self.template, self.macro, values=values, errors=errors, **where, **self.context))

    async def _page(self, actor: Actor, html: Markup) -> str:
        return await shell_page(
            actor, "agents/form.html", active=self.active, title=self.title, back=self.back, html=html
        )


def back_to(agent_id: UUID, tab: str, name: str) -> tuple[str, str]:
    """Return a tab of an agent's page as the page to go back to."""
    return f"/agents/{agent_id}/{tab}".removesuffix("/"), name
