"""What was committed in a repository."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from mission_control.client import credentials
from mission_control.client.problems import Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

LONGEST_DIFF, LONGEST_COMMAND, MOST_COMMITS = 1_000_000, 2_000, 100
DIFF = ("diff", "--no-color", "--no-ext-diff", "--no-textconv", "--find-renames", "--src-prefix=a/", "--dst-prefix=b/")


class Repository:
    """A folder in which git runs, with nothing of the board's in its environment."""

    def __init__(
        self, folder: str = "", environment: dict[str, str] | None = None, options: Sequence[str] = ()
    ) -> None:
        self.folder, self.environment, self.options = folder, environment or credentials.environment(), options

    def run(self, *words: str, typed: bytes = b"", seconds: float | None = None) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                ["git", *self.options, *words], cwd=self.folder or None, env=self.environment, input=typed,
                capture_output=True, timeout=seconds, check=False,
            )  # fmt: skip
        except OSError as error:
            raise Usage(f"git cannot be run: {error.strerror}.") from error

    def answer(self, *words: str, typed: bytes = b"") -> bytes:
        done = self.run(*words, typed=typed)
        if done.returncode != 0:
            why = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise Usage(f"git {words[0]} failed: {why[-1] if why else 'it says nothing'}")
        return done.stdout

    def git(self, *words: str, typed: bytes = b"", strip: bool = True) -> str:
        text = self.answer(*words, typed=typed).decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
        return text.strip() if strip else text

    def path(self, what: str) -> str:
        return os.path.join(self.folder, os.fsdecode(self.answer("rev-parse", what)).rstrip("\n"))

    def commit(self, *names: str) -> str:
        for name in names:
            answer = self.run("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
            if answer.returncode == 0:
                return answer.stdout.decode().strip()
        return ""


# The main branch, by whole names: a branch of an agent that is called origin/main is none of these.
MAIN = (
    "refs/remotes/origin/HEAD", "refs/remotes/origin/main", "refs/remotes/origin/master", "refs/heads/main",
    "refs/heads/master",
)  # fmt: skip


def code_since(base: str, repository: Repository) -> dict[str, Any]:
    head = repository.git("rev-parse", "--verify", "HEAD^{commit}")
    start = repository.git("merge-base", commit_of(base, repository), head)
    log = repository.git("log", "--reverse", "--format=%H%x09%s", f"{start}..{head}").splitlines()
    commits = [line.partition("\t") for line in log]
    remote = repository.run("config", "--get", "remote.origin.url").stdout.decode("utf-8", "replace")
    address = repository_address(remote)
    branch = repository.git("rev-parse", "--abbrev-ref", "HEAD")
    found: dict[str, Any] = {
        "base": start,
        "head": head,
        "commits": [
            {"id": one, "title": title[:500], **({"url": f"{address}/commit/{one}"} if address else {})}
            for one, _, title in commits[-MOST_COMMITS:]
        ],
        "diff": _cut(repository.git(*DIFF, start, head, strip=False)),
        **_size(repository.git(*DIFF, "--numstat", start, head)),
    }
    if branch != "HEAD":
        found["branch"] = branch[:255]
    if repository.git("status", "--porcelain", "--ignore-submodules=dirty"):
        print("What is not committed is not in it.", file=sys.stderr)
    return found


def _size(counts: str) -> dict[str, int]:
    """Add up the lines of `git diff --numstat`, in which a binary file has dashes for its lines."""
    files = [line.split("\t") for line in counts.splitlines()]
    added, removed = (sum(int(file[at]) for file in files if file[at].isdigit()) for at in (0, 1))
    return {"files": len(files), "added": added, "removed": removed}


def checked(command: str, repository: Repository) -> tuple[dict[str, str | int], str]:
    """Run a command that checks the work; return how it ended and what it printed.

    The commit is named where nothing else was there, before it ran and after.
    """
    commit = _only_commit(repository)
    done = subprocess.run(
        ["/bin/sh", "-c", command], env=repository.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        check=False,
    )  # fmt: skip
    check: dict[str, str | int] = {"command": command[:LONGEST_COMMAND], "exit_code": done.returncode}
    if commit and _only_commit(repository) == commit:
        check["commit"] = commit
    return check, done.stdout.decode("utf-8", "replace")


def _only_commit(repository: Repository) -> str:
    return "" if repository.git("status", "--porcelain") else repository.commit("HEAD")


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


def commit_of(base: str, repository: Repository) -> str:
    if base.startswith("-"):
        raise Usage(f"{base} is no commit.")
    if commit := repository.commit(*([base] if base else MAIN)):
        return commit
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
