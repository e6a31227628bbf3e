"""What the APIs of the three kinds of forge answer about one state, in the fields of their documentation."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from tests.forges.state import Check, Pull, Review, State

Answer = tuple[int, Any]
MISSING: Answer = (404, {"message": "Not Found"})
RED = {"success": "success", "failure": "failed", "pending": "running"}  # GitLab's words


@dataclass
class Call:
    """A request below the root of an API."""

    method: str
    parts: list[str]
    query: dict[str, str]
    body: Any

    @classmethod
    def of(cls, method: str, path: str, body: Any) -> "Call":
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        return cls(method, [unquote(part) for part in parts.path.strip("/").split("/")], query, body)


class PullsApi:
    """GitHub's shapes, which Forgejo's and Gitea's are like."""

    ROOT, TOKEN = "api/v3", "Bearer {}"

    def __init__(self, state: State, web: str) -> None:
        self.state, self.web = state, web

    def answer(self, call: Call) -> Answer:
        match call.method, call.parts:
            case method, ["repos", owner, name, *rest] if f"{owner}/{name}" == self.state.path:
                return self.of_repository(method, rest, call)
        return MISSING

    def of_repository(self, method: str, rest: list[str], call: Call) -> Answer:
        match method, rest:
            case "GET", ["pulls"]:
                return 200, self.listed(call)
            case "POST", ["pulls"]:
                return self.open(call.body)
            case _, ["pulls", number, *more]:
                pull = self.state.pull(int(number))
                return self.of_pull(method, pull, more, call) if pull else MISSING
            case "GET", ["actions", "jobs", number, "logs"]:
                check = self.state.check_of(int(number))
                return (200, check.log.encode()) if check else MISSING
            case "GET", ["commits", commit, *more]:
                return 200, self.of_commit(more, self.state.checks.get(commit, []))
        return MISSING

    def listed(self, call: Call) -> list[Any]:
        listed = [pull for pull in reversed(self.state.pulls) if call.query["state"] in ("all", pull.state)]
        head = call.query.get("head", "").partition(":")[2]
        return [self.pull(pull) for pull in listed if head in ("", pull.branch)]

    def open(self, body: Any) -> Answer:
        pull = self.state.open(body["head"], body["base"], body["title"], body["body"])
        if pull is None:
            return self.taken(body["head"])
        return 201, self.pull(pull)

    def taken(self, branch: str) -> Answer:
        message = f"A pull request already exists for {self.state.path.partition('/')[0]}:{branch}."
        return 422, {"message": "Validation Failed", "errors": [{"resource": "PullRequest", "message": message}]}

    def of_pull(self, method: str, pull: Pull, more: list[str], call: Call) -> Answer:
        match method, more:
            case "GET", []:
                return 200, self.pull(pull)
            case "POST", ["requested_reviewers"]:
                pull.reviewers += call.body["reviewers"]
                return 201, self.pull(pull)
            case "GET", ["reviews"]:
                return 200, [self.review(review) for review in pull.reviews]
            case "GET", ["reviews", number, "comments"]:
                review = next(review for review in pull.reviews if review.number == int(number))
                return 200, [self.comment(*comment) for comment in review.comments]
        return MISSING

    def pull(self, pull: Pull) -> Any:
        return {
            "number": pull.number, "state": "open" if pull.state == "open" else "closed", "title": pull.title,
            "body": pull.body, "draft": False, "html_url": f"{self.web}/{self.state.path}/pull/{pull.number}",
            "merged": pull.state == "merged", "merged_at": "2026-12-03T10:00:00Z" if pull.merge_commit else None,
            "merge_commit_sha": pull.merge_commit, "mergeable": self.mergeable(pull),
            "head": {"ref": pull.branch, "sha": self.state.head(pull), "repo": {"full_name": self.state.path}},
            "base": {"ref": pull.base, "sha": self.state.git("rev-parse", pull.base)},
        }  # fmt: skip

    def mergeable(self, pull: Pull) -> bool | None:
        return not self.state.has_conflict(pull) if self.is_sure() else None

    def is_sure(self) -> bool:
        self.state.unsure -= 1
        return self.state.unsure < 0

    def of_commit(self, more: list[str], checks: list[Check]) -> Any:
        if more == ["status"]:
            return {"state": "pending", "total_count": 0, "statuses": []}
        runs = [
            {
                "id": check.number, "name": check.name, "app": {"slug": "github-actions"},
                "status": "in_progress" if check.state == "pending" else "completed",
                "conclusion": None if check.state == "pending" else check.state,
                "html_url": f"{self.web}/{self.state.path}/actions/runs/1/job/{check.number}",
                "output": {"title": None, "summary": None, "text": None},
            }
            for check in checks
        ]  # fmt: skip
        return {"total_count": len(runs), "check_runs": runs}

    def review(self, review: Review) -> Any:
        return {
            "id": review.number, "user": {"login": review.author}, "body": review.words,
            "state": "CHANGES_REQUESTED" if review.asks else "APPROVED",
            "author_association": "MEMBER" if review.may_write else "NONE",
        }  # fmt: skip

    def comment(self, path: str, line: int, words: str) -> Any:
        return {"path": path, "line": line, "original_line": line, "position": 1, "body": words}


