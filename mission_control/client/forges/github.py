"""GitHub's REST API, version 2022-11-28: pulls, check runs, statuses, logs of jobs, reviews."""

from __future__ import annotations

from mission_control.client.api import query
from mission_control.client.forges import reading
from mission_control.client.forges.calls import Calls, Refused
from mission_control.client.forges.model import PENDING, Check
from mission_control.client.forges.pulls import Pulls
from mission_control.client.forges.states import ENDED, FAILED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mission_control.client.forges.places import Place
    from mission_control.client.forges.tokens import Token

WRITERS = ("OWNER", "MEMBER", "COLLABORATOR")  # whose words are asked of a program; others may only look


class GitHub(Pulls):
    DECIDES = {"CHANGES_REQUESTED": "asks", "APPROVED": "approves", "DISMISSED": "nothing"}

    def __init__(self, place: Place, token: Token) -> None:
        is_public = place.host == "github.com" or place.host.endswith(".ghe.com")
        base = f"https://api.{place.host}" if is_public else f"{place.web}/api/v3"
        super().__init__(place, Calls(place, base, token, _headers), f"/repos/{place.path}")

    def _listing(self, branch: str, state: str) -> list[object]:
        head = f"{self.place.path.partition('/')[0]}:{branch}"
        listing = query(head=head, state=state, sort="created", direction="desc")
        return self.calls.pages(f"{self.path}/pulls{listing}", most=1)

    def _checks(self, head: str) -> list[Check]:
        commit = f"{self.path}/commits/{head}"
        try:
            checks = [_run(run) for run in self.calls.pages(f"{commit}/check-runs?filter=latest", "check_runs")]
        except Refused as error:
            if error.status not in (403, 404):
                raise
            checks = self._jobs(head)  # a token with rights of its own may see actions, and no checks
        return checks + [_status(status) for status in self.calls.pages(f"{commit}/status", "statuses")]

    def _jobs(self, head: str) -> list[Check]:
        checks = []
        for run in self.calls.pages(f"{self.path}/actions/runs?head_sha={head}", "workflow_runs"):
            path = f"{self.path}/actions/runs/{reading.needed_number(run, 'id')}/jobs?filter=latest"
            checks += [_run(job, is_job=True) for job in self.calls.pages(path, "jobs")]
        return checks

    def _has_conflict(self, number: int, head: str, pull: object) -> bool | None:
        mergeable = reading.at(pull, "mergeable")
        return not mergeable if isinstance(mergeable, bool) else None

    def _counts(self, review: object) -> bool:
        return reading.text(review, "author_association") in WRITERS

    def _comment(self, comment: object) -> str:
        return reading.place_and_words(comment, "line", "original_line")


def _headers(secret: str) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {secret}", "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
    }  # fmt: skip


def _run(run: object, is_job: bool = False) -> Check:
    is_over = reading.text(run, "status") == "completed"
    state = ENDED.get(reading.text(run, "conclusion"), FAILED) if is_over else PENDING
    is_job = is_job or reading.text(run, "app", "slug") == "github-actions"
    says = "\n\n".join(filter(None, (reading.words(run, "output", part) for part in ("title", "summary", "text"))))
    url = reading.address(run, "html_url") or reading.address(run, "details_url")
    job = reading.number(run, "id") if is_job else 0
    return Check(reading.name(run, "name"), state, url, says[: reading.LONGEST_WORDS], job)


def _status(status: object) -> Check:
    state = ENDED.get(reading.text(status, "state"), PENDING)
    url, says = reading.address(status, "target_url"), reading.words(status, "description")
    return Check(reading.name(status, "context"), state, url, says)
