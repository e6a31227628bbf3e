"""Home as a page, and the forms of its rows: answer one or many, put off, take back."""

from datetime import datetime, time, timedelta
from itertools import zip_longest
from typing import Annotated

from markupsafe import Markup
from pydantic import Field, model_validator
from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Invalid
from mission_control.core.times import clock_time
from mission_control.core.values import BlankToNone
from mission_control.events.broker import head_of
from mission_control.home import regions
from mission_control.home.listing import chosen_needs, offers
from mission_control.home.peek import peek, peek_if_there
from mission_control.home.regions import DENSE_FROM, HomeAddress, HomeView, known_rows, state_of
from mission_control.needs.kinds import AskedNeed, Key
from mission_control.needs.schemas import NeedAnswerGiven, NeedResults
from mission_control.needs.wording import others_missing
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import Fields, Form, FormInvalid, done, is_htmx
from mission_control.web.fragments import render_macro
from mission_control.web.regions import Reads, live_page, rendered
from mission_control.web.shell import PaletteEntry, safe_next, shell_page, signed_in

ANSWERED = {
    "approve": "Approved",
    "always": "Approved",
    "send_back": "Sent back",
    "reject": "Rejected",
    "accept": "Accepted",
    "merge": "Merged",
    "drop": "Dropped",
}


def bare_title(title: str | None) -> str:
    """Return a need's title without the verb that asks for it."""
    return (title or "").removeprefix("Approve: ")


def reasons_in(results: NeedResults) -> str:
    return " ".join(dict.fromkeys(one.message for one in results.results if one.message))


def many_words(verb: str, results: NeedResults) -> str:
    """Return what became of many answers: how many, and which of them not, and why."""
    words, refused = f"{verb}: {len(results.results) - results.failed}.", dict[str, list[str]]()
    if waiting := sum(one.missing > 0 for one in results.results):
        words += f" {waiting} of them {'waits' if waiting == 1 else 'wait'} for others to approve, too."
    for one in results.results:
        if one.message:
            refused.setdefault(one.message, []).extend([f"“{bare_title(one.title)}”"] if one.title else [])
    if not refused:
        return words
    reasons = " ".join(": ".join(filter(None, (", ".join(which), why))) for why, which in refused.items())
    return f"{words} {results.failed} {'was' if results.failed == 1 else 'were'} not: {reasons[:300]}"


CHANGE, NOW = "change", "now"
MORNING = time(9)
Note = Annotated[Annotated[str, Field(max_length=20_000)] | None, BlankToNone]


def moment_named(word: str) -> datetime | str:
    """Return the moment that a word means where the reader is: `hour`, `tomorrow`, `monday`; any other is a moment."""
    zone = times.reader()
    today = times.today(zone)
    if word == "hour":
        return times.clock_now() + timedelta(hours=1)
    if word == "tomorrow":
        return times.at(today + timedelta(days=1), MORNING, zone)
    if word == "monday":
        return times.at(today + timedelta(days=7 - today.weekday()), MORNING, zone)
    return word


class SnoozeForm(Form):
    """Until when a need is put off: a word, a time, or `change` for the next change of it."""

    until: str = Field(max_length=40)

    def body(self, found: Key) -> Fields:
        return {"until_changed": True} if self.until == CHANGE else {"until": moment_named(self.until)}


class SnoozesForm(Form):
    """Until when several needs are put off, or `now` to show them again; they stand in `need`, or in `needs`."""

    until: str = Field(max_length=40)
    need: list[str] = Field(default_factory=list, max_length=200)
    needs: str = Field("", max_length=20_000)

    def body(self, found: None) -> Fields:
        ids = self.need or [one for one in self.needs.split(",") if one]
        if self.until in (CHANGE, NOW):
            return {"ids": ids, "until_changed": self.until == CHANGE, "show": self.until == NOW}
        return {"ids": ids, "until": moment_named(self.until)}


class SelectionForm(Form):
    """One answer to many needs, and the page to go on to.

    Each has its substance, in the same order. `takes` names a need and the answers that it takes together with others:
    with another answer it stays, as the page said.
    """

    need: list[str] = Field(min_length=1, max_length=200)
    substance: list[str] = Field(default_factory=list, max_length=200)
    takes: list[Annotated[str, Field(pattern=r"\S")]] = Field(default_factory=list, max_length=200)
    answer: str = Field(max_length=80)
    note: Note = None
    next: str = "/"

    @model_validator(mode="after")
    def _note_when_sent_back(self) -> "SelectionForm":
        if self.answer == "send_back" and not self.note:
            raise ValueError("Say what should change.")
        return self

    def body(self, found: None) -> Fields:
        seen = zip_longest(self.need, self.substance[: len(self.need)])
        given = {"answer": self.answer, "note": self.note}
        stays = {one for one, *taken in map(str.split, self.takes) if self.answer not in taken}
        answers = [{"id": one, "substance": substance, **given} for one, substance in seen if one not in stays]
        return {"answers": answers}


class UndoForm(Form):
    """The needs whose answers are taken back, separated by commas, and the page to go on to."""

    needs: str = Field(max_length=20_000)
    next: str = "/"

    def body(self, found: None) -> Fields:
        return {"ids": [one for one in self.needs.split(",") if one]}


pages = Blueprint("home_pages", __name__)
NEED = "/needs/<string:need_id>"


@pages.get("/")
async def home() -> ResponseReturnValue:
    """Show what needs the reader, with the need that the address names beside it while that waits."""
    actor = await signed_in()
    address = HomeAddress.of_request()
    return await home_page(actor, address, await peek_if_there(actor, address.peek) if address.peek else "")