class ForgejoApi(PullsApi):
    ROOT, TOKEN = "api/v1", "token {}"

    def of_repository(self, method: str, rest: list[str], call: Call) -> Answer:
        match method, rest:
            case "GET", ["actions", "runs"]:
                return 200, {"total_count": 1, "workflow_runs": [{"id": 7, "index_in_repo": 1}]}
            case "GET", ["actions", "runs", "7", "jobs"]:
                checks = [check for checks in self.state.checks.values() for check in checks]
                return 200, [
                    {"id": check.number, "name": check.name, "html_url": self.page_of(check)} for check in checks
                ]
        return super().of_repository(method, rest, call)

    def page_of(self, check: Check) -> str:
        return f"{self.web}/{self.state.path}/actions/runs/1/jobs/{check.number}"

    def taken(self, branch: str) -> Answer:
        return 409, {"message": f"pull request already exists for these targets [head: {branch}]", "url": self.web}

    def mergeable(self, pull: Pull) -> bool | None:
        return self.is_sure() and not self.state.has_conflict(pull)

    def of_commit(self, more: list[str], checks: list[Check]) -> Any:
        statuses = [
            {
                "id": check.number, "status": check.state, "context": f"ci / {check.name} (push)", "description": "",
                "target_url": urlsplit(self.page_of(check)).path,
            }
            for check in checks
        ]  # fmt: skip
        return {"state": "pending", "total_count": len(statuses), "statuses": statuses}

    def review(self, review: Review) -> Any:
        return {
            "id": review.number, "user": {"login": review.author}, "body": review.words, "dismissed": False,
            "state": "REQUEST_CHANGES" if review.asks else "APPROVED", "official": review.may_write, "stale": False,
        }  # fmt: skip

    def comment(self, path: str, line: int, words: str) -> Any:
        return {"path": path, "position": line, "original_position": 0, "body": words, "resolver": None}


