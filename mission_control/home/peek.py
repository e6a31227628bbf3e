"""A need beside the list: what it is about, and its answers."""

from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.home.about import about_need
from mission_control.needs.listing import key_named, one_need
from mission_control.web.fragments import read_ahead, render_macro

TEMPLATE = "needs/peek.html"


async def peek(actor: Actor, need_id: str, **refusal: object) -> str:
    """Return a need with what it is about; `typed`, `errors` and `chosen` are of a refused answer. Raise NotFound."""
    key = await key_named(actor, need_id)
    need = await one_need(actor, key)
    about = await about_need(actor, key, need)
    await read_ahead(about.says, about.task.description if about.task else None, *(said.text for said in about.said))
    return render_macro(TEMPLATE, "peek", item=need, about=about, **refusal)


async def peek_if_there(actor: Actor, need_id: str) -> str:
    """Return a need with what it is about; empty when it no longer waits for this person."""
    try:
        return await peek(actor, need_id)
    except NotFound:
        return ""
