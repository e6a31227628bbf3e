"""The page of a session: its transcript, live, and a form that sends a message to it."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from pydantic import Field
from quart import Blueprint, Response, request

from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.ids import new_id
from mission_control.core.policy import require
from mission_control.gateway_sessions import session_view
from mission_control.gateway_sessions.following import is_watched_here
from mission_control.gateway_sessions.reading import GatewaySessionAbortRequest, Reach
from mission_control.gateway_sessions.session_regions import PAGE, session_stream
from mission_control.gateway_sessions.session_view import (
    MOST_SHOWN,
    SHOWN,
    SessionView,
    agent_of_session,
    session_url,
)
from mission_control.gateway_sessions.transcript import settled_before
from mission_control.gateways.models import Gateway
from mission_control.gateways.queries import visible_gateway
from mission_control.live.broker import head_of
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import Form, done
from mission_control.web.regions import rendered
from mission_control.web.shell import shell_page, signed_in

pages = Blueprint("gateway_sessions_pages", __name__)
SESSION = "/gateways/<uuid:gateway_id>/sessions/<string:session_id>"
LONGEST_KEY = 1_000


async def gateway_of_page(actor: Actor, gateway_id: UUID, **_: Any) -> Gateway:
    """Return the gateway that the address of an action names."""
    return await visible_gateway(actor, gateway_id)


async def _on_gateway(gateway_id: UUID, key: str) -> tuple[Actor, Gateway]:
    actor = await signed_in()
    gateway = await visible_gateway(actor, gateway_id)
    require(actor, "gateway_session.read", Reach(gateway))
    if len(key) > LONGEST_KEY:
        raise NotFound()
    return actor, gateway


def _asked_for(name: str, most: int, otherwise: int) -> int:
    text = request.args.get(name, "")
    return min(int(text), most) if text.isascii() and text.isdigit() and len(text) < 18 else otherwise


@pages.get(SESSION)
async def session(gateway_id: UUID, session_id: str) -> str:
    """Show a session."""
    actor, gateway = await _on_gateway(gateway_id, session_id)
    seq = await head_of(actor.organization_id)  # before everything that the page shows
    shown = _asked_for("show", MOST_SHOWN, SHOWN)
    view = SessionView(
        actor=actor, gateway=gateway, key=session_id, shown=shown, agent=await agent_of_session(gateway, session_id)
    )
    if not is_watched_here(view.watch):
        session_view.forget(view.watch)
    history = await view.history()
    since = settled_before(history.entries, bool(history.facts and history.facts.is_running))
    view = replace(view, since=since)
    return await shell_page(
        actor,
        "gateway_sessions/show.html",
        active="gateways",
        view=view,
        history=history,
        settled=[one for one in history.entries if one.position <= since],
        regions=await rendered(PAGE, view),
        message_key=str(new_id()),
        live_url=f"{view.url}/live?after={seq}&since={since}&show={shown}",
    )


@pages.get(f"{SESSION}/live")
async def live(gateway_id: UUID, session_id: str) -> Response:
    """Stream what happens in a session."""
    actor, gateway = await _on_gateway(gateway_id, session_id)
    since, shown = _asked_for("since", 10**17, 0), _asked_for("show", MOST_SHOWN, SHOWN)
    agent = await agent_of_session(gateway, session_id)
    view = SessionView(actor=actor, gateway=gateway, key=session_id, agent=agent, shown=shown, since=since)
    return await session_stream(view)


class MessageForm(Form):
    """What a person writes to an agent."""

    content: str = Field(min_length=1, max_length=100_000)
    idempotency_key: str | None = Field(None, max_length=200)


@action(
    pages, "POST", f"{SESSION}/messages", performs="send_gateway_session_message", form=MessageForm, at=gateway_of_page
)  # fmt: skip
async def send_message(outcome: Outcome[Any, MessageForm]) -> Response:
    """The message was sent. The page shows it already; the transcript takes its place when the agent got it."""
    return done(session_url(outcome.ids["gateway_id"], outcome.ids["session_id"]))


@action(pages, "POST", f"{SESSION}/aborts", performs="abort_gateway_session", at=gateway_of_page)
async def stop_run(outcome: Outcome[Any, GatewaySessionAbortRequest]) -> Response:
    """The run was ended, or there was none."""
    sentence = "Stopped." if outcome.answer.run_ids else "Nothing was running."
    return done(session_url(outcome.ids["gateway_id"], outcome.ids["session_id"]), sentence)
