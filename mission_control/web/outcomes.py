"""What a page action ended in: an outcome or a refusal, and how each becomes an answer."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from pydantic import BaseModel
from quart import Response, make_response
from quart.typing import ResponseReturnValue

from mission_control.core.actor import Actor
from mission_control.core.errors import DomainError, Invalid
from mission_control.web.forms import FormInvalid, is_htmx
from mission_control.web.fragments import partial, render_macro
from mission_control.web.versions import EditConflict


@dataclass(frozen=True, slots=True)
class Outcome[Found, Sent]:
    """A performed operation: who performed it on what, the form, what `before` returned, and the operation's answer.

    `ids` are those of the address, and `page` is what the action's `at` looked up.
    """

    ids: Mapping[str, Any]
    actor: Actor
    found: Found
    form: Sent
    before: Any
    answer: Any
    page: Any


@dataclass(frozen=True, slots=True)
class Typed[Sent]:
    """A form that was refused, and why. `form` is None when what was typed is invalid."""

    form: Sent | None
    error: DomainError | FormInvalid

    @property
    def status(self) -> int:
        """The status of the answer."""
        return 422 if isinstance(self.error, FormInvalid) else self.error.status

    @property
    def values(self) -> dict[str, Any]:
        """What was typed, for the form that comes back."""
        if isinstance(self.error, FormInvalid | EditConflict):
            return self.error.values
        return self.form.model_dump() if isinstance(self.form, BaseModel) else {}

    @property
    def errors(self) -> dict[str, str]:
        """One sentence for each field; what concerns the whole form stands under `""`."""
        if isinstance(self.error, FormInvalid | EditConflict):
            return self.error.errors
        return _by_field(self.error) or {"": self.error.sentence}

    @property
    def sentence(self) -> str:
        """The refusal in one sentence."""
        return " ".join(self.errors.values())


@dataclass(frozen=True, slots=True)
class Refusal[Found, Sent](Typed[Sent]):
    """A refused action: who wanted to perform it, on what. `found` is None when it is gone.

    `ids` are those of the address, and `page` is what the action's `at` looked up.
    """

    ids: Mapping[str, Any]
    actor: Actor
    found: Found
    page: Any


def _by_field(error: DomainError) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in error.detail if isinstance(error, Invalid) and isinstance(error.detail, list) else []:
        text = str(item.get("ctx", {}).get("error") or item["msg"])
        found.setdefault(str(item["loc"][-1]), text[:1].upper() + text[1:].rstrip(".") + ".")
    return found


def same_form_again(error: Exception, version_id: str) -> str:
    """Say in an open page that somebody was faster, and give its form a version to send again; raise other errors."""
    if not (isinstance(error, EditConflict) and is_htmx()):
        raise error
    version = render_macro("ui/form.html", "version", values=error.values, id=version_id)
    reason = render_macro("tasks/panel_gone.html", "reason", sentence=f"{error.sentence} Save again to use yours.")
    return reason + partial(f"#{version_id}", version, "outerHTML")


async def refused_response(
    refused: Callable[..., Awaitable[ResponseReturnValue]] | None, refusal: Typed[Any], **path: str
) -> Response:
    """Answer a refusal. HTML gets its status; a redirect stays one."""
    if refused is None:
        raise refusal.error
    answer = await refused(refusal, **path)
    response = await response_of(answer)
    if isinstance(answer, str):
        response.status_code = refusal.status
    return response


async def response_of(answer: ResponseReturnValue) -> Response:
    return cast("Response", await make_response(answer))
