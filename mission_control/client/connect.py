"""Connect a program that somebody runs: its hooks, its tools and its telemetry lead to the board; and away again."""

from __future__ import annotations

import os
import re
import shlex
import sys
from argparse import Namespace

from mission_control.client import credentials, files, script, signing, spool
from mission_control.client.api import Api
from mission_control.client.changes import Kept
from mission_control.client.printing import line
from mission_control.client.problems import Busy, NotSignedIn, Problem, Unreachable, Usage
from mission_control.client.program import Program, keys, program_of, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypedDict

    class OwnConnection(TypedDict, total=False):
        """What the server tells a connection of itself, and of the rules of its board."""

        client: str
        board_must: list[str]
        board_allow: list[str]
        board_ask: list[str]


class Target:
    """Where a program is led: the server, the token and how it gets it, the command for its hooks."""

    def __init__(self, program: str, url: str, token: str, name: str, *, in_settings: bool, asks: bool) -> None:
        self.program, self.url, self.token, self.name = program, url, token, name
        self.in_settings, self.asks = in_settings, asks
        self.must: list[str] = []  # patterns of calls that are held until a person says yes

    @property
    def environment(self) -> dict[str, str]:
        if not self.in_settings:
            return {}
        is_open = self.url.startswith("http:") and not _is_loopback(self.url)
        more = {credentials.ALLOW_HTTP: "yes"} if is_open else {}
        return {credentials.TOKEN: self.token, credentials.URL: self.url, **more}

    def hook(self, client: str, seconds: int = 0) -> str:
        more = ["--seconds", str(seconds)] if seconds else []
        return shlex.join(["/bin/sh" if os.name == "posix" else "sh", script.path(), client, *more, *self._named])

    def headers(self, client: str) -> str:
        return f"{script.python_command()} {shlex.join(['hook', client, *self._named, '--headers'])}"

    def gate(self, client: str) -> str:
        must = [part for pattern in self.must for part in ("--must", pattern)]
        return f"{script.python_command()} {shlex.join(['gate', client, *must, *self._named])}" if must else ""

    @property
    def _named(self) -> list[str]:
        return ["--connection", self.name] if self.name else []


def _is_loopback(url: str) -> bool:
    return re.match(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:|/|$)", url) is not None


def connect(given: Namespace) -> None:
    """Connect a program, after every change was shown; or look whether it works."""
    client = program_of(given.client)
    installed, version = _installed(client)
    if given.check:
        _check(client, installed, version)
        return
    name, connection = _signed_in(given)
    kept = Kept(given.client)
    if connection is None:  # it is only shown what would change
        token, url = "...", credentials.checked_url(signing.url_of(given), given.allow_http)
    else:
        token, url = connection.token, connection.url
    # Where a program's settings have no place for the token, it reads the file of the connection itself.
    secret = client.secret_path(kept)
    in_settings = bool(secret) and not given.token_by_environment and not _is_in_repository(secret)
    asks = bool(client.mode) and (given.ask or kept.value.get("asks", False) or _wants(given, client.mode))
    target = Target(installed, url, token, name, in_settings=in_settings, asks=asks)
    rules: OwnConnection = _own_connection(Api(connection), "GET") if connection is not None else {}
    target.must = _held(given, kept, client, rules)
    changes = [one for one in client.changes(kept, target) if one.now != one.after]
    for change in changes:
        print(change.shown(token), end="\n\n")
    print(f"{'Then ' if changes else 'Its settings stay as they are. Then '}{client.plan}")
    if in_settings:
        print(
            "The token of this connection is in its settings, which only you may read: keep them out of repositories."
        )
    if target.must:
        print(
            f"These calls wait for a yes on the board: {line(', '.join(target.must))}."
            " If the board is down, they are refused. The agent runs as you do: it could take this out."
        )
    for patterns, words in (
        (rules.get("board_allow"), "run without asking"),
        (rules.get("board_ask"), "are asked for, whatever allows them"),
    ):
        if patterns:
            print(line(f"By the rules of the board these calls {words}: {', '.join(patterns)}."))
    if given.dry_run or connection is None:
        print("Nothing was changed.")
        return
    if not given.yes and not _agrees("Do that?"):
        raise Usage("Nothing was changed. `--yes` agrees for a script.", "not_agreed")
    _keep_own_copy()
    kept.write(changes)
    kept.save(name=name, url=url, version=version, asks=asks, must=given.must or kept.value.get("must", []))
    print(client.finish(kept, target))
    _own_connection(Api(connection), "PUT", {"client_version": version, "must": target.must})
    print(f"{client.name} {version} is connected. Start it as always.")
    if secret and not in_settings:
        print(f"Its shell has to set {credentials.TOKEN}: `set -a; . '{connection.path}'; set +a`.")
    print(f"`{credentials.called()} connect {given.client} --check` tries all of it without a model.")


