"""Signing in at a terminal: a token into a file that only this user reads, and out of it again."""

from __future__ import annotations

import os
import sys

from mission_control.client import credentials, files, origin, words
from mission_control.client.api import Api, plain
from mission_control.client.problems import NotSignedIn, Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def sign_in(given: Namespace) -> None:
    """Store a token of an agent, after the server has said whose it is."""
    is_allowed = given.allow_http or os.environ.get(credentials.ALLOW_HTTP, "").lower() in credentials.YES
    url = credentials.checked_url(_url(given), is_allowed)
    token = _typed_token()
    path = credentials.path_of(given.connection)
    api = Api(credentials.Connection(url, token, "what you typed", http=is_allowed))
    who = api.call("GET", "/api/v1/agent/healthz")
    credentials.save(given.connection, url, token, http=is_allowed)
    until = f"until {words.moment(who['token_expires_at'])}" if who["token_expires_at"] else "without an end"
    print(plain(f"Signed in at {url}, {until}. The token is in {path}; `{credentials.called()} status` says more."))


def _url(given: Namespace) -> str:
    found = given.url or os.environ.get(credentials.URL, "") or origin.URL
    if not found:
        raise Usage(f"At which server? `{credentials.called()} sign-in https://board.example.org`")
    return str(found)


def _typed_token() -> str:
    if not sys.stdin.isatty():
        token = sys.stdin.readline()
    else:
        from getpass import getpass

        token = getpass("The agent's token (it is not shown): ")
    if not token.strip():
        raise NotSignedIn("There was no token. Make one on the agent's page, under Tokens.")
    return token.strip()


def sign_out(given: Namespace) -> None:
    """Remove the file of a connection."""
    path = credentials.path_of(given.connection)
    if not files.remove(path):
        raise NotSignedIn(f"You are not signed in: there is no {path}.")
    print(f"Signed out: {path} is removed. Revoke the token on the agent's page if others may have it.")
