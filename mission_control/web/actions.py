"""Page actions: a form that a page posts performs an operation of the API.

The checks are those of the operation, in its order: credentials (a session, from our own page), the look-up (404), the
rule (403), the shape (422), and then whatever the operation finds. Where two people can edit the same, the form carries
the version that it shows, and the write is refused when somebody changed those fields since (409).
"""

import functools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from pydantic import BaseModel, Field, PrivateAttr, ValidationError
from quart import Blueprint, Response
from quart.typing import ResponseReturnValue

from mission_control.commands.transaction import atomically
from mission_control.core.actor import Actor
from mission_control.core.errors import DomainError, NotFound
from mission_control.operations.operation import admitted, handled
from mission_control.operations.registry import OPERATIONS, Operation
from mission_control.web.forms import FormInvalid, kinds_of, read_form, sentences
from mission_control.web.outcomes import Outcome, Refusal, refused_response, response_of
from mission_control.web.shell import signed_in
from mission_control.web.versions import EditConflict, merge, version_of


class Form(BaseModel):
    """What a page's form sends."""

    def body(self, found: Any) -> BaseModel | None:
        """Return the body of the operation, None when it takes none; `found` is what the operation looked up.

        FormInvalid or pydantic's ValidationError refuse what was typed (422).
        """
        raise NotImplementedError

    def query(self, ids: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the query of the operation, given the ids of the form's own address."""
        return {}

    @classmethod
    async def read(cls) -> Self:
        """Read the posted form. A form with a file reads it itself. FormInvalid refuses what was sent."""
        return await read_form(cls)


class VersionedForm(Form):
    """A form of what others may change while it is open. Without a version everything is saved as it was sent.

    `_untouched` names the fields that were sent as they were shown, once the form was merged with what is stored.
    """

    version: str = Field("", max_length=10_000)
    _untouched: set[str] = PrivateAttr(default_factory=set)

    @property
    def is_versioned(self) -> bool:
        """Whether it is compared with what is stored."""
        return bool(self.version)

    @classmethod
    def values_of(cls, thing: Any) -> dict[str, Any]:
        """Return what the form shows of a thing, by the names of its fields."""
        return {name: getattr(thing, name) for name in cls.model_fields if name != "version"}

    @classmethod
    def version_of(cls, thing: Any, *names: str) -> str:
        """The version of a thing as the form shows it, or of the fields that a part of the form shows."""
        values = cls.values_of(thing)
        return version_of({name: values[name] for name in names or values})

    @classmethod
    def shown(cls, thing: Any) -> dict[str, Any]:
        """Return the values of the form with their version."""
        return cls.values_of(thing) | {"version": cls.version_of(thing)}

    async def merged(self, thing: Any) -> Self:
        """Return the form with the newest value in every field that was not touched, or raise EditConflict."""
        present, lists = self.values_of(await self.newest(thing)), self._lists()
        typed = {name: getattr(self, name) for name in present if name in self.model_fields_set - lists}
        typed |= {name: getattr(self, name) or [] for name in present if name in lists}
        values, theirs, untouched = merge(self.version, typed, present)
        form = self.model_copy(update=values | {"version": version_of(present)})
        if theirs:
            raise EditConflict(self.model_dump() | values | {"version": form.version}, theirs)
        form._untouched = untouched
        return form

    async def newest(self, thing: Any) -> Any:
        """Return what `values_of` reads of a thing as it is stored now."""
        return thing

    @classmethod
    def _lists(cls) -> set[str]:
        """The names of lists, of which a browser sends nothing when they are empty."""
        return {name for name, field in cls.model_fields.items() if list in kinds_of(field.annotation)}


Answering = Callable[[Outcome[Any, Any]], Awaitable[ResponseReturnValue]]
Refusing = Callable[[Refusal[Any, Any]], Awaitable[ResponseReturnValue]]


@dataclass(frozen=True, slots=True)
class Action:
    """One unsafe route of a page, and the operation that it performs. See `action`."""

    performs: str
    answers: Answering
    form: type[Form] | None = None
    at: Callable[..., Awaitable[Any]] | None = None
    before: Callable[[Actor, Any], Awaitable[Any]] | None = None
    refused: Refusing | None = None
    gone: str = ""

    @property
    def operation(self) -> Operation:
        """The operation that it performs."""
        return operation_named(self.performs)

    async def respond(self, **ids: Any) -> Response:
        """Answer a posted form."""
        actor, page = await signed_in(), None
        try:
            if self.at is not None:
                page = await self.at(actor, **ids)
                actor = _at_home(actor, page)
            found = await admitted(self.operation, actor, self._own(ids))
        except NotFound as missing:
            if not self.gone:
                raise
            error = NotFound(self.gone) if page is None else missing
            return await refused_response(self.refused, Refusal(None, error, ids, actor, None, page))
        actor = _at_home(actor, found)
        form: Any = None
        try:
            form = await self.form.read() if self.form is not None else None
            before = await self.before(actor, found) if self.before is not None else None
            form, answer = await self._perform(actor, ids, found, form, page)
        except (DomainError, FormInvalid) as error:
            return await refused_response(self.refused, Refusal(form, error, ids, actor, found, page))
        return await response_of(await self.answers(Outcome(ids, actor, found, form, before, answer, page)))

    def _own(self, ids: Mapping[str, Any]) -> dict[str, Any]:
        """The ids that the operation's own path names."""
        path = self.operation.path
        return {name: one for name, one in ids.items() if f"<{name}>" in path or f"<string:{name}>" in path}

    def _given(self, form: Any, found: Any, ids: Mapping[str, Any]) -> dict[str, Any]:
        given: dict[str, Any] = {}
        if self.operation.query is not None:
            given["query"] = self.operation.query.model_validate(form.query(ids) if form is not None else {})
        try:
            body = form.body(found) if form is not None else None
        except ValidationError as error:
            raise FormInvalid(form.model_dump(), sentences(error.errors())) from None
        return given if self.operation.body is None else given | {"data": body}

    async def _perform(self, actor: Actor, ids: Mapping[str, Any], found: Any, form: Any, page: Any) -> tuple[Any, Any]:
        """Return the form as it was saved, and the operation's answer."""

        async def perform(form: Any) -> tuple[Any, Any]:
            given = self._given(form, found, ids)
            return form, await handled(self.operation, actor, self._own(ids), found, given)

        async def perform_merged() -> tuple[Any, Any]:
            thing = page if found is None else found
            if self.operation.is_atomic:
                await _lock(thing)
            return await perform(await form.merged(thing))

        if not (isinstance(form, VersionedForm) and form.is_versioned):
            return await perform(form)
        return await (atomically(actor, perform_merged) if self.operation.is_atomic else perform_merged())


def action(
    blueprint: Blueprint,
    method: str,
    path: str,
    *,
    performs: str,
    form: type[Form] | None = None,
    at: Callable[..., Awaitable[Any]] | None = None,
    before: Callable[[Actor, Any], Awaitable[Any]] | None = None,
    refused: Refusing | None = None,
    gone: str = "",
) -> Callable[[Answering], Answering]:
    """Let a form of a page perform an operation; the function answers when it is done, and adds what only pages have.

    `performs` is the operation's id, without the predecessor's `_api_v1_...` behind it. `at` looks up what the page is
    about where that is not what the operation looks up, and in whose organization the actor acts. `before` is called
    with the actor and what was found, before anything changes: what it returns is for taking the action back.
    `refused` answers a refusal, for example by the form with what was typed; without it the refusal is an error page,
    which htmx shows as a toast. `gone` is the sentence of the 404 for a form that outlives what `at` looks up.
    """

    def register(answers: Answering) -> Answering:
        made = Action(performs, answers, form, at, before, refused, gone)
        blueprint.add_url_rule(path, answers.__name__, made.respond, methods=[method])
        return answers

    return register


def action_of(view: Callable[..., Any]) -> Action | None:
    """The action behind the view of a route; None for any other view."""
    made = getattr(view, "__self__", None)
    return made if isinstance(made, Action) else None


def _at_home(actor: Actor, thing: Any) -> Actor:
    """The actor in the organization of a thing, for the shell around an answer; unchanged when the thing has none."""
    one = thing[0] if isinstance(thing, tuple) else thing
    home = getattr(one, "organization_id", None) or getattr(getattr(one, "board", None), "organization_id", None)
    return actor if home is None else replace(actor, organization_id=home)


async def _lock(found: Any) -> None:
    """Hold a thing inside the running transaction, and read it again."""
    if await type(found).select_for_update(no_key=True).get_or_none(pk=found.pk) is None:
        raise NotFound()
    await found.refresh_from_db()


@functools.cache
def operation_named(name: str) -> Operation:
    """The operation of people with an id; the id may be cut before the predecessor's `_api_v1_`."""
    mine = [one for one in OPERATIONS if one.who in ("user", "actor") and "/api/v1/agent/" not in one.path]
    [found] = [one for one in mine if name in (one.operation_id, one.operation_id.partition("_api_v1_")[0])]
    return found
