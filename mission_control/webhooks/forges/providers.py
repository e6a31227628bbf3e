"""What GitHub, GitLab and Forgejo (and Gitea) send: who signed it, what it tells, and which of two tellings is newer.

Their times and numbers decide, not the order in which calls arrive: what was sent again, or late, changes nothing.
"""

import hmac
import re
import secrets
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from mission_control.boards.forge_states import repository_of
from mission_control.client.forges.states import ENDED
from mission_control.core.values import new_secret

type Forge = Literal["github", "gitlab", "forgejo"]
type Facts = dict[str, Any]

NAMES: dict[str, str] = {"github": "GitHub", "gitlab": "GitLab", "forgejo": "Forgejo or Gitea"}
SIGNATURES = {
    "github": ("x-hub-signature-256",),
    "forgejo": ("x-forgejo-signature", "x-gitea-signature"),
    "gitlab": ("webhook-signature", "x-gitlab-token"),
}
EVENT_HEADERS = ("x-github-event", "x-gitlab-event", "x-forgejo-event", "x-gitea-event")
STANDARD = "whsec_"  # how secrets of standard webhooks begin, which GitLab signs with

SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
# GitLab's states, and those of others that stand for a review; what takes one back leaves none.
REVIEWS = {
    **dict.fromkeys(("approved", "approval", "pull_request_review_approved"), "approved"),
    **dict.fromkeys(("changes_requested", "pull_request_review_rejected"), "changes_requested"),
    **dict.fromkeys(("dismissed", "unapproved", "unapproval"), "taken_back"),
}
LONGEST_NAME, LONGEST_BRANCH = 200, 255
MOST_SEEN, MOST_CHECKS, MOST_REVIEWS = 50, 200, 100
MOST_NUMBER = 2**53


def new_forge_secret(forge: str) -> str:
    """Return a random secret; for GitLab one that both of its fields take, the signing token and the secret token."""
    return STANDARD + b64encode(secrets.token_bytes(32)).decode() if forge == "gitlab" else new_secret("mcw")


def is_gitlab_signed(body: bytes, secret: str, headers: Mapping[str, str]) -> bool | None:
    """Return whether GitLab signed it, by its signing token or, in older versions, by its secret token in the clear."""
    signatures = headers.get("webhook-signature", "").split()
    if not signatures:
        token = headers.get("x-gitlab-token")
        return None if not token else hmac.compare_digest(secret.encode(), token.encode("utf-8", "surrogateescape"))
    try:
        key = b64decode(secret.removeprefix(STANDARD), validate=True)
    except (Error, ValueError):
        key = secret.encode()
    head = f"{headers.get('webhook-id', '')}.{headers.get('webhook-timestamp', '')}."
    wanted = "v1," + b64encode(hmac.digest(key, head.encode("utf-8", "surrogateescape") + body, "sha256")).decode()
    given = [signature.encode("utf-8", "surrogateescape") for signature in signatures]
    return any(hmac.compare_digest(wanted.encode(), one) for one in given)


@dataclass(frozen=True, slots=True)
class Report:
    """What a call tells of one pull request, branch or commit."""

    kind: Literal["pull", "branch", "commit"]
    name: str
    facts: Facts


@dataclass(frozen=True, slots=True)
class Telling:
    """What a call tells, and of which repository; nothing where it is about something else."""

    repository: str = ""
    reports: list[Report] = field(default_factory=list)


def reading(payload: object) -> Telling:
    """Read a payload. What is missing, or is not what it should be, tells nothing."""
    if not isinstance(payload, dict):
        return Telling()
    is_gitlab = isinstance(payload.get("object_kind"), str)
    address = _text(payload, "project", "web_url") if is_gitlab else _text(payload, "repository", "html_url")
    if not (repository := repository_of(address)):
        return Telling()
    readers = (_gitlab_pull, _push, _pipeline) if is_gitlab else (_pull, _push, _check_run, _check_suite, _status, _run)
    found = [report for reader in readers if (report := reader(payload)) is not None]
    # A pull request lies in its repository: an address elsewhere is forged, and becomes no link.
    return Telling(repository, [one for one in found if one.kind != "pull" or _is_in(one.facts["url"], address)])