class GitLabApi:
    ROOT, TOKEN = "api/v4", "Bearer {}"

    def __init__(self, state: State, web: str) -> None:
        self.state, self.web = state, web

    def answer(self, call: Call) -> Answer:
        match call.method, call.parts:
            case "GET", ["users"]:
                return 200, [{"id": 5, "username": call.query["username"]}]
            case method, ["projects", path, *rest] if path == self.state.path:
                return self.of_project(method, rest, call)
        return MISSING

    def of_project(self, method: str, rest: list[str], call: Call) -> Answer:
        match method, rest:
            case "GET", ["merge_requests"]:
                return 200, self.listed(call.query)
            case "POST", ["merge_requests"]:
                return self.open(call.body)
            case _, ["merge_requests", number, *more]:
                pull = self.state.pull(int(number))
                return self.of_pull(method, pull, more, call) if pull else MISSING
            case "GET", ["pipelines", number, "jobs"]:
                return 200, [self.job(check) for check in self.failed(int(number))]
            case "GET", ["jobs", number, "trace"]:
                check = self.state.check_of(int(number))
                return (200, check.log.encode()) if check else MISSING
            case "GET", ["members", "all"]:
                reviews = [review for pull in self.state.pulls for review in pull.reviews]
                named = [review for review in reviews if review.author == call.query["query"] and review.may_write]
                return 200, [{"id": 5, "username": review.author, "access_level": 30} for review in named]
        return MISSING

    def listed(self, query: dict[str, str]) -> list[Any]:
        states = {"all": ("open", "merged", "closed"), "opened": ("open",)}[query["state"]]
        branch = query["source_branch"]
        return [self.pull(one) for one in reversed(self.state.pulls) if one.state in states and one.branch == branch]

    def open(self, body: Any) -> Answer:
        pull = self.state.open(body["source_branch"], body["target_branch"], body["title"], body["description"])
        if pull is None:
            return 409, {"message": ["Another open merge request already exists for this source branch: !1"]}
        return 201, self.pull(pull)

    def of_pull(self, method: str, pull: Pull, more: list[str], call: Call) -> Answer:
        match method, more:
            case "GET", []:
                return 200, self.pull(pull)
            case "PUT", []:
                pull.reviewers += [str(one) for one in call.body["reviewer_ids"]]
                return 200, self.pull(pull)
            case "GET", ["reviewers"]:
                asks = [review for review in pull.reviews if review.asks]
                return 200, [{"user": {"username": one.author, "id": 5}, "state": "requested_changes"} for one in asks]
            case "GET", ["discussions"]:
                return 200, [thread for review in pull.reviews for thread in self.threads(review)]
        return MISSING

    def threads(self, review: Review) -> list[Any]:
        notes: list[tuple[str, Any]] = [(review.words, None)] if review.words else []
        notes += [(words, {"new_path": path, "new_line": line}) for path, line, words in review.comments]
        return [
            {"id": f"{review.number}-{place}", "notes": [{
                "id": review.number * 100 + place, "author": {"username": review.author}, "body": words,
                "position": position, "system": False, "resolvable": True, "resolved": not review.asks,
            }]}
            for place, (words, position) in enumerate(notes)
        ]  # fmt: skip

    def pull(self, pull: Pull) -> Any:
        checks, head = self.state.checks_of(pull), self.state.head(pull)
        self.state.unsure -= 1
        is_sure, has_conflict = self.state.unsure < 0, self.state.has_conflict(pull)
        states = {check.state for check in checks}
        worst = next((state for state in ("failure", "pending", "success") if state in states), "")
        pipeline = {"id": pull.number, "sha": head, "ref": pull.branch, "status": RED[worst],
                    "web_url": f"{self.web}/pipelines/{pull.number}"} if worst else None  # fmt: skip
        return {
            "iid": pull.number, "id": 900 + pull.number, "state": "opened" if pull.state == "open" else pull.state,
            "source_branch": pull.branch, "target_branch": pull.base, "source_project_id": 3, "target_project_id": 3,
            "project_id": 3, "sha": head, "merge_commit_sha": pull.merge_commit, "squash_commit_sha": None,
            "author": {"username": "ada"}, "title": pull.title, "description": pull.body, "head_pipeline": pipeline,
            "web_url": f"{self.web}/{quote(self.state.path)}/-/merge_requests/{pull.number}",
            "has_conflicts": is_sure and has_conflict,
            "merge_status": "checking" if not is_sure else "cannot_be_merged" if has_conflict else "can_be_merged",
            "detailed_merge_status": "checking" if not is_sure else "conflict" if has_conflict else "mergeable",
        }  # fmt: skip

    def failed(self, pipeline: int) -> list[Check]:
        pull = self.state.pull(pipeline)
        return [check for check in self.state.checks_of(pull) if check.state == "failure"] if pull else []

    def job(self, check: Check) -> Any:
        return {"id": check.number, "name": check.name, "status": "failed", "allow_failure": False,
                "failure_reason": "script_failure", "web_url": f"{self.web}/jobs/{check.number}"}  # fmt: skip


APIS: dict[str, type[PullsApi] | type[GitLabApi]] = {"github": PullsApi, "gitlab": GitLabApi, "forgejo": ForgejoApi}
