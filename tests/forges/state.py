"""What a forge on loopback knows: a real bare repository, its pull requests, and the checks and reviews of tests."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

WHO = ("-c", "user.name=Forge", "-c", "user.email=forge@example.org")


@dataclass
class Check:
    number: int
    name: str
    state: Literal["pending", "success", "failure"]
    log: str = ""


@dataclass
class Review:
    number: int
    author: str
    asks: bool
    words: str
    comments: tuple[tuple[str, int, str], ...] = ()  # path, line, words
    may_write: bool = True


@dataclass
class Pull:
    number: int
    branch: str
    base: str
    title: str
    body: str
    state: Literal["open", "merged", "closed"] = "open"
    head: str = ""  # when it was no longer open
    merge_commit: str | None = None
    reviewers: list[str] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)


@dataclass
class State:
    """`unsure` is how many more times it does not know whether a pull request can be merged."""

    bare: Path
    path: str
    pulls: list[Pull] = field(default_factory=list)
    checks: dict[str, list[Check]] = field(default_factory=dict)
    merges_when_green: bool = False
    unsure: int = 0
    _last: int = 100

    def git(self, *words: str, code: int = 0) -> str:
        done = subprocess.run(["git", *WHO, *words], cwd=self.bare, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        return done.stdout.strip()

    def pull(self, number: int) -> Pull | None:
        return next((pull for pull in self.pulls if pull.number == number), None)

    def open(self, branch: str, base: str, title: str, body: str) -> Pull | None:
        """Open one, None where the branch has one that is open."""
        if any(pull.branch == branch and pull.state == "open" for pull in self.pulls):
            return None
        pull = Pull(len(self.pulls) + 1, branch, base, title, body)
        self.pulls.append(pull)
        return pull

    def head(self, pull: Pull) -> str:
        return pull.head or self.git("rev-parse", f"refs/heads/{pull.branch}")

    def has_conflict(self, pull: Pull) -> bool:
        done = subprocess.run(
            ["git", "merge-tree", "--write-tree", pull.base, self.head(pull)],
            cwd=self.bare, capture_output=True, check=False,
        )  # fmt: skip
        return done.returncode == 1

    def check(self, commit: str, state: Literal["pending", "success", "failure"], log: str = "", name: str = "test"
    ) -> None:  # fmt: skip
        """Set a check of a commit; where it is the last that was red or ran, what waits for it is merged."""
        commit = self.git("rev-parse", commit)
        of_commit = self.checks.setdefault(commit, [])
        before = next((check for check in of_commit if check.name == name), None)
        if before is None:
            of_commit.append(Check(self.next_number(), name, state, log))
        else:
            before.state, before.log = state, log
        for pull in self.pulls:
            is_green = all(check.state == "success" for check in of_commit)
            if self.merges_when_green and is_green and pull.state == "open" and self.head(pull) == commit:
                if not self.has_conflict(pull):
                    self.merge(pull.number)

    def checks_of(self, pull: Pull) -> list[Check]:
        return self.checks.get(self.head(pull), [])

    def check_of(self, number: int) -> Check | None:
        return next((check for checks in self.checks.values() for check in checks if check.number == number), None)

    def review(self, number: int, author: str, words: str = "", *, asks: bool = True, may_write: bool = True,
               comments: tuple[tuple[str, int, str], ...] = ()) -> None:  # fmt: skip
        pull = self.pull(number)
        assert pull is not None
        pull.reviews.append(Review(self.next_number(), author, asks, words, comments, may_write))

    def merge(self, number: int) -> None:
        pull = self.pull(number)
        assert pull is not None and pull.state == "open"
        head = self.head(pull)
        tree = self.git("merge-tree", "--write-tree", pull.base, head).splitlines()[0]
        parents = ("-p", pull.base, "-p", head)
        pull.merge_commit = self.git("commit-tree", tree, *parents, "-m", f"Merge {pull.title}")
        self.git("update-ref", f"refs/heads/{pull.base}", pull.merge_commit)
        pull.state, pull.head = "merged", head

    def close(self, number: int) -> None:
        pull = self.pull(number)
        assert pull is not None
        pull.state, pull.head = "closed", self.head(pull)

    def next_number(self) -> int:
        self._last += 1
        return self._last
