"""Pages without a session, and one's own pages of the settings."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote
from zoneinfo import available_timezones

from quart import Blueprint, Response, current_app, redirect, render_template, request
from quart.typing import ResponseReturnValue
from quart_auth import logout_user

from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, Invalid, NotFound
from mission_control.core.extensions import Hook
from mission_control.database.sql import select
from mission_control.http import authentication
from mission_control.http.request_log import SecretPath
from mission_control.people.accounts.commands import link_ticket
from mission_control.people.accounts.queries import PasswordChange, colleagues_of, sessions_of
from mission_control.people.models import Session, Token, User
from mission_control.people.sign_in import browser_sessions as entrance
from mission_control.people.sign_in import first_run
from mission_control.people.sign_in.first_run import SetupForm
from mission_control.web.actions import Outcome, Refusal, Refusing, Typed, action, again, session_action, typed_again
from mission_control.web.forms import EditConflict, Fields, FormInvalid, go
from mission_control.web.regions import Reads, View, live_page
from mission_control.web.shell import HOME, PaletteEntry, SettingsPage, safe_next, settings_page, signed_in

SECRET = SecretPath("/reset/")


def zones() -> list[str]:
    """Return the time zones that people choose from."""
    return sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC")


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of an organization when a person's account is deleted: it is left, it goes too, or it forbids it."""

    name: str
    kind: Literal["left", "deleted", "ownerless"]


# The programs that a person connected, as `people/accounts/settings/terminals.html` shows them.
terminals_of = Hook[Callable[[Actor], Awaitable[Sequence[Any]]]](is_single=True)

pages = Blueprint("settings_pages", __name__)
PROFILE, SIGN_IN = f"{HOME}/profile", f"{HOME}/sign-in"
SETTINGS_PAGES = (
    SettingsPage("profile", "You", "Profile", PROFILE, "user", 10, "name time zone account"),
    SettingsPage("sign-in", "You", "Sign-in and tokens", SIGN_IN, "key-round", 20, "password browsers sessions api"),
    SettingsPage(
        "appearance", "You", "Keyboard and appearance", f"{HOME}/appearance", "keyboard", 40, "theme dark light keys"
    ),
)
TEMPLATES = {
    "profile": "people/accounts/profile.html",
    "sign-in": "people/accounts/sign_in_and_tokens.html",
    "appearance": "people/accounts/appearance.html",
}
SAVED = {
    "profile": "Your profile is saved.",
    "away": "It is saved who is asked while you are away.",
    "password": "Your password is changed. Other browsers were signed out.",
    "sessions": "Other browsers were signed out.",
    "session": "The browser is signed out.",
    "tokens": "The token is revoked.",
    "linked": "Your account is linked. Other browsers were signed out.",
}


@pages.get(HOME, endpoint="settings")
@pages.get(PROFILE)
async def profile() -> str:
    """Show the profile; at /settings, where there is no room for the navigation beside it, the navigation."""
    return await _page(await signed_in(), "profile")


@pages.get(SIGN_IN)
async def sign_in_and_tokens() -> str:
    """Show the password, signed-in browsers and personal tokens."""
    return await _page(await signed_in(), "sign-in")


@pages.get(f"{HOME}/appearance")
async def appearance() -> str:
    """Show what is chosen for this browser."""
    return await _page(await signed_in(), "appearance")


@pages.get("/settings/live")
async def live() -> Response:
    """Keep the shell of a page without a stream of its own live; `active` is its place in the sidebar."""
    active = request.args.get("active") or "settings"

    async def look(viewer: Actor, reads: Reads) -> View:
        return View(actor=viewer, active=active, reads=reads)

    return await live_page(await signed_in(), look)


async def _page(actor: Actor, key: str, **changes: object) -> str:
    user = await User.get(id=actor.id)
    (kind, session_id), provider = actor.credential, current_app.config["SETTINGS"].sign_in_provider
    ticket = ""
    if provider and kind == "session" and session_id is not None and not user.is_linked:
        ticket = link_ticket(session_id, current_app.config["SECRET_KEY"])
    saved = request.args.get("saved", "") if request.method == "GET" else ""
    context = {
        "user": user,
        "profile": entrance.ProfileForm.shown(user),
        "away": entrance.AwayForm.shown(user),
        "colleagues": await colleagues_of(actor) if key == "profile" else [],
        "zones": zones(),
        "browsers": sorted(await sessions_of(actor, user), key=lambda one: not one.is_this),
        "tokens": await Token.filter(user_id=user.id, revoked_at=None).order_by("-created_at"),
        "terminals": await terminals_of.function(actor) if terminals_of.function and key == "sign-in" else [],
        "now": times.clock_now(),
        # The identity provider's name (or ""), whether the account is linked, and a ticket to link it.
        "provider": {"name": provider, "is_linked": user.is_linked, "ticket": ticket},
        "saved": saved if saved in SAVED else "",
        "sentences": SAVED,
        "section": "",
        "errors": {},
        "values": {},
        "secret": "",
    }
    return await settings_page(actor, TEMPLATES[key], key, **(context | changes))


