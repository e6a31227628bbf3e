"""Pull requests as GitHub tells of them, and Forgejo and Gitea after it."""

from __future__ import annotations

from mission_control.client.api import query
from mission_control.client.forges import reading
from mission_control.client.forges.model import CLOSED, MERGED, OPEN, Check, Forge, PullRequest, Requested, checks_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Pulls(Forge):
    LOG = "/actions/jobs/{}/logs"
    PAGE, SIZE = "pull", "per_page=100"  # of people's pages, and of lists
    DECIDES: dict[str, str] = {}

    def look(self, number: int) -> PullRequest:
        pull = self.calls.get(f"{self.path}/pulls/{number}")
        head = reading.needed_commit(pull, "head", "sha")
        url, base = f"{self.place.web}/{self.place.path}/{self.PAGE}/{number}", reading.name(pull, "base", "ref")
        if reading.at(pull, "merged") is True or reading.text(pull, "merged_at"):
            merged = reading.commit(pull, "merge_commit_sha") or None
            return PullRequest(number, url, MERGED, head, base, merge_commit=merged)
        if reading.text(pull, "state") == "closed":
            return PullRequest(number, url, CLOSED, head, base)
        checks = self._checks(head)
        return PullRequest(
            number, url, OPEN, head, base, checks_of(check.state for check in checks), self._failing(checks),
            self._has_conflict(number, head, pull), self._requested(f"{self.path}/pulls/{number}/reviews"),
        )  # fmt: skip

    def _checks(self, head: str) -> list[Check]:
        raise NotImplementedError

    def _has_conflict(self, number: int, head: str, pull: object) -> bool | None:
        raise NotImplementedError

    def _counts(self, review: object) -> bool:
        raise NotImplementedError

    def _listing(self, branch: str, state: str) -> list[object]:
        return self.calls.pages(f"{self.path}/pulls{query(state=state)}", size=self.SIZE)

    def _newest(self, branch: str, *, only_open: bool) -> int:
        for pull in self._listing(branch, "open" if only_open else "all"):
            is_ours = reading.text(pull, "head", "repo", "full_name").lower() == self.place.path.lower()
            if is_ours and reading.text(pull, "head", "ref") == branch:
                return reading.number(pull, "number")
        return 0

    def _create(self, branch: str, base: str, title: str, body: str) -> int:
        content = {"head": branch, "base": base, "title": title, "body": body}
        return reading.needed_number(self.calls.post(f"{self.path}/pulls", content), "number")

    def _ask(self, number: int, reviewers: Sequence[str]) -> None:
        self.calls.post(f"{self.path}/pulls/{number}/requested_reviewers", {"reviewers": list(reviewers)})

    def _requested(self, path: str) -> tuple[Requested, ...]:
        """What those ask for whose last review does, of those who may write to the repository."""
        reviews = (review for review in self.calls.pages(path, size=self.SIZE) if self._counts(review))
        deciding = (review for review in reviews if reading.text(review, "state") in self.DECIDES)
        last = {reading.name(review, "user", "login"): review for review in deciding}
        return tuple(
            self._request(path, who, review)
            for who, review in last.items()
            if who and self.DECIDES[reading.text(review, "state")] == "asks"
        )

    def _request(self, path: str, who: str, review: object) -> Requested:
        mark = reading.needed_number(review, "id")
        comments = self.calls.pages(f"{path}/{mark}/comments", size=self.SIZE)
        parts = [reading.words(review, "body"), *map(self._comment, comments)]
        return Requested(who, "\n\n".join(filter(None, parts))[: reading.LONGEST_WORDS], str(mark))

    def _comment(self, comment: object) -> str:
        raise NotImplementedError
