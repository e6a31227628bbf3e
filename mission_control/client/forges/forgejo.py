"""The API of Forgejo and Gitea, version 1: pulls, statuses of commits, logs of jobs where there are any, reviews."""

from __future__ import annotations

from urllib.parse import urljoin

from mission_control.client.forges import reading
from mission_control.client.forges.calls import Calls, Refused
from mission_control.client.forges.model import PENDING, Check
from mission_control.client.forges.pulls import Pulls
from mission_control.client.forges.states import ENDED, FAILED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mission_control.client.forges.places import Place
    from mission_control.client.forges.tokens import Token


class Forgejo(Pulls):
    PAGE, SIZE = "pulls", "limit=50"
    DECIDES = {"REQUEST_CHANGES": "asks", "APPROVED": "approves"}

    def __init__(self, place: Place, token: Token) -> None:
        super().__init__(place, Calls(place, f"{place.web}/api/v1", token, _headers), f"/repos/{place.path}")
        self.doubted: dict[int, str] = {}

    def _checks(self, head: str) -> list[Check]:
        statuses = self.calls.pages(f"{self.path}/commits/{head}/status", "statuses", size=self.SIZE)
        checks = [self._status(status) for status in statuses]
        if not any(check.state == FAILED for check in checks):
            return checks
        jobs = self._jobs(head)
        for check in checks:
            check.job = _job_of(check, jobs)
        return checks

    def _status(self, status: object) -> Check:
        """A check; the address of one of its own actions begins with a slash."""
        target = urljoin(f"{self.place.web}/", reading.text(status, "target_url")) if status else ""
        state = ENDED.get(reading.text(status, "status") or reading.text(status, "state"), PENDING)
        name, says = reading.name(status, "context"), reading.words(status, "description")
        return Check(name, state, reading.address({"url": target}, "url"), says)

    def _jobs(self, head: str) -> list[object]:
        """The jobs of a commit, in versions that tell of them (Gitea 1.25, Forgejo 16)."""
        jobs: list[object] = []
        try:
            for run in self.calls.pages(f"{self.path}/actions/runs?head_sha={head}", "workflow_runs", size=self.SIZE):
                listed = self.calls.get(f"{self.path}/actions/runs/{reading.needed_number(run, 'id')}/jobs")
                jobs += reading.items(listed) or reading.items(listed, "jobs")
        except Refused:
            return []
        return jobs

    def _has_conflict(self, number: int, head: str, pull: object) -> bool | None:
        """It says no also while it still finds out, and of a draft: only a no that stays is a conflict."""
        if reading.at(pull, "mergeable") is True:
            self.doubted.pop(number, None)
            return False
        is_sure = self.doubted.get(number) == head and reading.at(pull, "draft") is not True
        self.doubted[number] = head
        return True if is_sure else None

    def _counts(self, review: object) -> bool:
        return reading.at(review, "official") is True and reading.at(review, "dismissed") is not True

    def _comment(self, comment: object) -> str:
        is_resolved = bool(reading.text(comment, "resolver", "login"))
        return "" if is_resolved else reading.place_and_words(comment, "position", "original_position")


def _headers(secret: str) -> dict[str, str]:
    return {"Authorization": f"token {secret}"}


def _job_of(check: Check, jobs: list[object]) -> int:
    """The job of a check, by their address, else by its name in `workflow / job (event)`."""
    named = check.name.partition(" / ")[2].rpartition(" (")[0]
    for is_same in (
        lambda job: check.url and reading.text(job, "html_url") == check.url,
        lambda job: named and reading.text(job, "name") == named,
    ):
        if job := next(filter(is_same, jobs), None):
            return reading.number(job, "id")
    return 0
