"""What forges send.

`github.json` is of the package @octokit/webhooks-examples 7.6.1 (MIT), without most of what nobody reads; one example
named a pull request of another repository.
"""

import json
from pathlib import Path
from typing import Any

GITHUB: dict[str, Any] = json.loads(Path(__file__).with_name("github.json").read_text(encoding="utf-8"))
REPOSITORY = "https://github.com/Codertocat/Hello-World"
HEAD, FORMER, LATER = "ec26c3e57ca3a959ca5aad62de7213c562f8c821", "0a" * 20, "5e" * 20

# The fields of GitLab's and Forgejo's documented payloads that are read, with what stands beside them.
GITLAB_AT = "https://gitlab.example.org/shop/Web"
GITLAB: dict[str, Any] = {
    "merge_request": {
        "object_kind": "merge_request",
        "event_type": "merge_request",
        "user": {"id": 1, "name": "Ada", "username": "ada", "email": "[REDACTED]"},
        "project": {"id": 1, "web_url": GITLAB_AT, "path_with_namespace": "shop/Web"},
        "repository": {"name": "Web", "url": "git@gitlab.example.org:shop/Web.git", "homepage": GITLAB_AT},
        "object_attributes": {
            "id": 99, "iid": 12, "target_branch": "main", "source_branch": "changes", "source_project_id": 14,
            "target_project_id": 14, "title": "MS-Viewport", "created_at": "2026-11-29 10:23:34 UTC",
            "updated_at": "2026-11-29 10:23:34 UTC", "state": "opened", "draft": False, "work_in_progress": False,
            "url": f"{GITLAB_AT}/-/merge_requests/12", "last_commit": {"id": HEAD, "message": "fixed"},
            "action": "open", "detailed_merge_status": "mergeable",
        },
    },
    "pipeline": {
        "object_kind": "pipeline",
        "object_attributes": {
            "id": 31, "iid": 3, "ref": "changes", "tag": False, "sha": HEAD, "source": "merge_request_event",
            "status": "success", "stages": ["build", "test"], "created_at": "2026-11-29 10:23:40 UTC",
            "finished_at": "2026-11-29 10:26:29 UTC", "duration": 63,
        },
        "user": {"id": 1, "username": "ada"},
        "project": {"id": 1, "web_url": GITLAB_AT},
        "builds": [{"id": 380, "name": "production", "status": "skipped"}],
    },
    "push": {
        "object_kind": "push", "event_name": "push", "before": HEAD, "after": LATER, "ref": "refs/heads/changes",
        "checkout_sha": LATER, "user_username": "ada", "project_id": 1, "total_commits_count": 1,
        "project": {"id": 1, "web_url": GITLAB_AT},
        "repository": {"name": "Web", "homepage": GITLAB_AT},
        "commits": [{"id": LATER, "message": "More"}],
    },
}  # fmt: skip
FORGEJO_AT = "https://forge.example.org/shop/web"
_FORGEJO_REPOSITORY = {"id": 140, "full_name": "shop/web", "html_url": FORGEJO_AT, "default_branch": "main"}
FORGEJO: dict[str, Any] = {
    "pull_request": {
        "action": "opened", "number": 7,
        "pull_request": {
            "id": 3, "url": f"{FORGEJO_AT}/pulls/7", "number": 7, "title": "Changes", "state": "open", "draft": False,
            "html_url": f"{FORGEJO_AT}/pulls/7", "merged": False, "merged_at": None,
            "head": {"label": "changes", "ref": "changes", "sha": HEAD, "repo": _FORGEJO_REPOSITORY},
            "base": {"label": "main", "ref": "main", "sha": FORMER, "repo": _FORGEJO_REPOSITORY},
            "created_at": "2026-11-29T11:00:00+01:00", "updated_at": "2026-11-29T11:00:00+01:00",
        },
        "requested_reviewer": None, "repository": _FORGEJO_REPOSITORY,
        "sender": {"id": 1, "login": "ada", "username": "ada"}, "commit_id": "", "review": None,
    },
    "status": {
        "id": 5, "sha": HEAD, "state": "pending", "context": "ci/build", "created_at": "2026-11-29T10:01:00Z",
        "updated_at": None, "repository": _FORGEJO_REPOSITORY, "sender": {"login": "ci"}, "target_url": "",
    },
    "push": {
        "ref": "refs/heads/changes", "before": HEAD, "after": LATER, "total_commits": 1, "commits": [{"id": LATER}],
        "repository": _FORGEJO_REPOSITORY, "pusher": {"login": "ada"}, "sender": {"login": "ada"},
    },
}  # fmt: skip


def changed(payload: dict[str, Any], **values: Any) -> dict[str, Any]:
    """A copy of a payload with other values, by their paths: `pull_request__head__sha`."""
    found: dict[str, Any] = json.loads(json.dumps(payload))
    for path, value in values.items():
        *way, last = path.split("__")
        at = found
        for name in way:
            at = at[name]
        at[last] = value
    return found
