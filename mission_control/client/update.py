"""The program replaces itself when the server that it came from has a newer one."""

from __future__ import annotations

import os
import stat
import sys
from hashlib import sha256

from mission_control import __version__
from mission_control.client import credentials, files, origin
from mission_control.client.api import Api
from mission_control.client.problems import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

MARK = b"#!/usr/bin/env python3\n"


def is_newer(theirs: str, ours: str = __version__) -> bool:
    """Return whether a version is newer than another; what is no version is not."""
    numbers = [one.split(".") for one in (theirs, ours)]
    if not all(part.isdigit() for parts in numbers for part in parts):
        return False
    return [int(part) for part in numbers[0]] > [int(part) for part in numbers[1]]


def after_command(api: Api) -> None:
    """Replace the program when the server told of a newer one, for the next command. Nothing here ends a command."""
    path = credentials.program()
    if not path or api.connection.url != origin.URL or not is_newer(api.newest) or not _is_writable(path):
        return
    if os.path.exists(_switch()):
        return
    try:
        digest, _ = replace(api, path)
    except Problem as problem:
        print(f"The program could not be updated: {problem.text}", file=sys.stderr)
    except OSError as error:
        print(f"The program could not be updated: {error.strerror}.", file=sys.stderr)
    else:
        print(f"Updated from {__version__} to {api.newest} (SHA-256 {digest}).", file=sys.stderr)


def _switch() -> str:
    return os.path.join(files.folder_of("XDG_CONFIG_HOME", "~/.config"), "no-update")


def replace(api: Api, path: str) -> tuple[str, bool]:
    """Replace a file by the program of the server in one step; return its SHA-256, and whether it was another one."""
    content = api.answer("GET", "/client.pyz").body
    if not _is_program(content):
        raise Problem("What the server sent is not the program.", "no_program")
    digest = sha256(content).hexdigest()
    with open(path, "rb") as file:
        if file.read() == content:
            return digest, False
    files.write(os.path.realpath(path), content, stat.S_IMODE(os.stat(path).st_mode))
    return digest, True


def _is_program(content: bytes) -> bool:
    import io
    import zipfile

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            is_whole = archive.testzip() is None
            return is_whole and content.startswith(MARK) and "mission_control/client/__main__.py" in archive.namelist()
    except zipfile.BadZipFile:
        return False


def _is_writable(path: str) -> bool:
    real = os.path.realpath(path)
    return os.access(real, os.W_OK) and os.access(os.path.dirname(real), os.W_OK)


def update(given: Namespace) -> None:
    """Replace the program by the server's, whatever their versions are; or say whether it does so by itself."""
    if given.off:
        files.write(_switch(), b"")
        print("This program stays as it is, and so do the copies for hooks, until `update --on`.")
    elif given.on:
        files.remove(_switch())
        print("This program updates itself when the server that it came from is newer.")
    else:
        _update(Api(credentials.find(given.connection)))


def _update(api: Api) -> None:
    path = credentials.program()
    if not path:
        raise Problem("This command belongs to the installed package: update the package.", "not_the_program")
    if not _is_writable(path):
        raise Problem(f"{path} and its folder must be writable for that.", "not_writable")
    try:
        digest, is_other = replace(api, path)
    except OSError as error:
        raise Problem(f"{path} could not be replaced: {error.strerror}.", "not_writable") from error
    to = f"Updated from {__version__} to {api.newest or 'the version of the server'}" if is_other else "It is current"
    print(f"{to} (SHA-256 {digest}).")
