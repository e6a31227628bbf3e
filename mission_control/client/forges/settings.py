"""What the forges' own programs keep of hosts and tokens on this machine: gh is asked, files of glab and tea are read.

Of YAML only what these programs write is read: keys and plain values, one a line, by how far they are set in.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess

from mission_control.client import credentials

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LARGEST = 256 * 1024
SECONDS = 10.0
TOKEN = re.compile(r"[\x21-\x7e]{8,1000}")
LINE = re.compile(r"( *)(- )?([^\s:#][^:]*|[^\s:]+:[0-9]+):(?:\s+(.*?))?\s*")


def gh(host: str, environment: Mapping[str, str]) -> str:
    """The token that gh has for a host, as it would take it itself, from its file or the system's keyring."""
    program = shutil.which("gh", path=environment.get("PATH"))
    if program is None:
        return ""
    bare = {name: value for name, value in environment.items() if not name.startswith(credentials.PREFIX)}
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(
            [program, "auth", "token", "--hostname", host], env=bare, stdin=subprocess.DEVNULL, capture_output=True,
            timeout=SECONDS, check=False, cwd=os.path.abspath(os.sep),
        )  # fmt: skip
        return checked(done.stdout[:LARGEST].decode("ascii", "replace").strip()) if done.returncode == 0 else ""
    return ""


def glab(environment: Mapping[str, str]) -> dict[str, str]:
    """The tokens of glab's file, by host."""
    tokens: dict[str, str] = {}
    folder = environment.get("GLAB_CONFIG_DIR") or os.path.join(_configuration(environment), "glab-cli")
    is_inside, host = False, ""
    for depth, _, key, value in _lines(os.path.join(folder, "config.yml")):
        if depth == 0:
            is_inside, host = key == "hosts", ""
        elif is_inside and not value:
            host = key.lower()
        elif is_inside and host and key == "token":
            tokens[host] = checked(value)
    return tokens


def tea(environment: Mapping[str, str]) -> dict[str, str]:
    """The tokens of tea's file, by host."""
    tokens: dict[str, str] = {}
    login: dict[str, str] = {}
    is_inside = False
    for depth, is_first, key, value in _lines(os.path.join(_configuration(environment), "tea", "config.yml")):
        is_inside = key == "logins" if depth == 0 and not is_first else is_inside
        login = {} if is_first else login
        login[key] = value
        if is_inside and login.get("url") and login.get("token"):
            tokens.setdefault(host_in(login["url"]), checked(login["token"]))
    return tokens


def host_in(address: str) -> str:
    """The host of an address, with a port that is not the usual one; a bare host is one too."""
    match = re.fullmatch(r"(?:(https?)://)?([^/@]+)(?:/.*)?", address.strip().lower())
    if match is None:
        return ""
    host, _, port = match[2].partition(":") if not match[2].startswith("[") else (match[2], "", "")
    return f"{host}{port_of(match[1] or 'https', port)}"


def port_of(scheme: str, port: str) -> str:
    return f":{int(port)}" if port and int(port) != (443 if scheme == "https" else 80) else ""


def checked(token: str) -> str:
    """A token, or nothing where it could not stand in a header."""
    return token if TOKEN.fullmatch(token) else ""


def _configuration(environment: Mapping[str, str]) -> str:
    base = environment.get("XDG_CONFIG_HOME", "")
    home = environment.get("HOME") or os.path.expanduser("~")
    return base if os.path.isabs(base) else os.path.join(home, ".config")


def _lines(path: str) -> Iterator[tuple[int, bool, str, str]]:
    """How far each key is set in, whether it begins an entry of a list, the key and its value."""
    content = b""
    with contextlib.suppress(OSError), open(path, "rb") as file:
        content = file.read(LARGEST)
    for line in content.decode("utf-8", "replace").splitlines():
        if match := LINE.fullmatch(line):
            value = re.sub(r"^!!\w+ ", "", match[4] or "").strip()
            is_quoted = len(value) > 1 and value[0] in "'\"" and value[0] == value[-1]
            yield len(match[1]), bool(match[2]), match[3].strip("'\""), value[1:-1] if is_quoted else value
