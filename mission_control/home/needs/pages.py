"""The page of one need, made for a thumb: answered there, and the next one follows. It is light, and works alone."""

from dataclasses import replace
from urllib.parse import urlencode

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, Invalid
from mission_control.core.substance import names_changed
from mission_control.events.broker import head_of
from mission_control.home.needs.after import After, after_of, is_known
from mission_control.home.needs.regions import Shown, looking, parts_of
from mission_control.home.needs.view import NOTHING, One, Typed, home_of, one_of, place_of, shown
from mission_control.home.pages import NEED, SnoozeForm
from mission_control.home.peek import peek
from mission_control.needs.kinds import AskedNeed, Key
from mission_control.needs.lookup import asked_need
from mission_control.needs.schemas import NeedAnswerGiven
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import FormInvalid, go, is_htmx
from mission_control.web.fragments import as_html, render_block
from mission_control.web.inline_assets import drawn, inline_page
from mission_control.web.regions import live_page
from mission_control.web.shell import signed_in

pages = Blueprint("need_pages", __name__)
TEMPLATE, INLINED = "needs/page.html", ("js/theme-init.js", "css/alone/need.css")


@pages.get(NEED)
async def one(need_id: str) -> ResponseReturnValue:
    """Show one need; beside the open list of Home its panel alone."""
    actor = await signed_in()
    if is_htmx():
        return f'<section id="panel">{await peek(actor, need_id)}</section>'
    actor = await _there(actor, need_id)
    after = request.args.get("after", "")[:80]
    found = await one_of(actor, need_id)
    done = await after_of(actor, after, request.args.get("answer", "")[:80]) if after else None
    return await _page(actor, found, done, _changed_since(found, request.args.get("shown", "")[:1000]))


async def _there(actor: Actor, need_id: str) -> Actor:
    return replace(actor, organization_id=(await home_of(actor, need_id)).organization_id)


def _changed_since(found: One, substance: str) -> Typed:
    """Return what changed since a message showed the need, as a notice above it."""
    if not substance or found.need is None or found.ended:
        return NOTHING
    names = names_changed(substance, found.need.substance)
    return Typed(notice=f"Changed since you were sent this: {', '.join(names)}. Look again.") if names else NOTHING


async def _page(
    actor: Actor, found: One, after: After | None = None, typed: Typed = NOTHING, status: int = 200
) -> Response:
    if found.need is not None and not found.ended:
        for see in shown.functions:
            await see(actor, found.need)
    context = {
        "actor": actor,
        "one": found,
        "after": after,
        "typed": typed,
        "parts": await parts_of(found, typed),
    }
    seq = await head_of(actor.organization_id)
    context["live_url"] = f"/needs/{found.id}/live?{urlencode({'after': seq, 'state': found.state})}"
    if is_htmx():
        title = as_html(found.need.title if found.need is not None else "Needs you")
        html = f"<title>{title} · Mission Control</title>{drawn(await render_block(TEMPLATE, 'page', **context))}"
        return Response(html, status, content_type="text/html; charset=utf-8")
    return await inline_page(TEMPLATE, *INLINED, status=status, **context)


@pages.get(f"{NEED}/live")
async def live(need_id: str) -> Response:
    """Keep the page live: what changes, and that somebody else was faster."""
    actor = await _there(await signed_in(), need_id)
    await asked_need(actor, need_id)
    known = Shown(request.args.get("state", "")[:16])
    return await live_page(actor, looking(need_id, actor.organization_id, known), take_back=known.take_back)


async def _refused(refusal: Refusal[AskedNeed, NeedAnswerGiven]) -> ResponseReturnValue:
    """Show the need again with what was written: words are missing, it changed, or somebody was faster."""
    error, values = refusal.error, refusal.values
    if not isinstance(error, FormInvalid | Invalid | Conflict) or refusal.found is None:
        raise error
    typed = Typed(str(values.get("note") or ""), str(values.get("answer") or ""))
    if isinstance(error, Conflict):
        typed = replace(typed, notice=error.sentence)
    else:
        typed = replace(typed, error=refusal.sentence)
    found = await one_of(refusal.actor, refusal.found.name)
    return await _page(refusal.actor, found, None, typed, refusal.status)


async def _place(actor: Actor, found: AskedNeed | Key) -> str:
    """Return the page that follows when something was answered: of the next need, else of the same."""
    return (await place_of(actor, found.name)).after or found.name


@action(pages, NEED, performs="answer_need", at=home_of, before=_place, refused=_refused)
async def answer_and_go_on(outcome: Outcome[AskedNeed, NeedAnswerGiven]) -> ResponseReturnValue:
    """Give an answer, and show what becomes of it above the next need; for htmx in the same response."""
    query = urlencode({"after": outcome.found.name, "answer": outcome.form.answer})
    url = f"/needs/{outcome.before}?{query}"
    is_last = outcome.before == outcome.found.name
    if is_last and not await is_known(outcome.actor, outcome.before):
        return go("/")
    if not is_htmx():
        return go(url)
    after = await after_of(outcome.actor, outcome.found.name, outcome.form.answer)
    response = await _page(outcome.actor, await one_of(outcome.actor, outcome.before), after)
    response.headers["HX-Push-Url"] = url
    return response


@action(pages, f"{NEED}/later", performs="snooze_need", form=SnoozeForm, at=home_of, before=_place)
async def snooze_and_go_on(outcome: Outcome[Key, SnoozeForm]) -> ResponseReturnValue:
    """Put a need off, and show the next one."""
    return go("/" if outcome.before == outcome.found.name else f"/needs/{outcome.before}")