def _is_in(url: str, repository: str) -> bool:
    return url.lower().startswith(f"{repository.rstrip('/').lower()}/")


def _pull(payload: Facts) -> Report | None:
    pull = _object(payload, "pull_request")
    number, head = _number(pull, "number"), _sha(pull, "head", "sha")
    if not number or not head:
        return None
    at, state = _moment(pull, "updated_at"), _pull_state(pull)
    facts = _pull_facts(number, _text(pull, "html_url"), state, head, _text(pull, "head", "ref"), at)
    theirs, ours = _text(pull, "head", "repo", "full_name"), _text(payload, "repository", "full_name")
    facts["is_fork"] = theirs.lower() != ours.lower()
    facts["seen"] = [before] if (before := _sha(payload, "before")) and before != head else []
    review = _object(payload, "review")
    word = "dismissed" if payload.get("action") == "dismissed" else _text(review, "state") or _text(review, "type")
    who = _text(review, "user", "login") or _text(payload, "sender", "login")
    _add_review(facts, who, word, _moment(review, "submitted_at") or at)
    return Report("pull", str(number), facts)


def _pull_state(pull: Facts) -> str:
    if pull.get("merged") is True or pull.get("merged_at"):
        return "merged"
    return "closed" if pull.get("state") == "closed" else "draft" if pull.get("draft") is True else "open"


def _gitlab_pull(payload: Facts) -> Report | None:
    pull = _object(payload, "object_attributes") if payload["object_kind"] == "merge_request" else {}
    number, head = _number(pull, "iid"), _sha(pull, "last_commit", "id")
    if not number or not head:
        return None
    is_draft = pull.get("draft") is True or pull.get("work_in_progress") is True
    state = {"merged": "merged", "closed": "closed"}.get(_text(pull, "state"), "draft" if is_draft else "open")
    at = _moment(pull, "updated_at")
    facts = _pull_facts(number, _text(pull, "url"), state, head, _text(pull, "source_branch"), at)
    facts["is_fork"] = pull.get("source_project_id") != pull.get("target_project_id")
    facts["seen"] = [before] if (before := _sha(pull, "oldrev")) and before != head else []
    _add_review(facts, _text(payload, "user", "username"), _text(pull, "action"), at)
    return Report("pull", str(number), facts)


def _pull_facts(number: int, url: str, state: str, head: str, branch: str, at: str) -> Facts:
    branch = branch if len(branch) <= LONGEST_BRANCH else ""
    return {"number": number, "url": url, "state": state, "head": head, "branch": branch, "at": at, "reviews": {}}


def _add_review(facts: Facts, who: str, word: str, at: str) -> None:
    if who and word.lower() in REVIEWS:
        facts["reviews"][who] = {"state": REVIEWS[word.lower()], "at": at}


def _push(payload: Facts) -> Report | None:
    ref, after = _text(payload, "ref"), _sha(payload, "after")
    is_push = payload.get("object_kind", "push") == "push"
    branch = ref.removeprefix("refs/heads/")
    if not is_push or not after or branch in ("", ref) or len(branch) > LONGEST_BRANCH:
        return None
    before = _sha(payload, "before")
    return Report("branch", branch, {"head": after, "seen": [before] if before else []})


def _check_run(payload: Facts) -> Report | None:
    run = _object(payload, "check_run")
    name = f"run/{_number(run, 'check_suite', 'id')}/{_text(run, 'name')}"
    return _check(run, _sha(run, "head_sha"), name, _number(run, "id"), "completed_at")


def _check_suite(payload: Facts) -> Report | None:
    """Read a suite that has ended: those of apps that check nothing never end."""
    suite = _object(payload, "check_suite") if "check_run" not in payload else {}
    if suite.get("status") != "completed" or not suite.get("conclusion"):
        return None
    number = _number(suite, "id")
    return _check(suite, _sha(suite, "head_sha"), f"suite/{number}", number, "updated_at")


def _run(payload: Facts) -> Report | None:
    """Read a run of a workflow; a second attempt has the same id."""
    run = _object(payload, "workflow_run")
    number = _number(run, "id")
    number = number and number * 1000 + min(_number(run, "run_attempt"), 999)
    name = f"workflow/{_number(run, 'workflow_id') or _text(run, 'name') or _text(run, 'path')}"
    return _check(run, _sha(run, "head_sha"), name, number, "updated_at")


