"""Which server, and by which token. A token is never an argument, because others see those in the process list."""

from __future__ import annotations

import os
import re
import sys

from mission_control.client import files, origin
from mission_control.client.problems import NotSignedIn, Usage

URL, TOKEN, ALLOW_HTTP = "MISSION_CONTROL_URL", "MISSION_CONTROL_TOKEN", "MISSION_CONTROL_ALLOW_HTTP"
PREFIX, WORKSPACE = "MISSION_CONTROL_", "AUTH_TOKEN"  # the second is of the files of a workspace
LOOPBACK = ("localhost", "127.0.0.1", "::1")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
WORKSPACE_FILES = ("TOOLS.md", "AGENTS.md")
LINE = re.compile(r"^\s*(?:[-*]\s+)?`?\s*(?:export\s+)?([A-Z_]+)\s*[=:]\s*(.*?)\s*`?\s*$")
YES = ("1", "true", "yes")


class Connection:
    """A server and a token for it; `source` is where they stand, `path` the file if it is one of ours."""

    def __init__(
        self, url: str, token: str, source: str, *, board_id: str = "", path: str = "", http: bool = False
    ) -> None:
        self.url, self.token, self.source = checked_url(url, http), token, source
        self.board_id, self.path = board_id, path
        if not token.isascii() or not token.isprintable() or " " in token:
            raise NotSignedIn(f"The token in {source} is none. {how_to_sign_in()}")


def path_of(name: str) -> str:
    folder = files.folder_of("XDG_CONFIG_HOME", "~/.config")
    if not name:
        return os.path.join(folder, "connect.env")
    if not NAME.fullmatch(name):
        raise Usage("The name of a connection has letters, digits, dots, dashes and underscores.")
    return os.path.join(folder, "connections", f"{name}.env")


def checked_url(url: str, http: bool) -> str:
    """Return the address of a server without its last slash. Plain http is for this machine, unless told."""
    url = url.strip().rstrip("/")
    match = re.fullmatch(r"(https?)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?(/[^\s?#]*)?", url)
    if match is None:
        raise Usage(f"{url or 'Nothing'!s} is no address of a server, such as https://board.example.org.")
    if match[1] == "http" and match[2].strip("[]") not in LOOPBACK and not http:
        raise Usage(
            f"{url} is not encrypted: everybody on the way could read the token. Use https://, or set {ALLOW_HTTP}=yes"
            " if you trust the network."
        )
    return url


def find(name: str) -> Connection:
    allowed = os.environ.get(ALLOW_HTTP, "").lower() in YES
    if token := os.environ.get(TOKEN, ""):
        if name:
            print(f"{TOKEN} is set, so the connection {name} is not used.", file=sys.stderr)
        url = os.environ.get(URL, "") or origin.URL
        if not url:
            raise NotSignedIn(f"{TOKEN} is set, but not {URL}, the address of the server.")
        return Connection(url, token, "the environment", http=allowed)
    if not name and (found := _in_workspace()) is not None:
        return found
    connection = stored(name, allowed)
    if connection is None:
        known = f" There is no connection {name}." if name else ""
        raise NotSignedIn(f"You are not signed in.{known} {how_to_sign_in()}")
    return connection


def stored(name: str, allowed: bool = False) -> Connection | None:
    path = path_of(name)
    content = files.read_private(path)
    if content is None:
        return None
    values = values_in(content)
    token = values.get(TOKEN, "")
    if not token:
        raise NotSignedIn(f"There is no token in {path}. {how_to_sign_in()}")
    allowed = allowed or values.get(ALLOW_HTTP, "").lower() in YES
    return Connection(values.get(URL, ""), token, path, path=path, http=allowed)


def save(name: str, url: str, token: str, *, http: bool) -> str:
    """Write the file of a connection, and return its path."""
    path = path_of(name)
    lines = [f"{URL}={url}", f"{TOKEN}={token}", *([f"{ALLOW_HTTP}=yes"] if http else [])]
    files.write(path, "".join(f"{line}\n" for line in lines).encode())
    return path


def values_in(text: str) -> dict[str, str]:
    """Return what stands in lines such as `KEY=value`, also as people write them. The first of two counts."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = LINE.match(line)
        if match is not None:
            value = match[2]
            found.setdefault(match[1], value[1:-1] if value[:1] in "'\"" and value[:1] == value[-1:] else value)
    return found


def program() -> str:
    """Return the file that runs, "" when it is the command of the installed package."""
    return str(getattr(globals().get("__loader__"), "archive", ""))


def _in_workspace() -> Connection | None:
    """Return what the files of a gateway's workspace say, beside its `mc`; a repository with `client.pyz` is none."""
    if not (path := program()) or path.endswith(".pyz"):
        return None
    for name in WORKSPACE_FILES:
        try:
            with open(os.path.join(os.path.dirname(os.path.abspath(path)), name), encoding="utf-8") as file:
                values = values_in(file.read())
        except (OSError, UnicodeError):
            continue
        if values.get(WORKSPACE):
            # The server wrote this address itself: the people who run it said that its network will do.
            url, board = values.get("BASE_URL", ""), values.get("BOARD_ID", "")
            return Connection(url, values[WORKSPACE], name, board_id=board, http=True)
    return None


def environment() -> dict[str, str]:
    """Return this environment for other programs: without the token and all else that is ours."""
    return {name: value for name, value in os.environ.items() if not name.startswith(PREFIX) and name != WORKSPACE}


def how_to_sign_in() -> str:
    return f"Run `{called()} sign-in`, or set {URL} and {TOKEN}."


def called() -> str:
    path = program()
    if not path:
        return "mission-control"
    return f"python3 {os.path.basename(path)}" if path.endswith(".pyz") else f"./{os.path.basename(path)}"
