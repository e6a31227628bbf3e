"""What forges told of the code that is handed in: found by the addresses that a hand-in names, and said in words."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import Field

from mission_control.core.values import Schema
from mission_control.database.sql import as_json, as_moment, in_list, rows

PULL = re.compile(r"(/.+?)/(?:-/)?(?:pull|pulls|merge_requests)/([0-9]{1,18})(?:/.*)?")
COMMIT = re.compile(r"(/.+?)/(?:-/)?commits?/[0-9a-fA-F]{7,64}/?")
LONGEST_REPOSITORY = 500

type PullState = Literal["open", "draft", "merged", "closed"]
type ChecksState = Literal["running", "passed", "failed"]
type ReviewState = Literal["approved", "changes_requested"]


class ForgeReport(Schema):
    """What GitHub, GitLab or Forgejo told of it by a signed webhook."""

    number: Annotated[int | None, Field(description="The number of its pull or merge request")]
    url: Annotated[str | None, Field(description="Where that is")]
    state: Annotated[PullState | None, Field(description="What became of that")]
    head: Annotated[str | None, Field(description="The last commit of the branch now; another one was pushed since")]
    checks: Annotated[ChecksState | None, Field(description="How the checks of that commit went")]
    review: Annotated[ReviewState | None, Field(description="What people said there")]
    reported_at: Annotated[datetime, Field(description="When it was told last")]

    @property
    def sentence(self) -> str:
        name = "MR" if "/merge_requests/" in (self.url or "") else "PR"
        words = [f"{name} {self.number} {self.state}"] if self.number else []
        words += [f"checks {self.checks}"] if self.checks and self.state not in ("merged", "closed") else []
        words += [self.review.replace("_", " ")] if self.review and self.state in ("open", "draft") else []
        return ", ".join(words)


class Place(NamedTuple):
    """Where a hand-in is on a forge: its repository, and there a pull request or a branch, by number or name."""

    repository: str
    kind: Literal["pull", "branch"]
    name: str


def repository_of(address: str) -> str:
    """Compare addresses without their scheme, in lower case; empty when it is none."""
    try:
        parts = urlsplit(address.strip())
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    path = parts.path.rstrip("/").removesuffix(".git")
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname or len(path) < 2:
        return ""
    repository = f"{parts.hostname}{port}{path}".lower()
    return repository if len(repository) <= LONGEST_REPOSITORY else ""


def place_of(code: object) -> Place | None:
    """A pull request, else a branch and the address of a commit."""
    if not isinstance(code, Mapping):
        return None
    if place := _within(PULL, code.get("pull_request")):
        return Place(place[0], "pull", str(int(place[1])))
    named = (_within(COMMIT, commit.get("url")) for commit in code.get("commits") or () if isinstance(commit, Mapping))
    repository = next((inside[0] for inside in named if inside), None)
    return Place(repository, "branch", branch) if repository and (branch := code.get("branch")) else None


def _within(pattern: re.Pattern[str], url: object) -> tuple[str, str] | None:
    if not isinstance(url, str) or (path := pattern.fullmatch(urlsplit(url).path)) is None:
        return None
    repository = repository_of(urlsplit(url)._replace(path=path[1], query="", fragment="").geturl())
    return (repository, path[path.re.groups]) if repository else None


type Facts = Mapping[str, Any]  # of code: what an agent handed in, or a forge told


class HandIn(NamedTuple):
    """The code of a run, of which board, and when it was handed in; columns as they were read."""

    board_id: object
    code: object
    at: object

    @property
    def facts(self) -> Facts:
        return code if isinstance(code := as_json(self.code), Mapping) else {}


async def reports_of(codes: Sequence[HandIn]) -> list[ForgeReport | None]:
    return [handed.report for handed in await handed_in(codes)]


async def handed_in(codes: Sequence[HandIn]) -> "list[HandedIn]":
    places = [(str(code.board_id), place_of(code.facts)) for code in codes]
    named = {(board_id, place) for board_id, place in places if place is not None}
    states = _Known(named)
    await states.read({place.name for _, place in named})
    await states.read({branch for place in named if (branch := states.branch(*place))})
    await states.read({head for place in named if (head := states.head(*place))})
    return [
        states.handed_in(board_id, place, code) if place else HandedIn(None, code.facts.get("head"), None)
        for code, (board_id, place) in zip(codes, places, strict=True)
    ]


class HandedIn(NamedTuple):
    """What is known of the code of a task: what its forge tells, and the commit that was pushed since."""

    report: ForgeReport | None
    head: str | None
    pushed: str | None

    @property
    def words(self) -> str:
        return "; ".join(part for part in (self.report.sentence if self.report else "", self.change) if part)

    @property
    def change(self) -> str:
        return f"changed since the hand-in: {(self.head or '')[:7]} → {self.pushed[:7]}" if self.pushed else ""

    @property
    def tone(self) -> str:
        if self.pushed:
            return "warn"
        return "bad" if self.report and self.report.checks == "failed" and self.report.state != "merged" else ""


async def code_of_tasks(task_ids: Sequence[UUID]) -> dict[UUID, HandedIn]:
    if not task_ids:
        return {}
    listed, ids = in_list(task_ids)
    runs = await rows(
        "SELECT r.task_id, r.board_id, r.code, r.ended_at FROM tasks t"
        " JOIN task_runs r ON r.task_id = t.id AND r.fence = t.fence"
        f" WHERE t.id IN ({listed}) AND r.code IS NOT NULL",
        *ids,
    )
    handed = await handed_in([HandIn(row["board_id"], row["code"], row["ended_at"]) for row in runs])
    return {UUID(str(row["task_id"])): code for row, code in zip(runs, handed, strict=True)}


type State = tuple[Facts, datetime]  # what a forge told, and when


class _Known:
    """The states that hand-ins ask for: pull requests, also by their branch (the newest one), branches, commits."""

    def __init__(self, places: Collection[tuple[str, Place]]) -> None:
        self._boards = {UUID(board_id) for board_id, _ in places}
        self._repositories = {place.repository for _, place in places}
        self._by_name: dict[tuple[str, str, str, str], State] = {}
        self._by_branch: dict[tuple[str, str, str], State] = {}

    async def read(self, names: set[str]) -> None:
        if not names:
            return
        at, on = in_list(self._boards)
        within, addresses = in_list(self._repositories)
        named, wanted = in_list(names)
        for row in await rows(
            "SELECT board_id, repository, kind, name, branch, facts, reported_at FROM forge_states"
            f" WHERE board_id IN ({at}) AND repository IN ({within}) AND (name IN ({named}) OR branch IN ({named}))"
            " ORDER BY reported_at",
            *on,
            *addresses,
            *wanted,
            *wanted,
        ):
            reported_at = as_moment(row["reported_at"])
            assert reported_at is not None  # the column is never null
            board_id, repository = str(row["board_id"]), row["repository"]
            self._by_name[board_id, repository, row["kind"], row["name"]] = as_json(row["facts"]), reported_at
            if row["kind"] == "pull" and row["branch"]:
                self._by_branch[board_id, repository, row["branch"]] = as_json(row["facts"]), reported_at

    def _pull(self, board_id: str, place: Place) -> State | None:
        if place.kind == "branch":
            return self._by_branch.get((board_id, place.repository, place.name))
        return self._by_name.get((board_id, place.repository, "pull", place.name))

    def branch(self, board_id: str, place: Place) -> str | None:
        pull = self._pull(board_id, place)
        if pull is None:
            return place.name if place.kind == "branch" else None
        return None if pull[0].get("is_fork") else pull[0].get("branch")

    def _pushed(self, board_id: str, place: Place) -> State | None:
        return self._by_name.get((board_id, place.repository, "branch", self.branch(board_id, place) or ""))

    def head(self, board_id: str, place: Place) -> str | None:
        """A push and its pull request are told apart, in any order."""
        pull, branch = self._pull(board_id, place), self._pushed(board_id, place)
        if pull is None:
            return branch[0].get("head") if branch else None
        head: str | None = pull[0].get("head")
        is_behind = branch is not None and head in branch[0].get("seen", ())
        return branch[0].get("head") if branch and is_behind and pull[0].get("state") in ("open", "draft") else head

    def handed_in(self, board_id: str, place: Place, code: HandIn) -> "HandedIn":
        report, head = self.report(board_id, place), code.facts.get("head")
        is_other = report is not None and self._is_pushed_since(board_id, place, code, report.head, head)
        return HandedIn(report, head, report.head if report and is_other else None)

    def _is_pushed_since(self, board_id: str, place: Place, code: HandIn, now: str | None, head: str | None) -> bool:
        """Return whether the commit that was handed in is no longer the last one.

        The forge may tell of it only after it was handed in: what was told before is of a former commit then.
        """
        if not now or not head or is_same_commit(now, head):
            return False
        mine = [code.facts.get("base"), *(commit.get("id") for commit in code.facts.get("commits") or ())]
        if any(is_same_commit(now, former) for former in mine if former):
            return False
        states = [state for state in (self._pull(board_id, place), self._pushed(board_id, place)) if state]
        is_left = any(is_same_commit(head, former) for state, _ in states for former in state.get("seen", ()))
        at = as_moment(code.at)
        return is_left or at is None or max(reported_at for _, reported_at in states) >= at

    def report(self, board_id: str, place: Place) -> ForgeReport | None:
        pull, branch, head = self._pull(board_id, place), self._pushed(board_id, place), self.head(board_id, place)
        commit = self._by_name.get((board_id, place.repository, "commit", head or ""))
        if pull is None and branch is None:
            return None
        facts = pull[0] if pull else {}
        return ForgeReport(
            number=facts.get("number"),
            url=facts.get("url"),
            state=facts.get("state"),
            head=head,
            checks=checks_of(commit[0]) if commit else None,
            review=review_of(facts),
            reported_at=max(state[1] for state in (pull, branch, commit) if state),
        )


def is_same_commit(commit: str, other: str) -> bool:
    """Either id may be the beginning of the other."""
    return commit.startswith(other) or other.startswith(commit)


def checks_of(facts: Facts) -> ChecksState | None:
    states = {check["state"] for check in facts.get("checks", {}).values()}
    worst: tuple[ChecksState, ...] = ("failed", "running", "passed")
    return next((state for state in worst if state in states), None)


def review_of(facts: Facts) -> ReviewState | None:
    states = {review["state"] for review in facts.get("reviews", {}).values()}
    worst: tuple[ReviewState, ...] = ("changes_requested", "approved")
    return next((state for state in worst if state in states), None)
