"""Page actions: a form that a page posts performs an operation of the API, and what the page gets back.

The checks are those of the operation, in its order: credentials (a session, from our own page), the look-up (404), the
rule (403), the shape (422), and then whatever the operation finds. Where two people can edit the same, the form carries
the version that it shows, and the write is refused when somebody changed those fields since (409).
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any, cast

from pydantic import BaseModel, ValidationError
from quart import Blueprint, Response, make_response, request
from quart.typing import ResponseReturnValue

from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, DomainError, Invalid, NotFound
from mission_control.events.commands import atomically
from mission_control.http.authentication import require_same_origin
from mission_control.http.operation import admitted
from mission_control.http.registry import Call, Operation, operation_named
from mission_control.web.forms import (
    EditConflict,
    Form,
    FormInvalid,
    VersionedForm,
    form_values,
    is_htmx,
    read_form,
    sentences,
)
from mission_control.web.fragments import partial, render_macro
from mission_control.web.shell import signed_in

# What a form shows above its fields or at them; other refusals are error pages.
SHOWN = (FormInvalid, Invalid, Conflict)


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
        return " ".join(self.errors.values())

    def only(self, *errors: type[Exception]) -> None:
        """Raise the refusal for an error page, unless it is one of those that the form itself shows."""
        if not isinstance(self.error, errors or SHOWN):
            raise self.error


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


type Showing = Callable[[Actor, Any, dict[str, Any], dict[str, str]], Awaitable[ResponseReturnValue]]


def again(show: Showing, *errors: type[Exception]) -> "Refusing":
    """Answer a refusal by the form with what was typed and its reasons; other errors than these are error pages."""

    async def refused(refusal: Refusal[Any, Any]) -> ResponseReturnValue:
        refusal.only(*errors)
        return await show(refusal.actor, refusal.found, refusal.values, refusal.errors)

    return refused


def typed_again(
    show: Callable[[dict[str, Any], dict[str, str]], Awaitable[ResponseReturnValue]],
) -> Callable[[Typed[Any]], Awaitable[ResponseReturnValue]]:
    """Answer a form of a session by itself, with what was typed and why that is invalid; raise other errors."""

    async def refused(refusal: Typed[Any]) -> ResponseReturnValue:
        refusal.only(FormInvalid)
        return await show(refusal.values, refusal.errors)

    return refused


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


Answering = Callable[[Outcome[Any, Any]], Awaitable[ResponseReturnValue]]
Refusing = Callable[[Refusal[Any, Any]], Awaitable[ResponseReturnValue]]


@dataclass(slots=True)
class Action:
    """Let a form of a page perform an operation: the decorated function answers, and adds what only pages have.

    The function has the operation's name, unless `performs` says it. `form` is needed where the page sends something
    else than the operation's body, or its query where it takes no body. `at` looks up what the page is about where that
    is not what the operation looks up, and in whose organization the actor acts. `before` is called with the actor and
    what was found, before anything changes: what it returns is for taking the action back. `refused` answers a refusal,
    for example by the form with what was typed; without it the refusal is an error page, which htmx shows as a toast.
    `gone` is the sentence of the 404 for a form that outlives what `at` looks up.

    `shows` renders the page of the form for an actor and what was found, with values and errors. The page is at `page`,
    for those whom the operation allows, with the values of `starts`, else those of a versioned form; it also answers
    refusals when there is no `refused`.
    """

    pages: Blueprint
    path: str
    _: KW_ONLY
    performs: str = ""
    form: type[BaseModel] | None = None
    at: Callable[..., Awaitable[Any]] | None = None
    before: Callable[[Actor, Any], Awaitable[Any]] | None = None
    refused: Refusing | None = None
    gone: str = ""
    shows: Showing | None = None
    page: str = ""
    starts: Callable[[Actor, Any], Awaitable[dict[str, Any]]] | None = None
    answers: Answering = field(init=False)

    def __call__(self, answers: Answering) -> Answering:
        self.answers, self.performs = answers, self.performs or answers.__name__
        if self.shows is not None:
            self.refused = self.refused or again(self.shows)
        if self.page:
            self.pages.add_url_rule(self.page, f"page of {answers.__name__} {self.page}", self.ask, methods=["GET"])
        self.pages.add_url_rule(self.path, f"{answers.__name__} {self.path}", self.respond, methods=["POST"])
        return answers

    @property
    def operation(self) -> Operation:
        return operation_named(self.performs)

    async def ask(self, **ids: object) -> ResponseReturnValue:
        """Show the form before anything was typed."""
        assert self.shows is not None
        actor = await signed_in()
        found = await admitted(self.operation, actor, self._own(ids))
        values: dict[str, Any] = {}
        if self.starts is not None:
            values = await self.starts(actor, found)
        elif self.form is not None and issubclass(self.form, VersionedForm):
            values = self.form.shown(found)
        return await self.shows(_at_home(actor, found), found, values, {})

    async def respond(self, **ids: object) -> Response:
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
            form = await self._read()
            before = await self.before(actor, found) if self.before is not None else None
            form, answer = await self._perform(actor, ids, found, form, page)
        except (DomainError, FormInvalid) as error:
            return await refused_response(self.refused, Refusal(form, error, ids, actor, found, page))
        return await response_of(await self.answers(Outcome(ids, actor, found, form, before, answer, page)))

    def _own(self, ids: Mapping[str, object]) -> dict[str, Any]:
        """The ids that the operation's own path names."""
        return {name: one for name, one in ids.items() if name in self.operation.path_names}

    async def _read(self) -> BaseModel | None:
        shape: type[BaseModel] | None = self.form or self.operation.body
        if shape is None:
            return None
        return await shape.read() if issubclass(shape, Form) else await read_form(shape)

    async def _given(self, form: Any, found: Any, ids: Mapping[str, Any]) -> dict[str, Any]:
        given: dict[str, Any] = {}
        try:
            if (query := self.operation.query) is not None:
                sent = form.query(ids) if isinstance(form, Form) else form_values(query, await request.form) | dict(ids)
                given["query"] = query.model_validate(_only(query, sent))
            made = form.body(found) if isinstance(form, Form) else form
            if (body := self.operation.body) is not None:
                given["data"] = _body(body, made)
        except ValidationError as error:
            raise FormInvalid(form.model_dump() if form else {}, sentences(error.errors())) from None
        return given

    async def _perform(self, actor: Actor, ids: Mapping[str, Any], found: Any, form: Any, page: Any) -> tuple[Any, Any]:
        """Return the form as it was saved, and the operation's answer."""

        async def perform(form: object) -> tuple[Any, Any]:
            given = await self._given(form, found, ids)
            return form, await Call(self.operation, actor, self._own(ids), found, given).perform()

        async def perform_merged() -> tuple[Any, Any]:
            thing = page if found is None else found
            if self.operation.is_atomic:
                await _lock(thing)
            return await perform(await form.merged(thing))

        if not (isinstance(form, VersionedForm) and form.is_versioned):
            return await perform(form)
        return await (atomically(actor, perform_merged) if self.operation.is_atomic else perform_merged())


