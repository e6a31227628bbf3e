"""How the session of a browser begins with the identity provider: the redirect to it, and the way back."""

from typing import Any

from quart import Response, current_app, request
from quart.typing import ResponseReturnValue

from mission_control.accounts.entrance import begin_session
from mission_control.accounts.models import User
from mission_control.accounts.pages import sign_in_page
from mission_control.accounts.provider_links import session_of_ticket
from mission_control.authn import authentication
from mission_control.authn.credentials import live_session
from mission_control.core.errors import Conflict, Forbidden, NotFound
from mission_control.identity import flow
from mission_control.identity.bearer import Identity, identity
from mission_control.identity.people import link, person_behind
from mission_control.identity.profile import profile_of_claims
from mission_control.identity.remote import ProviderUnreachable
from mission_control.web.shell import safe_next

COOKIE = "mission_control_provider"
LINKED = "/settings/sign-in?saved=linked#sign-in"


async def depart() -> ResponseReturnValue:
    """Redirect to the provider."""
    known = _provider()
    wanted = safe_next(request.args.get("next"))
    attempt = flow.begin(wanted, await _linking())
    try:
        response = _to(await flow.authorization_address(known, attempt, _way_back()))
    except ProviderUnreachable as error:
        return await sign_in_page({"next": wanted}, {"": error.sentence}), error.status
    _set_cookie(response, flow.sealed(attempt, current_app.config["SECRET_KEY"]), flow.LIFE_SECONDS)
    return response


async def arrive() -> ResponseReturnValue:
    """Take the provider's answer and start a session."""
    known = _provider()
    attempt = flow.unsealed(request.cookies.get(COOKIE), current_app.config["SECRET_KEY"])
    wanted = safe_next(attempt.next) if attempt else "/"
    try:
        response = _to(await _arrived(known, attempt, wanted))
    except (Forbidden, Conflict, ProviderUnreachable) as error:
        response = Response(
            await sign_in_page({"next": wanted}, {"": error.sentence}), error.status, content_type="text/html"
        )
    _set_cookie(response, "", 0)
    return response


async def _linking() -> str:
    """Return the session whose account is to be linked, empty for a sign-in. Raises Forbidden for another's ticket."""
    ticket = request.args.get("link")
    if ticket is None:
        return ""
    session, wanted = await live_session(), session_of_ticket(ticket, current_app.config["SECRET_KEY"])
    if session is None or session[1] != wanted:
        raise Forbidden(flow.AGAIN)
    return str(wanted)


async def _arrived(known: Identity, attempt: flow.Attempt | None, wanted: str) -> str:
    """Sign the person in, or link their account. Return the page to go to."""
    claims, access_token = await flow.finish(known, attempt, request.args.to_dict(), _way_back())
    if attempt is not None and attempt.link:
        await _link(claims, attempt.link)
        return LINKED
    person = await person_behind(known.provider, claims, lambda: known.details(claims, access_token))
    user = await User.get_or_none(id=person.id) if person else None
    if person is None or user is None:
        raise Forbidden(flow.AGAIN)
    await begin_session(user)
    return LINKED if person.is_newly_linked else wanted


async def _link(claims: dict[str, Any], session_id: str) -> None:
    session, actor = await live_session(), await authentication.user_by_session()
    if session is None or actor is None or str(session[1]) != session_id:
        raise Forbidden(flow.AGAIN)
    await link(actor, await User.get(id=actor.id), profile_of_claims(claims), session[1])


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
