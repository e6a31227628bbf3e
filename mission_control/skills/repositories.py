"""Addresses of repositories and of skills in them."""

import re
from urllib.parse import unquote

from mission_control.core.addresses import parts_of
from mission_control.core.errors import Refused

OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,99})")
REPOSITORY = re.compile(r"[A-Za-z0-9._-]{1,100}")
BRANCH = re.compile(r"[A-Za-z0-9._/-]{1,255}")
HOST = "github.com"
EXPECTED = "A pack is a repository of GitHub: https://github.com/<owner>/<repository>."


def repository_url(text: str) -> str:
    """Return the canonical address of a repository. Raises Refused for anything but GitHub over https."""
    parts = parts_of(text.strip())
    if parts.scheme != "https":
        raise Refused(f"A pack cannot be read over {parts.scheme[:20]!r}; use https.")
    if parts.netloc.lower() != HOST or parts.query or parts.fragment:
        raise Refused(EXPECTED)
    owner, _, name = parts.path.strip("/").removesuffix(".git").partition("/")
    if not OWNER.fullmatch(owner) or not REPOSITORY.fullmatch(name) or name in (".", ".."):
        raise Refused(EXPECTED)
    return f"https://{HOST}/{owner}/{name}"


def usable_branch(text: str) -> str:
    """Return the branch, `main` for an invalid name."""
    text = text.strip()
    return text if BRANCH.fullmatch(text) and not text.startswith("-") else "main"


def name_from(url: str) -> str:
    """Return a name derived from an address: its last part in words."""
    last = unquote(parts_of(url).path.rstrip("/").rpartition("/")[2]).removesuffix(".git")
    return re.sub(r"[-_\s]+", " ", last).replace("\x00", "").strip() or "Skill"