def _body(shape: type[BaseModel], made: Any) -> BaseModel:
    if isinstance(made, shape):
        return made
    if isinstance(made, BaseModel):
        made = _only(shape, made.model_dump())
    if unknown := made.keys() - shape.model_fields.keys():
        raise TypeError(f"{shape.__name__} does not take {', '.join(sorted(unknown))}.")
    return shape.model_validate(made)


def _only(shape: type[BaseModel], values: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if name in shape.model_fields}


def _at_home(actor: Actor, thing: object) -> Actor:
    """The actor in the organization of a thing, for the shell around an answer; unchanged when the thing has none."""
    one = thing[0] if isinstance(thing, tuple) else thing
    home = getattr(one, "organization_id", None) or getattr(getattr(one, "board", None), "organization_id", None)
    return actor if home is None else replace(actor, organization_id=home)


async def _lock(found: Any) -> None:
    """Hold a thing inside the running transaction, and read it again."""
    if await type(found).select_for_update(no_key=True).get_or_none(pk=found.pk) is None:
        raise NotFound()
    await found.refresh_from_db()


@dataclass(slots=True)
class SessionAction:
    """Let a form begin or end the browser's own session, or let a terminal in, which no operation of the API does.

    The decorated function answers: it gets the form and what `performs` returned. `performs` gets the form and the
    parts of the path by name, `refused` the `Typed` form and them. `from_anywhere` takes forms of other sites and of
    programs: the path alone says for whom it is, and no session counts.
    """

    pages: Blueprint
    path: str
    _: KW_ONLY
    performs: Callable[..., Awaitable[Any]]
    form: type[BaseModel] | None = None
    refused: Callable[..., Awaitable[ResponseReturnValue]] | None = None
    from_anywhere: bool = False
    answers: Callable[..., Awaitable[ResponseReturnValue]] = field(init=False)

    def __call__[F: Callable[..., Awaitable[ResponseReturnValue]]](self, answers: F) -> F:
        self.answers = answers
        self.pages.add_url_rule(self.path, answers.__name__, self.respond, methods=["POST"])
        return answers

    async def respond(self, **path: str) -> Response:
        """Answer a posted form. It must come from our own page, also where nobody is signed in."""
        if not self.from_anywhere:
            require_same_origin()
        form: BaseModel | None = None
        try:
            form = await read_form(self.form) if self.form is not None else None
            answer = await self.performs(*([] if form is None else [form]), **path)
        except (DomainError, FormInvalid) as error:
            return await refused_response(self.refused, Typed(form, error), **path)
        return await response_of(await self.answers(form, answer))


def action_of(view: Callable[..., Any]) -> Action | SessionAction | None:
    """The action behind the view of a route; None for any other view."""
    made = getattr(view, "__self__", None)
    return made if isinstance(made, Action | SessionAction) else None


action, session_action = Action, SessionAction  # as decorators