def _refused_in(key: str, section: str, typed: str = "values") -> Refusing:
    """Show the reasons, and what was typed, in one section; an error page when it is not about what was typed."""

    async def refused(refusal: Refusal[Any, Any]) -> ResponseReturnValue:
        refusal.only(EditConflict, FormInvalid, Invalid)
        values = {} if section == "password" else {typed: refusal.values}
        return await _page(refusal.actor, key, section=section, errors=refusal.errors, **values)

    return refused


async def _me(actor: Actor) -> User:
    return await User.get(id=actor.id)


@action(pages, PROFILE, form=entrance.ProfileForm, at=_me, refused=_refused_in("profile", "profile", "profile"))
async def update_me(outcome: Outcome[None, entrance.ProfileForm]) -> ResponseReturnValue:
    """Change name and time zone."""
    return go(f"{PROFILE}?saved=profile")


@action(
    pages, f"{HOME}/away", performs="update_me", form=entrance.AwayForm, at=_me,
    refused=_refused_in("profile", "away", "away"),
)  # fmt: skip
async def change_absence(outcome: Outcome[None, entrance.AwayForm]) -> ResponseReturnValue:
    """Change until when one is away, and who is asked instead."""
    return go(f"{PROFILE}?saved=away#away")


@action(pages, "/settings/password", refused=_refused_in("sign-in", "password"))
async def change_my_password(outcome: Outcome[User, PasswordChange]) -> ResponseReturnValue:
    """Change the password."""
    return go(f"{SIGN_IN}?saved=password#password")


@action(pages, "/settings/sessions/endings")
async def end_my_other_sessions(outcome: Outcome[User, None]) -> ResponseReturnValue:
    """Sign other browsers out."""
    return go(f"{SIGN_IN}?saved=sessions#sessions")


@action(pages, "/settings/sessions/<uuid:session_id>/endings")
async def end_my_session(outcome: Outcome[Session, None]) -> ResponseReturnValue:
    """Sign one browser out."""
    return go(f"{SIGN_IN}?saved=session#sessions")


@action(pages, "/settings/endings")
async def end_my_access(outcome: Outcome[User, None]) -> ResponseReturnValue:
    """End every session, this one too, every personal token and every link for a new password."""
    logout_user()
    return go("/sign-in")


@action(pages, "/settings/tokens", form=entrance.TokenForm, refused=_refused_in("sign-in", "tokens"))
async def create_my_token(outcome: Outcome[User, entrance.TokenForm]) -> ResponseReturnValue:
    """Create a personal token and show it, once."""
    return await _page(outcome.actor, "sign-in", section="tokens", secret=outcome.answer.token)


@action(pages, "/settings/tokens/<uuid:token_id>/revocations")
async def revoke_my_token(outcome: Outcome[Token, None]) -> ResponseReturnValue:
    """Revoke a personal token."""
    return go(f"{SIGN_IN}?saved=tokens#tokens")


@pages.get(f"{PROFILE}/deletion")
async def deletion() -> str:
    """Ask before the account is deleted, with everything that goes with it."""
    return await _deletion(await signed_in(), None, {}, {})


async def _deletion(actor: Actor, _: object, values: Fields, errors: dict[str, str]) -> str:
    fates = await select(
        Fate,
        "SELECT o.name, CASE WHEN NOT EXISTS (SELECT 1 FROM organization_members x"
        " WHERE x.organization_id = o.id AND x.user_id <> m.user_id) THEN 'deleted'"
        " WHEN m.role = 'owner' AND NOT EXISTS (SELECT 1 FROM organization_members x"
        " WHERE x.organization_id = o.id AND x.user_id <> m.user_id AND x.role = 'owner') THEN 'ownerless'"
        " ELSE 'left' END AS kind"
        " FROM organization_members m JOIN organizations o ON o.id = m.organization_id WHERE m.user_id = ?"
        " ORDER BY LOWER(o.name), o.id",
        actor.id,
    )
    fates.sort(key=lambda one: ("ownerless", "deleted", "left").index(one.kind))
    user = await User.get(id=actor.id)
    return await settings_page(actor, "people/accounts/deletion.html", "profile", user=user, fates=fates, errors=errors)


@action(pages, f"{PROFILE}/deletion", form=entrance.DeleteAccountForm, refused=again(_deletion, FormInvalid, Invalid))
async def delete_me(outcome: Outcome[None, entrance.DeleteAccountForm]) -> ResponseReturnValue:
    """Delete the account, and with it the session of this browser."""
    logout_user()
    return go("/sign-in")


welcome_pages = Blueprint("welcome_pages", __name__)
WELCOME = "/welcome"


@welcome_pages.get(WELCOME)
async def welcome() -> str:
    """Ask for name and time zone."""
    actor = await signed_in()
    user = await User.get(id=actor.id)
    values = {"name": user.name or "", "timezone": user.timezone or "", "next": safe_next(request.args.get("next"))}
    return await _welcome_page(actor, None, values, {})


