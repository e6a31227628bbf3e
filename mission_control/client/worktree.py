"""The worktree of a task: made from the repository's own base, with what the repository says about work in it."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess

from mission_control.client.git import commit_of, git, run
from mission_control.client.problems import Problem, Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

WORKFLOW, AGENTS = "WORKFLOW.md", "AGENTS.md"
KEYS = ("base", "setup", "check")
LONGEST_TEXT, LONGEST_OUTPUT = 20_000, 200_000
COMMAND_SECONDS = 3600.0


class Policy:
    """What WORKFLOW.md says: the base branch, the commands that set up and check; and its words, with AGENTS.md's."""

    def __init__(self, values: dict[str, str], text: str) -> None:
        self.base, self.setup, self.check = (values.get(name, "") for name in KEYS)
        self.text = text


def repository(folder: str) -> str:
    """Return the top of the repository of a folder."""
    found = run("rev-parse", "--show-toplevel", folder=folder)
    if found.returncode != 0:
        raise Usage(f"{folder} is in no git repository. Run it in one, or name one: --repository FOLDER.")
    return found.stdout.decode("utf-8", "surrogateescape").strip()


def policy_of(top: str, commit: str) -> Policy:
    """Return what the files of a commit say, so that the work itself cannot change by what it is checked."""
    texts = {name: _file_at(top, commit, name) for name in (WORKFLOW, AGENTS)}
    values, rest = _front_matter(texts[WORKFLOW])
    parts = [f"## {name}\n\n{text.strip()[:LONGEST_TEXT]}" for name, text in ((WORKFLOW, rest), (AGENTS, texts[AGENTS]))
             if text.strip()]  # fmt: skip
    return Policy(values, "\n\n".join(parts))


def _file_at(top: str, commit: str, name: str) -> str:
    found = run("show", f"{commit}:{name}", folder=top)
    return found.stdout.decode("utf-8", "replace") if found.returncode == 0 else ""


def _front_matter(text: str) -> tuple[dict[str, str], str]:
    """Return the lines `key: value` between two lines `---` at the beginning, and the rest."""
    match = re.match(r"---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", text, re.DOTALL)
    if match is None:
        return {}, text
    found = {}
    for line in match[1].splitlines():
        name, is_one, value = line.partition(":")
        value = value.strip()
        quoted = len(value) > 1 and value[0] in "'\"" and value[0] == value[-1]
        if is_one and name.strip() in KEYS:
            found[name.strip()] = value[1:-1] if quoted else value
    return found, text[match.end() :]


def begin(top: str) -> tuple[str, str, Policy]:
    """Return the name of the base, its commit and what it says, as new as origin has it."""
    if git("remote", folder=top):
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):  # without the network as it is here
            asks_nobody = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
            subprocess.run(["git", "fetch", "--quiet", "origin"], cwd=top, env=asks_nobody, stdin=subprocess.DEVNULL,
                           capture_output=True, timeout=60, check=False)  # fmt: skip
    commit = commit_of("", top)
    policy = policy_of(top, commit)
    if not policy.base:
        return "", commit, policy
    for name in (f"origin/{policy.base}", policy.base):
        if run("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", folder=top).returncode == 0:
            commit = commit_of(name, top)
            return policy.base, commit, policy_of(top, commit)
    raise Usage(f"{WORKFLOW} names the base {policy.base}, and there is no such branch.")


def branch_of(number: int, title: str) -> str:
    """Return the branch of a task: `mission-control/12-mend-the-lock`."""
    words = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40].strip("-")
    return f"mission-control/{number}-{words}".rstrip("-")


def make(top: str, folder: str, branch: str, commit: str) -> str:
    """Make a worktree on a new branch, whose name is returned; one that is there stays."""
    if os.path.exists(os.path.join(folder, ".git")):
        return git("rev-parse", "--abbrev-ref", "HEAD", folder=folder)
    run("worktree", "prune", folder=top)
    for one in _names(branch):
        if run("rev-parse", "--verify", "--quiet", f"refs/heads/{one}", folder=top).returncode == 0:
            continue
        git("worktree", "add", "--quiet", "-b", one, folder, commit, folder=top)
        return one
    raise Problem(f"There are too many branches {branch}-....")


def _names(branch: str) -> Iterator[str]:
    yield branch
    for number in range(2, 100):
        yield f"{branch}-{number}"


def commit_rest(folder: str, message: str) -> bool:
    """Commit what is not committed; return whether there was something."""
    if not git("status", "--porcelain", folder=folder):
        return False
    who = [] if run("config", "user.email", folder=folder).stdout.strip() else [
        "-c", "user.name=Mission Control", "-c", "user.email=work@mission-control.invalid"
    ]  # fmt: skip
    git("add", "--all", folder=folder)
    git(*who, "-c", "commit.gpgsign=false", "commit", "--quiet", "--no-verify", "-m", message[:200], folder=folder)
    return True


def has_only(folder: str, head: str) -> bool:
    """Return whether a worktree holds nothing but a commit."""
    here = run("rev-parse", "HEAD", folder=folder)
    status = run("status", "--porcelain", folder=folder)
    is_there = here.returncode == status.returncode == 0
    return is_there and here.stdout.decode().strip() == head and not status.stdout.strip()


def remove(top: str, folder: str) -> None:
    """Remove a worktree that holds nothing; its branch stays."""
    git("worktree", "remove", folder, folder=top)
