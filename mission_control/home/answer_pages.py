"""The forms of Home: answer one need or many, put one off, and take an answer back."""

from typing import Any

from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from mission_control.asks.kinds import Asked, Key
from mission_control.asks.schemas import NeedAnswerGiven
from mission_control.core.actor import Actor
from mission_control.core.errors import Invalid
from mission_control.home.forms import NOW, SelectionForm, SnoozeForm, SnoozesForm, UndoForm
from mission_control.home.listing import chosen_needs, offers, undone_words
from mission_control.home.pages import NEED, home_page
from mission_control.home.peek import peek
from mission_control.home.view import HomeAddress
from mission_control.home.wording import ANSWERED, answered_words, bare_title, many_words, moment_words
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import FormInvalid, done, is_htmx
from mission_control.web.fragments import render_macro
from mission_control.web.shell import safe_next, shell_page, signed_in

pages = Blueprint("home_answer_pages", __name__)
BULK = "needs/bulk.html"
UNDO, SNOOZES = "/needs/undos", "/needs/snoozes"


async def _not_answered(refusal: Refusal[Asked, NeedAnswerGiven]) -> ResponseReturnValue:
    """Ask for the words that an answer needs, in a page; open pages show the reason in the row."""
    if is_htmx() or not isinstance(refusal.error, FormInvalid | Invalid) or refusal.found.key is None:
        raise refusal.error
    typed = refusal.values.get("note") or ""
    chosen = refusal.values.get("answer") or ""
    html = await peek(refusal.actor, refusal.found.name, typed=typed, errors=refusal.errors, chosen=chosen)
    return await home_page(refusal.actor, HomeAddress.of_request(), html)


@action(pages, "POST", f"{NEED}/answers", performs="answer_need", refused=_not_answered)
async def answer(outcome: Outcome[Asked, NeedAnswerGiven]) -> ResponseReturnValue:
    """Give an answer; only the first one counts."""
    result = outcome.answer
    toast = answered_words(outcome.form.answer, result.title)
    if not result.undoable:
        return done("/", toast=toast)
    return done("/", toast=toast, undo_action=UNDO, undo={"needs": result.id})


@action(pages, "POST", f"{NEED}/snoozes", performs="snooze_need", form=SnoozeForm)
async def snooze(outcome: Outcome[Key, SnoozeForm]) -> ResponseReturnValue:
    """Put a need off."""
    need = outcome.answer
    toast = f"Snoozed until {moment_words(need.snoozed_until)}: {bare_title(need.title)}"
    return done("/", toast=toast, undo_action=f"/needs/{need.id}/unsnoozes")


@action(pages, "POST", f"{NEED}/unsnoozes", performs="unsnooze_need")
async def unsnooze(outcome: Outcome[Key, None]) -> ResponseReturnValue:
    """Show a need again."""
    return done("/", toast=f"Waits again: {bare_title(outcome.answer.title)}")


@action(pages, "POST", SNOOZES, performs="snooze_needs", form=SnoozesForm)
async def snooze_together(outcome: Outcome[None, SnoozesForm]) -> ResponseReturnValue:
    """Put several needs off, or show them again."""
    done_ids = [one.id for one in outcome.answer.results if one.outcome == "snoozed"]
    if outcome.form.until == NOW:
        return done("/", toast=many_words("Shown again", outcome.answer))
    toast = many_words("Snoozed", outcome.answer)
    return done("/", toast=toast, undo_action=SNOOZES, undo={"needs": ",".join(done_ids), "until": NOW})


@action(pages, "POST", UNDO, performs="undo_needs", form=UndoForm)
async def undo(outcome: Outcome[None, UndoForm]) -> ResponseReturnValue:
    """Take answers back."""
    return done(safe_next(outcome.form.next), toast=undone_words(outcome.answer))


@pages.get("/needs/selection")
async def selection() -> ResponseReturnValue:
    """List exactly what would be decided together: a bar of Home, a dialog of another page (`next`), else a page."""
    actor = await signed_in()
    return await _selection(actor, request.args.getlist("need"), request.args.get("next", ""))


async def _selection(actor: Actor, ids: list[str], next_url: str, **refusal: object) -> str:
    needs = await chosen_needs(actor, ids)
    context: dict[str, Any] = {"needs": needs, "offers": offers(needs), "next_url": safe_next(next_url), **refusal}
    if is_htmx():
        return render_macro(BULK, "dialog_of" if next_url else "bar", **context) if needs else ""
    return await shell_page(actor, "needs/selection.html", active="home", **context)


async def _not_answered_together(refusal: Refusal[None, SelectionForm]) -> ResponseReturnValue:
    if is_htmx() or not isinstance(refusal.error, FormInvalid):
        raise refusal.error
    values = refusal.values
    return await _selection(refusal.actor, values.get("need") or [], values.get("next") or "", errors=refusal.errors)


@action(pages, "POST", "/needs/answers", performs="answer_needs", form=SelectionForm, refused=_not_answered_together)
async def answer_together(outcome: Outcome[None, SelectionForm]) -> ResponseReturnValue:
    """Give one answer to many needs; each counts by itself."""
    results = outcome.answer
    toast = many_words(ANSWERED.get(outcome.form.answer, "Answered"), results)
    place = safe_next(outcome.form.next)
    undoable = [one.id for one in results.results if one.outcome == "answered" and one.undoable]
    if not undoable:
        return done(place, toast=toast)
    label = "Undo" if len(undoable) == results.answered else f"Undo {len(undoable)}"
    undo = {"needs": ",".join(undoable), "next": place}
    return done(place, toast=toast, undo_action=UNDO, undo=undo, undo_label=label)