async def _welcome_page(actor: Actor, _: object, values: Fields, errors: dict[str, str]) -> str:
    return await render_template("people/accounts/welcome.html", values=values, errors=errors, zones=zones())


@action(
    welcome_pages,
    WELCOME,
    performs="update_me",
    form=entrance.WelcomeForm,
    refused=again(_welcome_page, FormInvalid, Invalid),
)
async def save(outcome: Outcome[None, entrance.WelcomeForm]) -> ResponseReturnValue:
    """Save both, and go on."""
    return go(safe_next(outcome.form.next))


account_pages = Blueprint("accounts_pages", __name__)


@account_pages.get("/setup")
async def setup_form() -> ResponseReturnValue:
    """Show the setup form."""
    return await _setup_page({}, {}) if await first_run.is_open() else redirect("/sign-in", 303)


async def _setup_page(values: Fields, errors: dict[str, str]) -> str:
    return await render_template("people/accounts/setup.html", values=values, errors=errors)


async def _not_set_up(refusal: Typed[SetupForm]) -> ResponseReturnValue:
    if isinstance(refusal.error, Conflict) or not await first_run.is_open():
        return go("/sign-in")
    refusal.only(FormInvalid)
    return await _setup_page(refusal.values, refusal.errors)


@session_action(account_pages, "/setup", performs=entrance.set_up, form=SetupForm, refused=_not_set_up)
async def set_up(form: SetupForm, _: None) -> ResponseReturnValue:
    """Create the first owner and sign them in."""
    return go("/")


@account_pages.get("/sign-in")
async def sign_in_form() -> ResponseReturnValue:
    """Ask for e-mail and password."""
    if await first_run.is_setup_pending():
        return redirect("/setup", 303)
    wanted = safe_next(request.args.get("next"))
    if await authentication.user_by_session():
        return redirect(wanted, 303)
    return await sign_in_page({"next": wanted}, {})


async def sign_in_page(values: Fields, errors: dict[str, str]) -> str:
    name = current_app.config["SETTINGS"].sign_in_provider
    return await render_template(
        "people/accounts/sign_in.html", values=values, errors=errors, provider=name, sends_mail=entrance.sends_mail()
    )


@session_action(
    account_pages, "/sign-in", performs=entrance.sign_in, form=entrance.SignInForm, refused=typed_again(sign_in_page)
)
async def enter(form: entrance.SignInForm, _: None) -> ResponseReturnValue:
    """Start a session; go on, once by what is missing in the profile."""
    wanted = safe_next(form.next)
    is_asked = not wanted.startswith("/invitations/") and await entrance.is_to_be_welcomed(form.email)
    return go(f"/welcome?next={quote(wanted)}" if is_asked else wanted)


@account_pages.get("/sign-in/forgotten")
async def forgotten_form() -> str:
    """Ask whose password is forgotten."""
    if not entrance.sends_mail():
        raise NotFound(entrance.NO_SERVER)
    return await _forgotten_page({}, {})


async def _forgotten_page(values: Fields, errors: dict[str, str], *, is_sent: bool = False) -> str:
    return await render_template("people/accounts/forgotten.html", values=values, errors=errors, is_sent=is_sent)


@session_action(
    account_pages,
    "/sign-in/forgotten",
    performs=entrance.ask,
    form=entrance.ForgottenForm,
    refused=typed_again(_forgotten_page),
)
async def forgotten(form: entrance.ForgottenForm, _: None) -> ResponseReturnValue:
    """Send a link for a new password, and say so whether there is an account or not."""
    return await _forgotten_page({"email": form.email}, {}, is_sent=True)


@session_action(account_pages, "/sign-out", performs=entrance.leave)
async def leave(form: None, _: None) -> ResponseReturnValue:
    """End this browser's session."""
    return go("/sign-in")


@account_pages.get("/reset/<secret>")
async def reset_form(secret: str) -> ResponseReturnValue:
    """Show the form for a new password."""
    return await _reset_page(secret, {})


async def _reset_page(secret: str, errors: dict[str, str], *, ends_others: bool = True) -> str:
    user = await User.get(id=(await entrance.live_reset(secret)).user_id)
    values = {"name": user.display_name, "email": user.email or "", "ends_others": ends_others}
    return await render_template("people/accounts/reset.html", errors=errors, **values)


async def _not_reset(refusal: Typed[entrance.ResetForm], secret: str) -> ResponseReturnValue:
    refusal.only(FormInvalid)
    ends_others = refusal.values.get("ends_others") != "false"
    return await _reset_page(secret, refusal.errors, ends_others=ends_others)


@session_action(account_pages, "/reset/<secret>", performs=entrance.reset, form=entrance.ResetForm, refused=_not_reset)
async def reset(form: entrance.ResetForm, is_signed_in: bool) -> ResponseReturnValue:
    """Set the new password, use the link up and sign the person in."""
    return go("/" if is_signed_in else "/sign-in")


ENTRY = PaletteEntry("Settings", "/settings", "settings", "profile password token theme", position=50)
