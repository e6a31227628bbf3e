"""What was committed in a repository, by default the one where the program runs."""

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


def code_since(base: str, folder: str | None = None) -> dict[str, Any]:
    """Return the commits since a base, the main branch of origin if it is empty, with branch and diff."""
    head = git("rev-parse", "--verify", "HEAD^{commit}", folder=folder)
    start = git("merge-base", commit_of(base, folder), head, folder=folder)
    log = git("log", "--reverse", "--format=%H%x09%s", f"{start}..{head}", folder=folder).splitlines()
    commits = [line.partition("\t") for line in log]
    remote = run("config", "--get", "remote.origin.url", folder=folder).stdout.decode("utf-8", "replace")
    address = repository_address(remote)
    branch = git("rev-parse", "--abbrev-ref", "HEAD", folder=folder)
    found: dict[str, Any] = {
        "base": start,
        "head": head,
        "commits": [
            {"id": one, "title": title[:500], **({"url": f"{address}/commit/{one}"} if address else {})}
            for one, _, title in commits[-MOST_COMMITS:]
        ],
        "diff": _cut(git(*DIFF, start, head, strip=False, folder=folder)),
    }
    if branch != "HEAD":
        found["branch"] = branch[:255]
    if git("status", "--porcelain", folder=folder):
        print("What is not committed is not in it.", file=sys.stderr)
    return found


WEB = re.compile(r"(https?)://(?:[^/@]*@)?([a-z0-9.-]+(?::[0-9]+)?)/([a-z0-9_.~/+-]{1,300})", re.IGNORECASE)
SHELL = re.compile(
    r"(?:ssh://)?[^/@:]+@([a-z0-9-]+(?:\.[a-z0-9-]+)+)(?::[0-9]+(?=/))?[:/]([a-z0-9_.~/+-]{1,300})", re.IGNORECASE
)


def repository_address(remote: str) -> str:
    """Return where people see a repository, without what signs in there; empty where that cannot be told."""
    web, shell = WEB.fullmatch(remote.strip()), SHELL.fullmatch(remote.strip())
    scheme, host, path = web.groups() if web else ("https", *shell.groups()) if shell else ("", "", "")
    path = re.sub(r"(\.git)?/*$", "", path).lstrip("/")
    return f"{scheme.lower()}://{host}/{path}" if path else ""


def commit_of(base: str, folder: str | None = None) -> str:
    """Return what a base names; without one, the main branch of origin or of this repository."""
    if base.startswith("-"):
        raise Usage(f"{base} is no commit.")
    for name in [base] if base else ["origin/HEAD", "origin/main", "origin/master", "main", "master"]:
        found = run("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", folder=folder)
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


def git(*words: str, strip: bool = True, folder: str | None = None) -> str:
    """Return what git prints. Raise Usage when it fails."""
    done = run(*words, folder=folder)
    if done.returncode != 0:
        why = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise Usage(f"git {words[0]} failed: {why[-1] if why else 'it says nothing'}")
    text = done.stdout.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    return text.strip() if strip else text


def run(*words: str, folder: str | None = None) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", *words], cwd=folder, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    except OSError as error:
        raise Usage(f"git cannot be run: {error.strerror}.") from error
