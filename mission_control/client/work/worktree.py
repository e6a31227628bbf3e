"""The worktree of a task: made from the repository's own base, with what the repository says about work in it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import subprocess

from mission_control.client import credentials, files
from mission_control.client.git import Repository, commit_of
from mission_control.client.problems import Problem, Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

WORKFLOW, AGENTS = "WORKFLOW.md", "AGENTS.md"
KEYS = ("base", "setup", "check", "mend")
MENDS, MOST_MENDS = 3, 10  # how often a program is told of a check that fails
LONGEST_TEXT = 20_000
COMMAND_SECONDS = 3600.0


class Policy:
    """What WORKFLOW.md says: the base branch, the commands that set up and check, how often a program is told that the
    check fails; and its words, with AGENTS.md's.
    """

    def __init__(self, values: dict[str, str], text: str) -> None:
        self.base, self.setup, self.check, mend = (values.get(name, "") for name in KEYS)
        if mend and not (mend.isdecimal() and int(mend) <= MOST_MENDS):
            raise Usage(f"{WORKFLOW} says mend: {mend}; it takes a number from 0 to {MOST_MENDS}.")
        self.mend, self.text = int(mend or MENDS), text


# No hook and no monitor runs, also in the person's own repository: they may be files of a worktree.
FETCH = ("fetch", "--quiet", "--no-recurse-submodules")
OPTIONS = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")


def repository(folder: str) -> Repository:
    try:
        return Repository(
            Repository(folder).path("--show-toplevel"),
            {**credentials.environment(), "GIT_TERMINAL_PROMPT": "0"},
            OPTIONS,
        )
    except Usage as error:
        raise Usage(f"{error.text} Run it in one, or name one: --repository FOLDER.") from error


class Suspect(Problem):
    """A program left something at which people have to look."""


# What a worktree shares with its repository, besides its settings and hooks; and those settings that run nothing.
SHARED = "objects", "refs", "packed-refs", "reftable", "logs", "info", "shallow", "lfs"
HARMLESS = re.compile(
    r"core\.(repositoryformatversion|filemode|symlinks|ignorecase|precomposeunicode|autocrlf|eol|safecrlf|excludesfile"
    r"|sparsecheckout(cone)?)|extensions\.(objectformat|compatobjectformat|refstorage)|user\.(name|email)"
    r"|remote\.origin\.url|i18n\.commitencoding"
)
NOBODY = {
    "user.name": "Mission Control", "user.email": "work@mission-control.invalid", "core.bare": "false", "gc.auto": "0",
    "maintenance.auto": "false",
}  # fmt: skip
FILTER = re.compile(r"filter\.(.+)\.(?:clean|smudge|process)", re.DOTALL)
LFS = {
    "filter.lfs.clean": "git-lfs clean -- %f", "filter.lfs.smudge": "git-lfs smudge -- %f",
    "filter.lfs.process": "git-lfs filter-process", "filter.lfs.required": "true",
}  # fmt: skip
FOREIGN = re.compile("GIT_(?!AUTHOR_|COMMITTER_)")


class Tree(Repository):
    """A worktree in which a program may have written anything: git takes no settings from it, and runs nothing.

    Its settings stand in a folder beside it, and are those of the repository that run nothing. The one filter is
    git-lfs, where it is set up; what wants another one is not committed. Raises Suspect.
    """

    def __init__(self, top: Repository, folder: str) -> None:
        self.common, self.private = (
            os.path.realpath(one) for one in (top.path("--git-common-dir"), f"{folder}/../git")
        )
        environment = {name: value for name, value in top.environment.items() if not FOREIGN.match(name)}
        own = {
            "GIT_DIR": self._own_folder(folder), "GIT_COMMON_DIR": self.private, "GIT_WORK_TREE": folder,
            "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_NO_LAZY_FETCH": "1",
        }  # fmt: skip
        super().__init__(folder, {**environment, **own}, OPTIONS)
        listed = os.fsdecode(top.run("config", "--list", "-z").stdout).split("\0")
        settings = {
            name: value if is_set else "true" for name, is_set, value in (one.partition("\n") for one in listed)
        }
        self.filters = {match[1] for match in map(FILTER.fullmatch, settings) if match}
        safe = {**NOBODY, **{name: value for name, value in settings.items() if HARMLESS.fullmatch(name)}}
        if "lfs" in self.filters and shutil.which("git-lfs"):
            self.filters.remove("lfs")
            safe.update(LFS)
            os.makedirs(os.path.join(self.common, "lfs"), exist_ok=True)
        self._set_up(safe)
        if not os.path.exists(os.path.join(own["GIT_DIR"], "index")):  # it was made, and not checked out
            self.git("reset", "--hard", "--quiet")

    def _own_folder(self, folder: str) -> str:
        """Return the folder in which the repository keeps the worktree, whose `.git` must be the file that names it."""
        worktrees, mark = os.path.join(self.common, "worktrees"), os.path.join(folder, ".git")
        for name in sorted(os.listdir(worktrees)) if os.path.isdir(worktrees) else ():
            own = os.path.join(worktrees, name)
            if _named_in(os.path.join(own, "gitdir")) == os.path.join(os.path.realpath(folder), ".git"):
                if _named_in(mark, "gitdir: ") == own:
                    return own
                raise Suspect(
                    f"{mark} is not the file that was made there, so nothing is read or committed by git. Put back its"
                    f" line `gitdir: {own}`, or take what is good by hand."
                )
        raise Suspect(f"{folder} is no worktree of this repository any more.")

    def _set_up(self, settings: dict[str, str]) -> None:
        os.makedirs(self.private, mode=0o700, exist_ok=True)
        for name in SHARED:
            shared, own = os.path.join(self.common, name), os.path.join(self.private, name)
            if os.path.exists(shared) and not os.path.islink(own):
                os.symlink(shared, own)
        lines = []
        for name, value in settings.items():
            section, _, key = name.rpartition(".")
            first, _, second = section.partition(".")
            escaped = value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
            lines += [f'[{first} "{second}"]' if second else f"[{first}]", f'{key} = "{escaped}"']
        files.write(os.path.join(self.private, "config"), os.fsencode("\n".join([*lines, ""])))

    def commit_rest(self, message: str) -> None:
        self.stage_rest()
        if self.run("diff", "--cached", "--quiet", "--ignore-submodules=all").returncode:
            self.git("commit", "--quiet", "-m", message[:200])

    def stage_rest(self) -> str:
        """Stage what is not committed, and return the id of all that is there, which is that of a commit's tree.

        A repository inside is left out: git would run what that one is set to run.
        """
        changed = {path: state for state, path in self._changed() if not path.endswith("/")}
        if changed:
            self._stage(changed)
        return self.git("write-tree")

    def _stage(self, changed: dict[str, str]) -> None:
        answers = os.fsdecode(self.answer("check-attr", "-z", "--stdin", "filter", typed=_listed(changed))).split("\0")
        for path, name in zip(answers[::3], answers[2::3]):
            if name in self.filters:
                raise Suspect(f"{path} goes through the filter {name}, which is not run on what a program wrote.")
        gone = {path for path, state in changed.items() if "D" in state and "U" not in state}
        self.git("update-index", "-z", "--force-remove", "--stdin", typed=_listed(gone))
        self.git(
            "update-index", "-z", "--add", "--remove", "--replace", "--stdin", typed=_listed(changed.keys() - gone)
        )

    def _changed(self) -> list[tuple[str, str]]:
        """Return the states and paths of what is not committed; the path of a repository inside ends with a slash."""
        words = ("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--ignore-submodules=all")
        return [(one[:2], one[3:]) for one in os.fsdecode(self.answer(*words)).split("\0") if one]

    def has_only(self, commit: str) -> bool:
        """Return whether it holds nothing but a commit, also no repository inside that the commit only names."""
        staged = os.fsdecode(self.answer("ls-files", "--stage", "-z")).split("\0")
        inside = [one.partition("\t")[2] for one in staged if one.startswith("160000 ")]
        has_more = any(os.path.lexists(os.path.join(self.folder, one, ".git")) for one in inside)
        return not has_more and self.commit("HEAD") == commit and not self._changed()


def policy_of(top: Repository, commit: str) -> Policy:
    texts = {name: _file_at(top, commit, name) for name in (WORKFLOW, AGENTS)}
    values, rest = _front_matter(texts[WORKFLOW])
    parts = [f"## {name}\n\n{text.strip()[:LONGEST_TEXT]}" for name, text in ((WORKFLOW, rest), (AGENTS, texts[AGENTS]))
             if text.strip()]  # fmt: skip
    return Policy(values, "\n\n".join(parts))


def _file_at(top: Repository, commit: str, name: str) -> str:
    found = top.run("cat-file", "blob", f"{commit}:{name}")
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


def begin(top: Repository) -> tuple[str, str, Policy]:
    if top.git("remote"):
        with contextlib.suppress(subprocess.TimeoutExpired):  # without the network as it is here
            top.run(*FETCH, "origin", seconds=60)
    commit = commit_of("", top)
    policy = policy_of(top, commit)
    if not policy.base:
        return "", commit, policy
    if commit := top.commit(f"refs/remotes/origin/{policy.base}", f"refs/heads/{policy.base}"):
        return policy.base, commit, policy_of(top, commit)
    raise Usage(f"{WORKFLOW} names the base {policy.base}, and there is no such branch.")


def branch_of(number: int, title: str) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40].strip("-")
    return f"mission-control/{number}-{words}".rstrip("-")


def make(top: Repository, folder: str, branch: str, commit: str) -> str:
    """Make a worktree on a new branch, whose name is returned; one that is there stays."""
    if os.path.isdir(folder):
        with contextlib.suppress(Suspect):
            return Tree(top, folder).git("rev-parse", "--abbrev-ref", "HEAD")
        remove(top, folder)  # it was not made to its end, and nobody has worked in it
    for one in _names(branch):
        if not top.commit(f"refs/heads/{one}"):
            add(top, folder, "-b", one, folder, commit)
            return one
    raise Problem(f"There are too many branches {branch}-....")


def add(top: Repository, folder: str, *words: str) -> None:
    """Add a worktree of the last word, and check it out without what the repository is set to run."""
    top.run("worktree", "prune")
    if top.run("config", "--get-regexp", r"^remote\..*\.promisor$").stdout:  # what git would fetch when it is read
        listed = top.git("rev-list", "--objects", "--no-walk", "--missing=print", words[-1]).splitlines()
        missing = "".join(f"{line[1:]}\n" for line in listed if line.startswith("?"))
        if missing:
            top.git(*FETCH, "--no-write-fetch-head", "--filter=blob:none", "--stdin", "origin", typed=missing.encode())
    top.git("worktree", "add", "--quiet", "--no-checkout", *words)
    Tree(top, folder)


def _names(branch: str) -> Iterator[str]:
    yield branch
    for number in range(2, 100):
        yield f"{branch}-{number}"


def remove(top: Repository, folder: str) -> None:
    """Remove a worktree that holds nothing; its branch stays."""
    shutil.rmtree(folder)  # git would look into it, as it is set up by its `.git`
    top.run("worktree", "prune")


def _listed(paths: Iterable[str]) -> bytes:
    return b"".join(os.fsencode(one) + b"\0" for one in paths)


def _named_in(path: str, before: str = "") -> str:
    with contextlib.suppress(OSError), open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        text = os.fsdecode(file.read(5_000)) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else ""
        if text and text.startswith(before):
            folder, name = os.path.split(os.path.join(os.path.dirname(path), text[len(before) :].rstrip("\n")))
            return os.path.join(os.path.realpath(folder), name)
    return ""
