"""Payloads of forges are read: what they tell, in any order; what is forged, odd or something else tells nothing."""

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mission_control.boards.forge_states import Place, checks_of, place_of, repository_of, review_of
from mission_control.webhooks.forges.providers import Facts, Telling, merged, reading
from tests.forges import FORGEJO, FORGEJO_AT, FORMER, GITHUB, GITLAB, GITLAB_AT, HEAD, LATER, REPOSITORY, changed

KEY = "github.com/codertocat/hello-world"


def known_after(*payloads: Any) -> dict[tuple[str, str], Facts]:
    """What is known after these calls, by kind and name."""
    return known_from([reading(payload) for payload in payloads])


def known_from(tellings: list[Telling]) -> dict[tuple[str, str], Facts]:
    known: dict[tuple[str, str], Facts] = {}
    for telling in tellings:
        for one in telling.reports:
            place = (one.kind, one.name)
            known[place] = merged(one.kind, known.get(place, {}), one.facts)
    return known


@pytest.mark.parametrize("name", [name for name in GITHUB if name not in ("ping", "push.tag", "check_suite.requested")])
def test_examples_of_github_tell_something(name: str) -> None:
    found = reading(GITHUB[name])
    assert found.repository == KEY and len(found.reports) == 1


@pytest.mark.parametrize("name", ["ping", "push.tag", "check_suite.requested"])
def test_what_is_not_used_tells_nothing(name: str) -> None:
    assert reading(GITHUB[name]).reports == []


def test_pull_request_of_github() -> None:
    [report] = reading(GITHUB["pull_request.opened"]).reports
    assert (report.kind, report.name) == ("pull", "2")
    assert report.facts == {
        "number": 2, "url": f"{REPOSITORY}/pull/2", "state": "open", "head": HEAD, "branch": "changes",
        "at": "2019-05-15T15:20:33.000000+00:00", "reviews": {}, "is_fork": False, "seen": [],
    }  # fmt: skip
    states: dict[str, dict[str, Any]] = {
        "draft": {"pull_request__draft": True},
        "closed": {"pull_request__state": "closed"},
        "merged": {"pull_request__state": "closed", "pull_request__merged_at": "2019-05-15T15:21:18Z"},
    }
    for state, values in states.items():
        [report] = reading(changed(GITHUB["pull_request.opened"], **values)).reports
        assert report.facts["state"] == state
    [report] = reading(changed(GITHUB["pull_request.opened"], pull_request__head__repo=None)).reports
    assert report.facts["is_fork"]


@pytest.mark.parametrize(("forge", "at", "number"), [(GITLAB, GITLAB_AT, 12), (FORGEJO, FORGEJO_AT, 7)])
def test_other_forges_tell_the_same(forge: dict[str, Any], at: str, number: int) -> None:
    pull, run, push = forge.values()
    found = known_after(pull, run, push)
    assert reading(pull).repository == repository_of(at)
    assert (found["pull", str(number)]["state"], found["pull", str(number)]["head"]) == ("open", HEAD)
    assert checks_of(found["commit", HEAD]) == ("passed" if forge is GITLAB else "running")
    assert found["branch", "changes"] == {"head": LATER, "seen": [HEAD]}


def test_reviews() -> None:
    back = changed(GITHUB["pull_request_review.submitted"], review__state="changes_requested")
    yes = changed(back, review__state="approved", review__submitted_at="2019-05-15T15:30:00Z")
    other = changed(yes, review__user__login="octocat")
    gone = changed(back, action="dismissed")
    for payloads, review in (
        ([GITHUB["pull_request_review.submitted"]], None),
        ([back], "changes_requested"),
        ([back, yes], "approved"),
        ([yes, back], "approved"),
        ([back, other], "changes_requested"),
        ([back, gone, other], "approved"),
    ):
        assert review_of(known_after(*payloads)["pull", "2"]) == review
    approved = changed(GITLAB["merge_request"], object_attributes__action="approved")
    assert review_of(known_after(approved)["pull", "12"]) == "approved"
    later = {"object_attributes__action": "unapproved", "object_attributes__updated_at": "2026-11-29 10:24:00 UTC"}
    assert review_of(known_after(approved, changed(GITLAB["merge_request"], **later))["pull", "12"]) is None
    no = changed(FORGEJO["pull_request"], action="reviewed", review={"type": "pull_request_review_rejected"})
    assert review_of(known_after(no)["pull", "7"]) == "changes_requested"


CLOSED = changed(
    GITHUB["pull_request.closed"], pull_request__merged_at="2019-05-15T15:21:18Z", pull_request__head__sha=LATER
)
RUN = GITHUB["check_run.completed"]
RERUN = changed(RUN, check_run__id=128620999, check_run__conclusion="success")
PUSH = changed(GITHUB["push"], ref="refs/heads/changes", before=FORMER, after=HEAD)
PUSHED = changed(PUSH, before=HEAD, after=LATER)


def test_order_of_calls_changes_nothing() -> None:
    calls = [GITHUB["pull_request.opened"], CLOSED, GITHUB["check_run.created"], RUN, RERUN, PUSH, PUSHED]
    report = known_after(*calls)
    assert (report["pull", "2"]["state"], report["pull", "2"]["head"]) == ("merged", LATER)
    assert checks_of(report["commit", HEAD]) == "passed"
    assert report["branch", "changes"]["head"] == LATER
    for order in itertools.permutations([reading(one) for one in calls]):
        found = known_from([*order, *order[:3]])  # some of them twice
        assert found["pull", "2"] == report["pull", "2"] and found["commit", HEAD] == report["commit", HEAD]
        assert found["branch", "changes"]["head"] == LATER


