"""GitLab's REST API, version 4: merge requests, pipelines, traces of jobs, discussions and reviewers."""

from __future__ import annotations

from mission_control.client.api import query
from mission_control.client.forges import reading
from mission_control.client.forges.calls import Calls
from mission_control.client.forges.model import (
    CLOSED,
    MERGED,
    NONE,
    OPEN,
    PENDING,
    Check,
    Forge,
    PullRequest,
    Requested,
)
from mission_control.client.forges.states import ENDED, FAILED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mission_control.client.forges.places import Place
    from mission_control.client.forges.tokens import Token

STATES = {"merged": MERGED, "closed": CLOSED}
COMMITS = ("merge_commit_sha", "squash_commit_sha", "sha")  # the first that there is was merged
UNSURE = ("unchecked", "checking", "preparing", "cannot_be_merged_recheck", "cannot_be_merged_rechecking")
BEHIND = ("conflict", "need_rebase")
DEVELOPER = 30  # GitLab's number for who may write to a repository


class GitLab(Forge):
    LOG = "/jobs/{}/trace"

    def __init__(self, place: Place, token: Token) -> None:
        path = f"/projects/{place.path.replace('/', '%2F')}"
        super().__init__(place, Calls(place, f"{place.web}/api/v4", token, _headers), path)

    def look(self, number: int) -> PullRequest:
        path = f"{self.path}/merge_requests/{number}"
        pull = self.calls.get(path)
        state, head = STATES.get(reading.text(pull, "state"), OPEN), reading.needed_commit(pull, "sha")
        url = f"{self.place.web}/{self.place.path}/-/merge_requests/{number}"
        base = reading.name(pull, "target_branch")
        if state != OPEN:
            commits = [commit for field in COMMITS if (commit := reading.commit(pull, field))]
            return PullRequest(number, url, state, head, base, merge_commit=commits[0] if state == MERGED else None)
        checks = _checks(pull, head)
        failing = self._failing(self._failed(pull)) if checks == FAILED else ()
        requested = tuple(self._requested(path, reading.name(pull, "author", "username")))
        return PullRequest(number, url, state, head, base, checks, failing, _has_conflict(pull), requested)

    def _newest(self, branch: str, *, only_open: bool) -> int:
        state = "opened" if only_open else "all"
        listing = query(source_branch=branch, state=state, order_by="created_at", sort="desc")
        for pull in self.calls.pages(f"{self.path}/merge_requests{listing}", most=1):
            is_ours = reading.number(pull, "source_project_id") == reading.number(pull, "target_project_id")
            if is_ours and reading.text(pull, "source_branch") == branch:
                return reading.number(pull, "iid")
        return 0

    def _create(self, branch: str, base: str, title: str, body: str) -> int:
        content = {"source_branch": branch, "target_branch": base, "title": title, "description": body}
        return reading.needed_number(self.calls.post(f"{self.path}/merge_requests", content), "iid")

    def _ask(self, number: int, reviewers: Sequence[str]) -> None:
        ids = [
            reading.needed_number(user, "id")
            for reviewer in reviewers
            for user in self.calls.pages(f"/users{query(username=reviewer)}", most=1)
            if reading.text(user, "username").lower() == reviewer.lower()
        ]
        self.calls.change(f"{self.path}/merge_requests/{number}", {"reviewer_ids": ids})

    def _failed(self, pull: object) -> list[Check]:
        """The jobs for which a pipeline failed, else the pipeline itself."""
        pipeline = reading.needed_number(pull, "head_pipeline", "id")
        jobs = [
            _job(job)
            for job in self.calls.pages(f"{self.path}/pipelines/{pipeline}/jobs?scope%5B%5D=failed")
            if reading.at(job, "allow_failure") is not True
        ]
        url, says = reading.address(pull, "head_pipeline", "web_url"), reading.words(pull, "head_pipeline", "status")
        return jobs or [Check("pipeline", FAILED, url, says)]

    def _requested(self, path: str, author: str) -> Iterator[Requested]:
        """Who asks for changes by a review or a thread that is not resolved, of those who may write there."""
        asking: dict[str, list[tuple[int, str]]] = {
            reading.name(reviewer, "user", "username"): []
            for reviewer in self.calls.pages(f"{path}/reviewers")
            if reading.text(reviewer, "state") == "requested_changes"
        }
        for who, thread in filter(None, map(_thread, self.calls.pages(f"{path}/discussions"))):
            if who != author:
                asking.setdefault(who, []).append(thread)
        for who, threads in asking.items():
            if who and self._may_write(who):
                words = "\n\n".join(text for _, text in threads)[: reading.LONGEST_WORDS]
                yield Requested(who, words, ",".join(str(last) for last, _ in threads))

    def _may_write(self, who: str) -> bool:
        members = self.calls.pages(f"{self.path}/members/all{query(query=who)}")
        own = (member for member in members if reading.name(member, "username") == who)
        levels = [reading.number(member, "access_level") for member in own]
        return max(levels, default=0) >= DEVELOPER


def _headers(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def _checks(pull: object, head: str) -> str:
    """How the pipeline of the last commit went; one of an earlier commit says that its own is still to come."""
    if not reading.number(pull, "head_pipeline", "id"):
        return NONE
    is_merged_result = reading.text(pull, "head_pipeline", "ref").endswith("/merge")
    if reading.text(pull, "head_pipeline", "sha") != head and not is_merged_result:
        return PENDING
    return ENDED.get(reading.text(pull, "head_pipeline", "status"), PENDING)


def _has_conflict(pull: object) -> bool | None:
    detailed, short = reading.text(pull, "detailed_merge_status"), reading.text(pull, "merge_status")
    if detailed in UNSURE or short in UNSURE:
        return None
    return reading.at(pull, "has_conflicts") is True or detailed in BEHIND


def _job(job: object) -> Check:
    says = reading.words(job, "failure_reason").replace("_", " ")
    url, number = reading.address(job, "web_url"), reading.needed_number(job, "id")
    return Check(reading.name(job, "name"), FAILED, url, says, number)


def _thread(discussion: object) -> tuple[str, tuple[int, str]] | None:
    """Who began a thread that is not resolved, its last note and its words."""
    notes = [note for note in reading.items(discussion, "notes") if reading.at(note, "system") is not True]
    if not any(reading.at(note, "resolvable") is True and reading.at(note, "resolved") is not True for note in notes):
        return None
    starter = reading.name(notes[0], "author", "username")
    last = max(reading.number(note, "id") for note in notes)
    return starter, (last, "\n".join(_note(note, starter) for note in notes))


def _note(note: object, starter: str) -> str:
    who, position = reading.name(note, "author", "username"), reading.at(note, "position")
    text = reading.words(note, "body") if who == starter else f"{who}: {reading.words(note, 'body')}"
    path = reading.name(position, "new_path") or reading.name(position, "old_path")
    line = reading.number(position, "new_line") or reading.number(position, "old_line")
    return reading.place_and_words({"path": path, "body": text, "line": line}, "line")
