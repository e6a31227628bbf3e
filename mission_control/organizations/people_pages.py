"""The people of the organization, as a page of the settings."""

from typing import Any

from quart import Blueprint, current_app, request
from quart.typing import ResponseReturnValue

from mission_control.accounts.models import User
from mission_control.core.actor import Actor
from mission_control.core.policy import require
from mission_control.organizations.people_view import colleagues
from mission_control.web.actions import action
from mission_control.web.forms import go
from mission_control.web.outcomes import Outcome
from mission_control.web.settings import SettingsPage, administers, settings_page
from mission_control.web.shell import signed_in

pages = Blueprint("people_pages", __name__)
PEOPLE = "/settings/people"
SETTINGS_PAGES = (
    SettingsPage(
        "people", "Organization", "People", PEOPLE, "users", 120, "members roles access invite", may=administers
    ),
)
SAVED = {"let-link": "The person who proves this address to the provider within 14 days gets the account."}


@pages.get(PEOPLE)
async def people() -> str:
    """Show the people of the organization."""
    actor = await signed_in()
    require(actor, "organization.administer", actor.organization_id)
    return await _page(actor, saved=SAVED.get(request.args.get("saved", ""), ""))


async def _page(actor: Actor, **changes: Any) -> str:
    provider = current_app.config["SETTINGS"].sign_in_provider
    context = {"people": await colleagues(actor), "provider": provider, "saved": "", "link": {}}
    return await settings_page(actor, "organizations/people.html", "people", **(context | changes))


@action(pages, "POST", f"{PEOPLE}/<uuid:user_id>/link-invitations", performs="invite_account_link")
async def let_link(outcome: Outcome[User, None]) -> ResponseReturnValue:
    """Let the person who proves the account's address to the identity provider take it over."""
    return go(f"{PEOPLE}?saved=let-link")


@action(pages, "POST", f"{PEOPLE}/<uuid:user_id>/reset-links", performs="create_reset_link")
async def reset_link(outcome: Outcome[User, None]) -> ResponseReturnValue:
    """Create a one-time link for a person's new password and show it, once."""
    user, url = outcome.found, outcome.answer.url
    return await _page(outcome.actor, link={"url": url, "name": user.display_name, "id": user.id})