def _held(given: Namespace, kept: Kept, client: Program, rules: OwnConnection) -> list[str]:
    from mission_control.client.shell.patterns import trouble

    own = given.must or kept.value.get("must", [])
    for pattern in own:
        if why := trouble(pattern, allows=False):
            raise Usage(f"{pattern}: {why}")
    found = list(dict.fromkeys([*own, *rules.get("board_must", [])]))
    if found and not client.holds:
        raise Problem(
            f"{client.name} cannot be held until somebody says yes: its hooks let calls go on when they get no answer.",
            "cannot_hold",
        )
    return found


def _own_connection(api: Api, method: str, body: object = None) -> OwnConnection:
    try:
        own: OwnConnection = api.call(method, signing.OWN_CONNECTION, body)
    except (NotSignedIn, Unreachable, Busy):
        raise
    except Problem:  # an agent's own token, of no connection
        return {}
    return own


def disconnect(given: Namespace) -> None:
    """Take everything of ours out of a program, and end its connection."""
    client, kept = program_of(given.client), Kept(given.client)
    if not kept.is_there:
        raise Problem(f"{client.name} is not connected by this user on this machine.", "not_connected")
    name = kept.value.get("name", "")
    said = [kept.restore(path, strip) for path, strip in client.strips(kept).items()]
    if installed := _which(client.command):
        said.append(client.remove_tools(installed))
    kept.forget()
    spool.Spool(given.client, name).forget()
    if not any(Kept(key).is_there for key in keys()):
        files.remove(script.own_copy())
        files.remove(script.path())
    print("\n".join(one for one in said if one))
    try:
        signing.sign_out(Namespace(connection=name))
    except NotSignedIn as problem:
        print(problem.text)


def _which(command: str) -> str:
    import shutil

    return shutil.which(command) or ""


def _installed(client: Program) -> tuple[str, str]:
    path = _which(client.command)
    if not path:
        raise Problem(f"There is no {client.command} here. Install {client.name} first.", "no_program")
    _, output = run(path, ["--version"])
    version = re.search(r"\d+(\.\d+)+", output)
    least = ".".join(map(str, client.least))
    if version is None or tuple(map(int, version[0].split("."))) < client.least:
        has = version[0] if version else "of no version that it tells"
        raise Problem(f"{client.name} is {has}; {least} or newer is needed. {client.update}", "too_old")
    return path, version[0]


def _signed_in(given: Namespace) -> tuple[str, credentials.Connection | None]:
    """Return the name of the connection for a program, and the connection, signed in if it was not.

    It is the usual one, if that is this program's or there is none, else one with the program's name.
    """
    for name in [given.connection] if given.connection else ["", given.client]:
        connection = credentials.stored(name)
        if connection is not None:
            try:
                if given.connection or _is_of(connection, given.client):
                    return name, connection
                continue
            except NotSignedIn:  # its token has ended
                pass
        if not given.dry_run:
            signing.sign_in(Namespace(**{**vars(given), "connection": name, "with_token": False}))
        return name, credentials.stored(name)
    raise Usage(f"The connection {given.client} is of another program. Choose a name by --connection.", "other_program")


def _is_of(connection: credentials.Connection, client: str) -> bool:
    return _own_connection(Api(connection), "GET").get("client") == client


def _is_in_repository(path: str) -> bool:
    folder = os.path.dirname(os.path.realpath(path))
    while folder != os.path.dirname(folder):
        git = os.path.join(folder, ".git")
        if os.path.isfile(git) or os.path.exists(os.path.join(git, "HEAD")):  # else git takes it for none either
            return True
        folder = os.path.dirname(folder)
    return False


def _wants(given: Namespace, question: str) -> bool:
    return not given.yes and not given.dry_run and _agrees(question)


def _agrees(question: str) -> bool:
    if sys.stdin is None or not sys.stdin.isatty():
        return False
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def _keep_own_copy() -> None:
    if path := credentials.program():
        with open(path, "rb") as file:
            content = file.read()
        files.write(script.own_copy(), content, 0o700)
    script.write()


def _check(client: Program, installed: str, version: str) -> None:
    kept = Kept(client.key)
    connection = credentials.stored(kept.value.get("name", ""))
    if not kept.is_there or connection is None:
        called = f"`{credentials.called()} connect {client.key}`"
        raise Problem(f"{client.name} is not connected: {called}.", "not_connected")
    from mission_control.client.checking import checks

    api = Api(connection)
    found = checks(api, client, installed, version)
    _own_connection(api, "PUT", {"client_version": version, "checks": found})
    for check in found:
        print(line(f"{check['state']:7}{check['name']}: {check['text']}"))
    if any(check["state"] == "failed" for check in found):
        raise Problem("", "check_failed")