def test_forced_push_back_is_followed() -> None:
    back = changed(PUSH, before=LATER, after=HEAD)
    assert known_after(PUSH, PUSHED, back)["branch", "changes"]["head"] == HEAD
    assert known_after(PUSH, PUSHED, back, PUSH)["branch", "changes"]["head"] == HEAD
    on = changed(PUSH, before=HEAD, after="7c" * 20)
    assert known_after(PUSH, PUSHED, back, on, back)["branch", "changes"]["head"] == "7c" * 20
    deleted = changed(PUSH, before=HEAD, after="0" * 40)
    assert known_after(PUSH, deleted)["branch", "changes"]["head"] == HEAD


def test_second_attempt_of_a_workflow_is_newer() -> None:
    first = changed(GITHUB["workflow_run.completed"], workflow_run__conclusion="failure", workflow_run__run_attempt=1)
    again = changed(first, workflow_run__conclusion=None, workflow_run__status="queued", workflow_run__run_attempt=2)
    head = first["workflow_run"]["head_sha"]
    assert checks_of(known_after(first)["commit", head]) == "failed"
    assert checks_of(known_after(again, first)["commit", head]) == "running"


def test_the_same_check_is_as_its_latest_moment_says() -> None:
    def ended(conclusion: str | None, minute: int) -> dict[str, Any]:
        at = f"2019-05-15T15:{minute}:00Z"
        return changed(
            GITHUB["workflow_run.completed"], workflow_run__conclusion=conclusion, workflow_run__updated_at=at
        )

    head = GITHUB["workflow_run.completed"]["workflow_run"]["head_sha"]
    failed, passed, other = ended("failure", 20), ended("success", 30), ended("failure", 30)
    for order in ([failed, passed], [passed, failed], [passed, other]):
        assert checks_of(known_after(*order)["commit", head]) == "passed"
    begun = changed(other, workflow_run__conclusion=None, workflow_run__status="in_progress")
    assert checks_of(known_after(begun, failed)["commit", head]) == "failed"  # its clock is behind, and yet it ended
    assert checks_of(known_after(failed, begun)["commit", head]) == "failed"


@pytest.mark.parametrize("values", [
    {"pull_request__html_url": "javascript:alert(1)"},
    {"pull_request__html_url": "https://evil.example/Codertocat/Hello-World/pull/2"},
    {"pull_request__html_url": f"{REPOSITORY}-forged/pull/2"},
    {"pull_request__head__sha": "0" * 40},
    {"pull_request__head__sha": "main"},
    {"pull_request__number": -2},
    {"pull_request__number": True},
    {"pull_request__number": 10**30},
    {"pull_request": []},
    {"repository": None},
    {"repository__html_url": "file:///etc/passwd"},
    {"repository__html_url": "https://["},
])  # fmt: skip
def test_what_is_forged_or_odd_tells_nothing(values: dict[str, Any]) -> None:
    assert reading(changed(GITHUB["pull_request.opened"], **values)).reports == []


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=4,
)
NAMES = sorted({*GITHUB} | {f"gitlab.{name}" for name in GITLAB} | {f"forgejo.{name}" for name in FORGEJO})


def _paths(value: Any, way: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(value, dict):
        return [way]
    return [way, *(path for name, one in value.items() for path in _paths(one, (*way, name)))][bool(not way) :]


@settings(max_examples=150)
@given(st.data())
def test_any_value_anywhere_is_read(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(NAMES))
    payload = GITHUB.get(name) or (GITLAB if name.startswith("gitlab") else FORGEJO)[name.partition(".")[2]]
    values = {"__".join(data.draw(st.sampled_from(_paths(payload)))): data.draw(ODD)}
    telling = reading(changed(payload, **values))
    assert isinstance(telling, Telling)
    for one in telling.reports:
        again = merged(one.kind, merged(one.kind, {}, one.facts), one.facts)
        assert again == merged(one.kind, {}, one.facts) and len(one.name) <= 255


@settings(max_examples=50)
@given(ODD)
def test_any_json_is_read(value: Any) -> None:
    assert reading(value) == Telling()


@pytest.mark.parametrize(("address", "key"), [
    ("https://GitHub.com/Acme/App/", "github.com/acme/app"), ("http://git.example:3000/a.git", "git.example:3000/a"),
    ("https://ada:secret@github.com/acme/app", "github.com/acme/app"), ("git@github.com:acme/app.git", ""),
    ("https://github.com", ""), ("ftp://x/y", ""), ("https://x:port/y", ""), ("https://x/" + "y" * 600, ""),
])  # fmt: skip
def test_addresses_of_repositories(address: str, key: str) -> None:
    assert repository_of(address) == key


@pytest.mark.parametrize(("code", "place"), [
    ({"pull_request": "https://github.com/acme/app/pull/7/files?w=1#x"}, Place("github.com/acme/app", "pull", "7")),
    ({"pull_request": f"{GITLAB_AT}/-/merge_requests/012"}, Place("gitlab.example.org/shop/web", "pull", "12")),
    ({"pull_request": f"{FORGEJO_AT}/pulls/7"}, Place("forge.example.org/shop/web", "pull", "7")),
    ({"pull_request": "https://github.com/acme/app/issues/7", "branch": "x"}, None),
    ({"branch": "x", "commits": [{"id": HEAD}, {"url": f"{GITLAB_AT}/-/commit/{HEAD}"}]},
     Place("gitlab.example.org/shop/web", "branch", "x")),
    ({"branch": None, "commits": [{"url": f"{FORGEJO_AT}/commit/{HEAD}"}]}, None),
    ({"branch": "x"}, None), (None, None), ("x", None),
])  # fmt: skip
def test_place_of_a_hand_in(code: object, place: Place | None) -> None:
    assert place_of(code) == place
