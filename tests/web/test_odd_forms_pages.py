"""Every form of every page with blank and odd values: it may be refused, and never breaks on our side."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel
from quart import Quart

from mission_control.agents.models import Agent, Budget
from mission_control.approvals.models import Approval
from mission_control.boards.models import Board
from mission_control.channels.devices.unsubscribing import stop_path
from mission_control.core.actor import system
from mission_control.gateway_agents.models import OnboardingSession
from mission_control.people.accounts.commands import make_reset_link
from mission_control.people.models import Member, Session, Token, User
from mission_control.tasks.models import CustomField, Tag
from mission_control.web import forms
from tests.cast import Cast
from tests.channels.one_channel import a_chat
from tests.contract.test_page_routes import PLACE, pages
from tests.things import MAKERS, Things
from tests.visitor import Seen, Visitor, give_password, visitor

BEFORE_SIGNING_IN = {"/sign-in", "/sign-out", "/setup", "/reset/<secret>", "/invitations/<string:token>"}
ODD: dict[str, list[str]] = {
    "blank": [""],
    "blanks": [" \r\n "],
    "NUL": ["a\x00b"],
    "markup": ["</textarea><script>'\"{{ 7 * 7 }}"],
    "long": ["x" * 12_000],
    "negative": ["-1"],
    "fraction": ["1e999"],
    "large": ["9" * 30],
    "twice": ["true", "[]"],
    "no text": ["\ufffe\u202e\U0001f6f0"],
}


def values_of(form: int, every: bool) -> dict[str, list[str]]:
    """All odd values, or a form's turn: its neighbours have others, and each value comes to many forms."""
    names = list(ODD)
    chosen = names if every else [names[form % len(names)]]
    return {name: ODD[name] for name in chosen}


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """The names of fields that handlers have read so far."""
    known: set[str] = set()
    genuine = forms.form_values

    def noted(model: type[BaseModel], form: Any) -> dict[str, Any]:
        known.update(field.alias or name for name, field in model.model_fields.items())
        return genuine(model, form)

    monkeypatch.setattr(forms, "form_values", noted)
    yield known


async def path_of(cast: Cast, rule: str) -> str:
    """The address of a page on things that exist."""
    await Budget.all().delete()
    await CustomField.all().delete()
    await Tag.all().delete()
    made: Things = {}
    if rule == "/reach/off/<token>":
        async with cast.app.app_context():
            return stop_path(cast.ada.id)
    talks = OnboardingSession.filter(board_id=cast.board.id, cancelled_at=None)
    if rule.endswith("/onboarding/resends") and not await talks.exists():
        await OnboardingSession.create(board_id=cast.board.id)
    for found in PLACE.finditer(rule):
        name = found[3]
        if name == "user_id":
            made[name] = str(cast.cleo.id)
        elif name == "secret":
            made[name] = await make_reset_link(system(cast.organization.id), await User.get(id=cast.ben.id))
        elif name == "token":
            invited = (await cast.ada.post("/organizations/me/invites", {"invited_email": "fay@example.org"})).ok()
            made[name] = invited["token"]
        elif name == "token_id" and "agent_id" not in made:
            made[name] = str((await Token.filter(user_id=cast.ada.id).first().values("id"))["id"])
        elif found[2]:
            made[name] = found[2].partition(",")[0]
        else:
            made[name] = str(await MAKERS[name](cast, made, rule))
    return PLACE.sub(lambda found: made[found[3]], rule)


async def as_before(cast: Cast) -> Visitor:
    """Ada in a browser, and back what an earlier form may have taken away."""
    await Session.all().delete()
    await Token.all().update(revoked_at=None, expires_at=None)
    await Board.all().update(deleted_at=None)
    await Agent.all().update(work_state="running")
    await Approval.all().delete()
    for person in (cast.ada, cast.cleo):
        await Member.get_or_create(organization_id=cast.organization.id, user_id=person.id)
        await User.filter(id=person.id).update(active_organization_id=cast.organization.id)
    return await visitor(cast.app, cast.ada)


@pytest.fixture
def chats() -> Iterator[None]:
    """A chat of the tests is installed: its channels are edited without asking anybody outside."""
    with a_chat():
        yield


@pytest.mark.usefixtures("chats")
@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.thorough)], ids=["sample", "all"])
async def test_odd_values_break_no_form(cast: Cast, app: Quart, read: set[str], every: bool) -> None:
    await give_password(cast.ada)
    rules = sorted(pages(app, "POST"), key=lambda rule: rule.endswith("/deletions"))  # Vega goes last
    for form, rule in enumerate(rules):
        ada = await as_before(cast)
        browser = Visitor(cast.app) if rule in BEFORE_SIGNING_IN else ada
        read.clear()
        first = await browser.post(await path_of(cast, rule))
        assert first.status not in (404, 500), (rule, first.text[:300])
        path = await path_of(cast, rule)
        for number, (odd, values) in enumerate(values_of(form, every).items()):
            # Reading is the same for both; what forms get back is seen in both ways in turn.
            asked = browser.with_htmx if (form + number) % 2 else browser
            seen = await asked.post(path, dict.fromkeys(read, values))
            unanswered = seen.status == 502 and rule.startswith("/gateways/")  # no gateway answers here
            assert seen.status < 500 or unanswered, (rule, odd, sorted(read))


async def test_invalid_board_settings_come_back_with_what_was_typed(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    seen: Seen = await ada.post(
        f"/boards/{cast.board.id}/settings", {"name": " ", "require_approval_for_done": "", "objective": "Kept"}
    )
    seen.is_status(422).has("Kept", 'action="/boards/', "data-reason")