def _status(payload: Facts) -> Report | None:
    if not _text(payload, "context"):
        return None
    return _check(payload, _sha(payload, "sha"), f"status/{payload['context']}", _number(payload, "id"), "updated_at")


def _pipeline(payload: Facts) -> Report | None:
    run = _object(payload, "object_attributes") if payload["object_kind"] == "pipeline" else {}
    name = f"pipeline/{_text(run, 'source')}"
    return _check(run, _sha(run, "sha"), name, _number(run, "id"), "finished_at")


def _check(of: Facts, head: str, name: str, number: int, at: str) -> Report | None:
    """Return a check of a commit: its state, and by its number and time how new that is."""
    if not head or not number:
        return None
    word = _text(of, "conclusion") or _text(of, "status") or _text(of, "state")
    check = {"number": number, "state": ENDED.get(word.lower(), "running"), "at": _moment(of, at)}
    return Report("commit", head, {"checks": {name[:LONGEST_NAME]: check}})


def merged(kind: str, known: Facts, report: Facts) -> Facts:
    """Return what is known after a telling; the same when that is older, or says nothing new."""
    return {"pull": _merged_pull, "branch": _merged_branch, "commit": _merged_commit}[kind](known, report)


def _merged_pull(known: Facts, report: Facts) -> Facts:
    is_older = report["at"] < known.get("at", "") or (known.get("state") == "merged" and report["state"] != "merged")
    reviews = dict(known.get("reviews", {}))
    for who, one in report["reviews"].items():
        if one["at"] >= reviews.get(who, one)["at"]:
            reviews[who] = one
    newest = sorted(reviews.items(), key=lambda one: one[1]["at"])[-MOST_REVIEWS:]
    now = known if is_older else report
    former = (*known.get("seen", []), *report["seen"], report["head"], known.get("head"))
    seen = list(dict.fromkeys(one for one in former if one and one != now["head"]))[-MOST_SEEN:]
    return now | {"reviews": dict(newest), "seen": seen}


def _merged_branch(known: Facts, report: Facts) -> Facts:
    """Follow a push, unless its commit was left already: the pushes that came since then say so."""
    head, seen = known.get("head"), known.get("seen", [])
    is_next = head is None or head in report["seen"]
    if report["head"] == head or (report["head"] in seen and not is_next):
        kept = [commit for commit in report["seen"] if commit not in (head, *seen)]
        return known | {"seen": (kept + seen)[-MOST_SEEN:]}
    left = [commit for commit in (*seen, *report["seen"], head) if commit not in (None, "", report["head"])]
    return {"head": report["head"], "seen": list(dict.fromkeys(left))[-MOST_SEEN:]}


def _merged_commit(known: Facts, report: Facts) -> Facts:
    checks = dict(known.get("checks", {}))
    for name, one in report["checks"].items():
        if name not in checks or _is_newer(one, checks[name]):
            checks[name] = one
    newest = sorted(checks.items(), key=lambda one: one[1]["number"])[-MOST_CHECKS:]
    return {"checks": dict(newest)}


def _is_newer(one: Facts, known: Facts) -> bool:
    if one["number"] != known["number"]:
        return bool(one["number"] > known["number"])
    if one["state"] == "running":
        return False
    return known["state"] == "running" or bool(one["at"] > known["at"])


def _at(value: object, *path: str) -> object:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _object(value: Facts, name: str) -> Facts:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _text(value: object, *path: str) -> str:
    found = _at(value, *path)
    return found if isinstance(found, str) and len(found) <= 2 * LONGEST_NAME else ""


def _sha(value: object, *path: str) -> str:
    """Return the id of a commit; empty also for the one of zeros, which stands for none."""
    found = _text(value, *path).lower()
    return found if SHA.fullmatch(found) and found.strip("0") else ""


def _number(value: object, *path: str) -> int:
    found = _at(value, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) and 0 < found < MOST_NUMBER else 0


def _moment(value: object, *path: str) -> str:
    """Return a time in UTC in the one form in which their order is the order of time; empty when it is none."""
    text = _text(value, *path).replace(" UTC", "+00:00")
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC).isoformat(timespec="microseconds")
    except (ValueError, OverflowError):
        return ""
