"""Signing in at a terminal: by a code that a person approves in a browser (RFC 8628), or with an agent's token.

The token goes into a file that only its user reads.
"""

from __future__ import annotations

import getpass
import os
import platform
import sys

from mission_control.client import clock, credentials, files, origin, words
from mission_control.client.api import Api
from mission_control.client.printing import line, plain
from mission_control.client.problems import Busy, Nothing, NotSignedIn, Problem, Unreachable, Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

CLIENT_ID, SCOPE, GRANT = "mission-control-client", "connect", "urn:ietf:params:oauth:grant-type:device_code"
OWN_CONNECTION = "/api/v1/connect/connection"
SLOWER = 5  # seconds, as RFC 8628 has it


def sign_in(given: Namespace) -> None:
    """Store a token, after the server has said whose it is."""
    is_allowed = given.allow_http or os.environ.get(credentials.ALLOW_HTTP, "").lower() in credentials.YES
    url = credentials.checked_url(url_of(given), is_allowed)
    _refuse_second(given.connection, is_allowed)
    files.make_folder(credentials.path_of(given.connection))  # before there is a token that could not be kept
    nobody = Api(credentials.Connection(url, "", "nothing yet", http=is_allowed))
    if given.with_token:
        token, said = _typed_token(), "with a token"
    else:
        answer = _approved(nobody, given)
        token = answer["access_token"]
        said = line(f"as {answer['agent']['name']} on the board “{answer['board']['name']}”")
    api = Api(credentials.Connection(url, token, "what you typed", http=is_allowed))
    who = api.call("GET", "/api/v1/agent/healthz")
    path = credentials.save(given.connection, url, token, http=is_allowed)
    until = f"until {words.moment(who['token_expires_at'])}" if who["token_expires_at"] else "without an end"
    print(f"Signed in {said} at {url}, {until}. The token is in {path}; `{credentials.called()} status` says more.")


def url_of(given: Namespace) -> str:
    found = given.url or os.environ.get(credentials.URL, "") or origin.URL
    if not found:
        raise Usage(f"At which server? `{credentials.called()} sign-in https://board.example.org`")
    return str(found)


def _refuse_second(name: str, is_allowed: bool) -> None:
    """Keep a token that is still good: it is shown nowhere again."""
    path = credentials.path_of(name)
    values = credentials.values_in(files.read_private(path) or "")
    url, token = values.get(credentials.URL, ""), values.get(credentials.TOKEN, "")
    if not token:
        return
    try:
        allowed = is_allowed or values.get(credentials.ALLOW_HTTP, "").lower() in credentials.YES
        Api(credentials.Connection(url, token, path, http=allowed)).call("GET", "/api/v1/agent/healthz")
    except NotSignedIn:
        return
    except (Unreachable, Busy, Usage):
        pass  # it may be good
    raise Usage(
        f"You are signed in already, at {url} ({path}). `{credentials.called()} sign-out` first, or keep both by"
        " --connection NAME.",
        "signed_in",
    )


def _approved(api: Api, given: Namespace) -> Any:
    """Show a code, and return the server's answer with the token when a person has approved it."""
    about = {
        "client": given.client,
        "host_label": platform.node(),
        "user_label": _user(),
        "system": platform.system(),
        "board": given.board or "",
        "agent": given.agent or "",
    }
    asked = _answered(api.form("/oauth/device_authorization", client_id=CLIENT_ID, scope=SCOPE, **about))
    minutes = max(1, round(asked["expires_in"] / 60))
    print(
        f"Open {line(asked['verification_uri'])} in a browser and enter {line(asked['user_code'])} (good for"
        f" {minutes} min), or open\n{line(asked['verification_uri_complete'])}\nand approve this terminal. Waiting ...",
        flush=True,
    )
    end, pause = clock.monotonic() + asked["expires_in"], asked.get("interval", 5)
    while clock.monotonic() < end:
        clock.sleep(pause)
        try:
            found = api.form("/oauth/token", client_id=CLIENT_ID, grant_type=GRANT, device_code=asked["device_code"])
        except Unreachable as problem:
            pause += SLOWER
            print(f"{problem.text} Trying again ...", file=sys.stderr, flush=True)
            continue
        error = found.value.get("error") if isinstance(found.value, dict) else None
        if error == "slow_down":
            pause += SLOWER
        if error not in ("slow_down", "authorization_pending"):
            return _answered(found)
    raise Nothing("The code has expired. Run the command again for a new one.", "expired_token")


def _answered(found: Any) -> Any:
    if found.status == 200 and isinstance(found.value, dict):
        return found.value
    error = found.value.get("error") if isinstance(found.value, dict) else None
    if error is None:
        if found.status == 404:
            raise Unreachable("This server is none, or one that cannot sign terminals in yet.", "no_json")
        raise Unreachable(f"The answer was {found.status}, and not one of Mission Control.", "no_json")
    text = plain(found.value.get("error_description") or error)
    if error == "slow_down":
        raise Busy(text, error)
    if error == "expired_token":
        raise Nothing(f"{text} Run the command again.", error)
    raise Problem(text, error)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def _typed_token() -> str:
    is_terminal = sys.stdin is not None and sys.stdin.isatty()
    token = (
        getpass.getpass("The agent's token (it is not shown): ")
        if is_terminal
        else files.typed().decode("ascii", "replace")
    )
    if not token.strip():
        raise NotSignedIn("There was no token. Make one on the agent's page, under Tokens.")
    return token.strip()


def sign_out(given: Namespace) -> None:
    """End a connection on the server, and remove its file."""
    path = credentials.path_of(given.connection)
    values = credentials.values_in(files.read_private(path) or "")
    if not values.get(credentials.TOKEN):
        if not files.remove(path):
            raise NotSignedIn(f"You are not signed in: there is no {path}.")
        print(f"Signed out: {path} is removed.")
        return
    allowed = values.get(credentials.ALLOW_HTTP, "").lower() in credentials.YES
    api = Api(credentials.Connection(values.get(credentials.URL, ""), values[credentials.TOKEN], path, http=allowed))
    try:
        api.call("DELETE", OWN_CONNECTION)
        said = "The connection has ended."
    except NotSignedIn:
        said = "Its token had ended before."
    except Unreachable as problem:
        said = f"{problem.text} The token goes on until you end it on the agent's page, under Tokens."
    except Problem:
        said = "The token is of an agent, and goes on: revoke it on the agent's page if others may have it."
    files.remove(path)
    print(f"Signed out: {path} is removed. {said}")
