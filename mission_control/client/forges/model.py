"""What is asked of a forge, and what it answers."""

from __future__ import annotations

import contextlib
import sys
from typing import NamedTuple

from mission_control.client.forges.states import FAILED, PASSED
from mission_control.client.problems import Problem, Unreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mission_control.client.forges.calls import Calls
    from mission_control.client.forges.places import Place

NONE, PENDING = "none", "pending"
OPEN, MERGED, CLOSED = "open", "merged", "closed"
LONGEST_TITLE, LONGEST_BODY = 250, 60_000
MOST_LOGS = 10  # logs that are asked for at a look


class Check:
    """A check of a commit; `job` is where its log is, `says` what stands there instead."""

    def __init__(self, name: str, state: str, url: str, says: str, job: int = 0) -> None:
        self.name, self.state, self.url, self.says, self.job = name, state, url, says, job


class Failing(NamedTuple):
    """A check that failed; `log` is the end of what it printed, or the forge's words where there is no log."""

    name: str
    url: str
    log: str


class PullRequest:
    """`has_conflict` is None while the forge does not know; of one that is not open only its end is told."""

    def __init__(
        self, number: int, url: str, state: str, head: str, base: str, checks: str = NONE,
        failing: Sequence[Failing] = (), has_conflict: bool | None = None, requested: Sequence[Requested] = (),
        merge_commit: str | None = None,
    ) -> None:  # fmt: skip
        self.number, self.url, self.state, self.head, self.base = number, url, state, head, base
        self.checks, self.failing, self.has_conflict = checks, failing, has_conflict
        self.requested, self.merge_commit = requested, merge_commit


class Requested(NamedTuple):
    """Changes that somebody who may write there asks for."""

    author: str
    words: str
    mark: str  # stays as it is until more is said


class Forge:
    """A repository on a forge, asked for its pull requests. Raises Problem, Later, Unreachable."""

    LOG = ""  # where the log of a job is, under `path`

    def __init__(self, place: Place, calls: Calls, path: str) -> None:
        self.place, self.calls, self.path = place, calls, path

    def pull_request(self, branch: str) -> PullRequest | None:
        """The newest one of a branch of this repository, in any state."""
        number = self._newest(branch, only_open=False)
        return self.look(number) if number else None

    def open(self, branch: str, base: str, title: str, body: str, reviewers: Sequence[str] = ()) -> PullRequest:
        """Open one, or find the one that is open: also when the answer to an earlier try was lost."""
        number = self._newest(branch, only_open=True)
        if not number:
            try:
                number = self._create(branch, base, title[:LONGEST_TITLE], body[:LONGEST_BODY])
            except (Problem, Unreachable) as error:
                with contextlib.suppress(Problem):
                    number = self._newest(branch, only_open=True)
                if not number:
                    raise error
        if reviewers:
            try:
                self._ask(number, reviewers)
            except Problem as error:  # it is open, which counts
                print(f"Nobody was asked to review {number}: {error.text}", file=sys.stderr)
        return self.look(number)

    def look(self, number: int) -> PullRequest:
        raise NotImplementedError

    def _failing(self, checks: Iterable[Check]) -> tuple[Failing, ...]:
        failed = [check for check in checks if check.state == FAILED]
        logs = [
            self.calls.log(self.path + self.LOG.format(check.job)) if check.job and place < MOST_LOGS else ""
            for place, check in enumerate(failed)
        ]
        return tuple(Failing(check.name, check.url, log or check.says) for check, log in zip(failed, logs))

    def _newest(self, branch: str, *, only_open: bool) -> int:
        raise NotImplementedError

    def _create(self, branch: str, base: str, title: str, body: str) -> int:
        raise NotImplementedError

    def _ask(self, number: int, reviewers: Sequence[str]) -> None:
        raise NotImplementedError


def checks_of(states: Iterable[str]) -> str:
    """How the checks of a commit stand together: red as soon as one is."""
    distinct = set(states)
    for state in (FAILED, PENDING, PASSED):
        if state in distinct:
            return state
    return NONE