async def home_page(actor: Actor, address: HomeAddress, panel: str = "") -> str:
    """Return the page with a need beside the list, or without."""
    seq = await head_of(actor.organization_id)
    view = HomeView(actor=actor, pages=(regions.PAGE,), active="home", address=address)
    listed = await view.listed()
    layout = address.layout or ("dense" if listed.total >= DENSE_FROM else "roomy")
    return await shell_page(
        actor,
        "home/index.html",
        active="home",
        regions=await rendered(regions.PAGE, view),
        listed=listed,
        address=address,
        layout=layout,
        panel=Markup(panel),
        live_url=address.live(seq, layout, state_of(listed.found)),
    )


@pages.get("/home/live")
async def live() -> Response:
    actor, address = await signed_in(), HomeAddress.of_request()
    sent = regions.Sent(await known_rows(actor, address))

    async def look(viewer: Actor, reads: Reads) -> HomeView:
        sent.begin()
        return HomeView(actor=viewer, pages=(regions.PAGE,), active="home", reads=reads, address=address, sent=sent)

    return await live_page(actor, look, take_back=sent.take_back)


BULK = "needs/bulk.html"
UNDO, SNOOZES = "/needs/undos", "/needs/snoozes"


async def _not_answered(refusal: Refusal[AskedNeed, NeedAnswerGiven]) -> ResponseReturnValue:
    """Ask for the words that an answer needs, in a page; open pages show the reason in the row."""
    if is_htmx() or not isinstance(refusal.error, FormInvalid | Invalid) or refusal.found.key is None:
        raise refusal.error
    typed = refusal.values.get("note") or ""
    chosen = refusal.values.get("answer") or ""
    html = await peek(refusal.actor, refusal.found.name, typed=typed, errors=refusal.errors, chosen=chosen)
    return await home_page(refusal.actor, HomeAddress.of_request(), html)


@action(pages, f"{NEED}/answers", refused=_not_answered)
async def answer_need(outcome: Outcome[AskedNeed, NeedAnswerGiven]) -> ResponseReturnValue:
    """Give an answer; only the first one counts."""
    result = outcome.answer
    toast = f"{ANSWERED.get(outcome.form.answer, 'Answered')}: {bare_title(result.title)}"
    if result.missing:
        toast = f"{toast}. {others_missing(result.missing)}"
    if not result.undoable:
        return done("/", toast=toast)
    return done("/", toast=toast, undo_action=UNDO, undo={"needs": result.id})


@action(pages, f"{NEED}/snoozes", form=SnoozeForm)
async def snooze_need(outcome: Outcome[Key, SnoozeForm]) -> ResponseReturnValue:
    need = outcome.answer
    until = clock_time(need.snoozed_until) if need.snoozed_until is not None else "it changes"
    toast = f"Snoozed until {until}: {bare_title(need.title)}"
    return done("/", toast=toast, undo_action=f"/needs/{need.id}/unsnoozes")


@action(pages, f"{NEED}/unsnoozes")
async def unsnooze_need(outcome: Outcome[Key, None]) -> ResponseReturnValue:
    return done("/", toast=f"Waits again: {bare_title(outcome.answer.title)}")


@action(pages, SNOOZES, form=SnoozesForm)
async def snooze_needs(outcome: Outcome[None, SnoozesForm]) -> ResponseReturnValue:
    """Put several needs off, or show them again."""
    done_ids = [one.id for one in outcome.answer.results if one.outcome == "snoozed"]
    if outcome.form.until == NOW:
        return done("/", toast=many_words("Shown again", outcome.answer))
    toast = many_words("Snoozed", outcome.answer)
    return done("/", toast=toast, undo_action=SNOOZES, undo={"needs": ",".join(done_ids), "until": NOW})


@action(pages, UNDO, form=UndoForm)
async def undo_needs(outcome: Outcome[None, UndoForm]) -> ResponseReturnValue:
    results = outcome.answer
    words = "Nothing was taken back."
    if results.undone:
        words = "It waits again." if results.undone == 1 else f"{results.undone} wait again."
    return done(safe_next(outcome.form.next), toast=f"{words} {reasons_in(results)}"[:300].rstrip())


@pages.get("/needs/selection")
async def selection() -> ResponseReturnValue:
    """List exactly what would be decided together: a bar of Home, a dialog of another page (`next`), else a page."""
    actor = await signed_in()
    return await _selection(actor, request.args.getlist("need"), request.args.get("next", ""))


async def _selection(actor: Actor, ids: list[str], next_url: str, **refusal: object) -> str:
    needs = await chosen_needs(actor, ids)
    context = {"needs": needs, "offers": offers(needs), "next_url": safe_next(next_url), **refusal}
    if is_htmx():
        return render_macro(BULK, "dialog_of" if next_url else "bar", **context) if needs else ""
    return await shell_page(actor, "needs/selection.html", active="home", **context)


async def _not_answered_together(refusal: Refusal[None, SelectionForm]) -> ResponseReturnValue:
    if is_htmx() or not isinstance(refusal.error, FormInvalid):
        raise refusal.error
    values = refusal.values
    return await _selection(refusal.actor, values.get("need") or [], values.get("next") or "", errors=refusal.errors)


@action(pages, "/needs/answers", form=SelectionForm, refused=_not_answered_together)
async def answer_needs(outcome: Outcome[None, SelectionForm]) -> ResponseReturnValue:
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


ENTRY = PaletteEntry("Home", "/", "house", "needs you queue inbox start", position=1)
