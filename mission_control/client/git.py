"""What was committed in the repository where the program runs."""

from __future__ import annotations

import re
import subprocess
import sys

from mission_control.client.problems import Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LONGEST_DIFF, MOST_COMMITS = 1_000_000, 100
DIFF = ("diff", "--no-color", "--no-ext-diff", "--no-textconv", "--find-renames", "--src-prefix=a/", "--dst-prefix=b/")


def code_since(base: str) -> dict[str, Any]:
    """Return the commits since a base, the main branch of origin if it is empty, with branch and diff."""
    head = _git("rev-parse", "--verify", "HEAD^{commit}")
    start = _git("merge-base", _commit(base), head)
    log = _git("log", "--reverse", "--format=%H%x09%s", f"{start}..{head}").splitlines()
    commits = [line.partition("\t") for line in log]
    branch = _git("rev-parse", "--abbrev-ref", "HEAD")
    found: dict[str, Any] = {
        "base": start,
        "head": head,
        "commits": [{"id": one, "title": title[:500]} for one, _, title in commits[-MOST_COMMITS:]],
        "diff": _cut(_git(*DIFF, start, head, strip=False)),
    }
    if branch != "HEAD":
        found["branch"] = branch[:255]
    if _git("status", "--porcelain"):
        print("What is not committed is not in it.", file=sys.stderr)
    return found


def _commit(base: str) -> str:
    """Return what a base names; without one, the main branch of origin or of this repository."""
    if base.startswith("-"):
        raise Usage(f"{base} is no commit.")
    for name in [base] if base else ["origin/HEAD", "origin/main", "origin/master", "main", "master"]:
        found = _run("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        if found.returncode == 0:
            return found.stdout.decode().strip()
    raise Usage(f"There is no commit {base} here." if base else "Name the commit that you began with: --code BASE.")


def _cut(diff: str) -> str:
    """Return the files of a diff that fit; those that do not are left out whole, with a word about it."""
    if len(diff) <= LONGEST_DIFF:
        return diff
    kept, size = [], 0
    files = re.split(r"(?m)^(?=diff --git )", diff)
    for one in files:
        if size + len(one) <= LONGEST_DIFF:
            kept.append(one)
            size += len(one)
    print(f"{len(files) - len(kept)} files are left out of the diff: it is too long.", file=sys.stderr)
    return "".join(kept)


def _git(*words: str, strip: bool = True) -> str:
    done = _run(*words)
    if done.returncode != 0:
        why = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise Usage(f"git {words[0]} failed: {why[-1] if why else 'it says nothing'}")
    text = done.stdout.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    return text.strip() if strip else text


def _run(*words: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", *words], capture_output=True, check=False)
    except OSError as error:
        raise Usage(f"git cannot be run: {error.strerror}.") from error
