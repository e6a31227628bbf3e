"""Actions that begin or end the browser's own session, which no operation of the API does."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from quart import Blueprint, Response
from quart.typing import ResponseReturnValue

from mission_control.authn.authentication import require_same_origin
from mission_control.core.errors import DomainError
from mission_control.web.forms import FormInvalid, read_form
from mission_control.web.outcomes import Typed, refused_response, response_of


@dataclass(frozen=True, slots=True)
class SessionAction:
    """One unsafe route that begins or ends the browser's own session, which no operation of the API does."""

    performs: Callable[..., Awaitable[Any]]
    answers: Callable[..., Awaitable[ResponseReturnValue]]
    form: type[BaseModel] | None = None
    refused: Callable[..., Awaitable[ResponseReturnValue]] | None = None

    async def respond(self, **path: str) -> Response:
        """Answer a posted form. It must come from our own page, also where nobody is signed in."""
        require_same_origin()
        form: BaseModel | None = None
        try:
            form = await read_form(self.form) if self.form is not None else None
            answer = await self.performs(*([] if form is None else [form]), **path)
        except (DomainError, FormInvalid) as error:
            return await refused_response(self.refused, Typed(form, error), **path)
        return await response_of(await self.answers(form, answer))


def session_action(
    blueprint: Blueprint,
    path: str,
    *,
    performs: Callable[..., Awaitable[Any]],
    form: type[BaseModel] | None = None,
    refused: Callable[..., Awaitable[ResponseReturnValue]] | None = None,
) -> Callable[[Callable[..., Awaitable[ResponseReturnValue]]], Callable[..., Awaitable[ResponseReturnValue]]]:
    """Let a form begin or end the browser's session; the function gets the form and what `performs` returned.

    `performs` and `refused` get the form, or the `Typed` form, and the parts of the path by name.
    """

    def register(
        answers: Callable[..., Awaitable[ResponseReturnValue]],
    ) -> Callable[..., Awaitable[ResponseReturnValue]]:
        made = SessionAction(performs, answers, form, refused)
        blueprint.add_url_rule(path, answers.__name__, made.respond, methods=["POST"])
        return answers

    return register


def session_action_of(view: Callable[..., Any]) -> SessionAction | None:
    """The session action behind the view of a route; None for any other view."""
    made = getattr(view, "__self__", None)
    return made if isinstance(made, SessionAction) else None
