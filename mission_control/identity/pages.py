"""Signing in with the identity provider: a link that leads there, and the way back."""

from quart import Blueprint, Response, current_app, request
from quart.typing import ResponseReturnValue
from quart_auth import AuthUser, login_user

from mission_control.accounts.commands import start_session
from mission_control.accounts.models import User
from mission_control.core.actor import system
from mission_control.core.errors import Forbidden, NotFound
from mission_control.identity import flow
from mission_control.identity.bearer import Identity, identity
from mission_control.identity.people import person_behind
from mission_control.identity.remote import ProviderUnreachable
from mission_control.organizations.commands import NOWHERE
from mission_control.web.fragments import render_page
from mission_control.web.shell import safe_next

pages = Blueprint("identity_pages", __name__, url_prefix="/sign-in")
COOKIE = "mission_control_provider"


@pages.get("/provider")
async def depart() -> ResponseReturnValue:
    """Go to the provider."""
    known = _provider()
    wanted = safe_next(request.args.get("next"))
    attempt = flow.begin(wanted)
    try:
        response = _to(await flow.authorization_address(known, attempt, _way_back()))
    except ProviderUnreachable as error:
        return await _sign_in_page(wanted, error.sentence), error.status
    _set_cookie(response, flow.sealed(attempt, current_app.config["SECRET_KEY"]), flow.LIFE_SECONDS)
    return response


@pages.get("/callback")
async def arrive() -> ResponseReturnValue:
    """Come back from the provider, and start a session."""
    known = _provider()
    attempt = flow.unsealed(request.cookies.get(COOKIE), current_app.config["SECRET_KEY"])
    wanted = safe_next(attempt.next) if attempt else "/"
    try:
        user = await _who(known, attempt)
    except (Forbidden, ProviderUnreachable) as error:
        response = Response(await _sign_in_page(wanted, error.sentence), error.status, content_type="text/html")
    else:
        secret = await start_session(system(NOWHERE), user, request.headers.get("User-Agent"))
        login_user(AuthUser(secret), remember=True)
        response = _to(wanted)
    _set_cookie(response, "", 0)
    return response


async def _who(known: Identity, attempt: flow.Attempt | None) -> User:
    claims, access_token = await flow.finish(known, attempt, request.args.to_dict(), _way_back())
    person = await person_behind(claims, lambda: known.details(claims, access_token))
    user = await User.get_or_none(id=person) if person else None
    if user is None:
        raise Forbidden(flow.AGAIN)
    return user


def _provider() -> Identity:
    known = identity()
    if known is None or not known.provider.signs_in_pages:
        raise NotFound()
    return known


def _way_back() -> str:
    base = current_app.config["SETTINGS"].base_url or request.host_url.rstrip("/")
    return f"{base}/sign-in/callback"


def _to(address: str) -> Response:
    return Response("", 303, {"Location": address})


def _set_cookie(response: Response, value: str, seconds: int) -> None:
    response.set_cookie(
        COOKIE,
        value,
        max_age=seconds,
        path="/sign-in",
        httponly=True,
        secure=current_app.config["SETTINGS"].secure_cookies,
        samesite="Lax",  # the way back is a link from another site
    )


async def _sign_in_page(wanted: str, sentence: str) -> str:
    name = current_app.config["SETTINGS"].sign_in_provider
    return await render_page("accounts/sign_in.html", values={"next": wanted}, errors={"": sentence}, provider=name)
