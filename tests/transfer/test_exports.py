"""Boards as files: export, import, and what is dropped."""

import copy
import csv
import gzip
import io
import itertools
from typing import Any

import orjson
import pytest

from mission_control.approvals.models import Approval
from mission_control.boards.models import Board
from mission_control.database import sql
from mission_control.events.leases import Delivery
from mission_control.people.models import Member
from mission_control.tasks.custom_fields import values as patterns
from mission_control.tasks.models import Tag
from mission_control.transfer import exporting
from mission_control.transfer.exporting import cell
from tests.cast import Cast, events, head, kinds
from tests.things import bring
from tests.visitor import visitor

pytestmark = pytest.mark.dialect

IMPORT = "/boards/imports"
TIMES = {"exported_at", "created_at", "updated_at", "edited_at", "resolved_at", "in_progress_at", "position"}


async def furnished(cast: Cast) -> dict[str, Any]:
    """Export a board that uses every feature."""
    await Member.filter(user_id=cast.cleo.id).update(all_boards_read=True)
    tag = (await cast.ada.post("/tags", {"name": "Night work", "color": "#112233", "description": "After dark"})).ok()
    field = {"field_key": "lens", "field_type": "text", "board_ids": [str(cast.board.id)], "label": "Lens"}
    size = {"field_key": "size", "field_type": "integer", "board_ids": [str(cast.board.id)], "default_value": 3}
    for one in (field, size):
        (await cast.ada.post("/organizations/me/custom-fields", one)).ok()
    first = await cast.add_task(title="Grind", tag_ids=[tag["id"]], custom_field_values={"lens": "12", "size": 5})
    second = await cast.add_task(
        title="Polish",
        description="Until it shines",
        depends_on_task_ids=[first["id"]],
        due_at="2026-12-01T10:00:00",
        priority="high",
    )
    third = await cast.add_task(title="Mount", assigned_user_id=str(cast.cleo.id), status="in_progress")
    gone = await cast.add_task(title="Gone", depends_on_task_ids=[first["id"]])
    (await cast.ada.patch(cast.task(second), {"depends_on_task_ids": [first["id"], third["id"]]})).ok()
    (await cast.ada.post(f"{cast.task(first)}/checklist", {"text": "Fetch sand"})).ok()
    water = {"text": "Fetch water", "is_done": True, "is_criterion": True}
    (await cast.ada.post(f"{cast.task(first)}/checklist", water)).ok()
    for who in (cast.cleo, cast.vega):
        (await who.post(f"{cast.task(first)}/comments", {"message": f"From {who.name}"})).ok()
    asked = await cast.ask(cast.vega, first, second, payload={"reason": "now", "how": [1]}, rubric_scores={"care": 3})
    (await cast.ada.patch(f"{cast.approvals}/{asked['id']}", {"status": "approved", "note": "Go."})).ok()
    await cast.ask(cast.rigel, third)
    (await cast.ada.post(f"{cast.home}/memory", {"content": "The sky is clear", "tags": ["weather"]})).ok()
    (await cast.atlas.post(f"/agent{cast.home}/memory", {"content": "Hello", "tags": ["chat"]})).ok()
    (await cast.ada.patch(cast.task(first), {"parent_id": third["id"], "blocks_parent": True})).ok()
    for kind, one in (("found_in", third), ("duplicate_of", gone)):
        (await cast.ada.post(f"{cast.task(second)}/links", {"kind": kind, "task_id": one["id"]})).ok()
    for title in ("Oil the dome", "Sweep"):
        new = {"title": title, "reason": "It squeaks.", "task_id": first["id"]}
        made = (await cast.vega.post(f"/agent{cast.home}/proposals", new)).ok()
    (await cast.ada.post(f"{cast.home}/proposals/{made['id']}/decision", {"decision": "drop", "note": "No."})).ok()
    (await cast.ada.delete(cast.task(gone))).ok()
    file: dict[str, Any] = (await cast.dan.get(f"{cast.home}/export")).ok()
    return file


def without(value: Any, names: set[str]) -> Any:
    if isinstance(value, dict):
        return {key: without(one, names) for key, one in value.items() if key not in names}
    return [without(one, names) for one in value] if isinstance(value, list) else value


async def test_exported_file_has_no_ids(cast: Cast) -> None:
    file = await furnished(cast)
    assert list(file) == [
        "format", "version", "exported_at", "board", "tags", "custom_fields", "tasks", "approvals", "proposals",
        "memory", "sessions", "notes",
    ]  # fmt: skip
    assert str(cast.board.id) not in orjson.dumps(file).decode()
    assert (file["board"]["name"], file["board"]["max_agents"], file["board"]["board_group"]) == ("Telescope", 3, None)
    assert "gateway_id" not in file["board"]
    assert file["tags"] == [
        {"slug": "night-work", "name": "Night work", "color": "112233", "description": "After dark"}
    ]
    assert [one["field_key"] for one in file["custom_fields"]] == ["lens", "size"]
    first, second, third = file["tasks"]
    assert (first["number"], first["tags"], first["custom_fields"]) == (1, ["night-work"], {"lens": "12", "size": 5})
    assert first["checklist"] == [
        {"text": "Fetch sand", "is_done": False, "is_criterion": False},
        {"text": "Fetch water", "is_done": True, "is_criterion": True},
    ]
    assert [one["author"] for one in first["comments"]] == [
        {"kind": "person", "email": "cleo@example.org", "name": "Cleo"},
        {"kind": "agent", "email": None, "name": "Vega"},
    ]
    assert (second["depends_on"], second["due_at"], second["priority"]) == ([1, 3], "2026-12-01T10:00:00Z", "high")
    assert (third["assigned_person"], third["created_by"], third["status"]) == (
        "cleo@example.org", "ada@example.org", "in_progress",
    )  # fmt: skip
    assert [(one["parent"], one["blocks_parent"]) for one in file["tasks"]] == [(3, True), (None, False), (None, False)]
    assert [one["links"] for one in file["tasks"]] == [[], [{"kind": "found_in", "task": 3}], []]
    assert [(one["title"], one["found_in"], one["state"], one["decided_by"]) for one in file["proposals"]] == [
        ("Oil the dome", 1, "open", None), ("Sweep", 1, "dropped", "ada@example.org"),
    ]  # fmt: skip
    decided, waiting = file["approvals"]
    assert (decided["tasks"], decided["status"], decided["resolved_by"], decided["note"]) == (
        [1, 2], "approved", "ada@example.org", "Go.",
    )  # fmt: skip
    assert (waiting["tasks"], waiting["status"], waiting["requested_by"]["name"]) == ([3], "pending", "Rigel Orion")
    assert [(one["content"], one["is_chat"], one["author"]["kind"]) for one in file["memory"]] == [
        ("The sky is clear", False, "person"), ("Hello", True, "agent"),
    ]  # fmt: skip


async def test_exported_board_is_imported_unchanged(cast: Cast) -> None:
    file = await furnished(cast)
    before, waiting = await head(cast), await Delivery.all().count()
    answer = await bring(cast.ben, file)
    assert answer["dropped"] == []
    assert answer["counts"] == {"tasks": 3, "comments": 2, "approvals": 2, "memory": 2, "runs": 0, "sessions": 0}
    assert answer["board"]["id"] != str(cast.board.id) and answer["board"]["name"] == "Telescope"
    again = (await cast.ada.get(f"/boards/{answer['board']['id']}/export")).ok()
    assert without(again, {"exported_at"}) == without(file, {"exported_at"})
    [event] = await events(before, organization_id=cast.organization.id)
    assert (event.kind, event.actor_id, str(event.board_id)) == ("board.imported", cast.ben.id, answer["board"]["id"])
    assert orjson.loads(event.data)["counts"]["tasks"] == 3 and orjson.loads(event.data)["new_tags"] == []
    assert await Delivery.all().count() == waiting
    tasks = (await cast.ada.get(f"/boards/{answer['board']['id']}/tasks")).ok()["items"]
    polish = next(one for one in tasks if one["title"] == "Polish")
    assert polish["is_blocked"] is True and len(polish["depends_on_task_ids"]) == 2
    added = (await cast.ada.post(f"/boards/{answer['board']['id']}/tasks", {"title": "New"})).ok()
    assert added["number"] == 4


async def test_board_with_only_a_name_is_imported(cast: Cast) -> None:
    (await (await visitor(cast.app, cast.ada)).post("/boards", {"name": "Night Sky"})).is_status(303)
    board = await Board.get(name="Night Sky")
    file = (await cast.ada.get(f"/boards/{board.id}/export")).ok()
    assert file["board"]["description"] == ""
    brought = await bring(cast.ada, file)
    again = (await cast.ada.get(f"/boards/{brought['board']['id']}/export")).ok()
    assert without(again, TIMES) == without(file, TIMES)


async def test_people_and_agents_missing_here_are_dropped(cast: Cast) -> None:
    file = await furnished(cast)
    answer = await bring(cast.eve, file)
    dropped = {(one["what"], one["name"]) for one in answer["dropped"]}
    assert dropped == {
        ("assignee", "cleo@example.org"), ("creator", "ada@example.org"),
        ("author of a comment", "cleo@example.org"), ("author of a comment", "Vega"),
        ("requester", "Vega"), ("requester", "Rigel Orion"), ("decider", "ada@example.org"),
        ("author", "ada@example.org"), ("author", "Atlas"),
    }  # fmt: skip
    again = (await cast.eve.get(f"/boards/{answer['board']['id']}/export")).ok()
    people = {"assigned_person", "created_by", "author", "requested_by", "resolved_by", "decided_by", "exported_at"}
    assert without(again, people) == without(file, people)
    names = [one["author"]["name"] for one in again["tasks"][0]["comments"]]
    assert names == ["Cleo", "Vega"]
    assert await Tag.filter(organization_id=cast.elsewhere.id).count() == 1


async def test_imported_tasks_are_not_assigned_to_agents_of_other_boards(cast: Cast) -> None:
    task = await cast.add_task(assigned_agent_id=str(cast.vega.id))
    file = (await cast.ada.get(f"{cast.home}/export")).ok()
    assert file["tasks"][0]["assigned_agent"] == "Vega"
    answer = await bring(cast.ada, file)
    assert answer["dropped"] == [{"what": "assignee", "name": "Vega", "where": f"task {task['number']}"}]


async def test_imported_tasks_are_assigned_only_to_people_with_access(cast: Cast) -> None:
    await cast.add_task(assigned_user_id=str(cast.cleo.id))
    file = (await cast.ada.get(f"{cast.home}/export")).ok()
    answer = await bring(cast.ada, file)
    assert [(one["what"], one["name"]) for one in answer["dropped"]] == [("assignee", "cleo@example.org")]


async def test_imported_decision_opens_no_gate(cast: Cast) -> None:
    task = await cast.add_task()
    asked = await cast.ask(cast.vega, task)
    (await cast.ada.patch(f"{cast.approvals}/{asked['id']}", {"status": "approved"})).ok()
    await cast.rule(require_approval_for_done=True)
    file = (await cast.ada.get(f"{cast.home}/export")).ok()
    new = (await bring(cast.ada, file))["board"]
    [copied] = (await cast.ada.get(f"/boards/{new['id']}/tasks")).ok()["items"]
    refused = await cast.ada.patch(f"/boards/{new['id']}/tasks/{copied['id']}", {"status": "done"})
    assert refused.status == 409
    assert (await Approval.get(board_id=new["id"])).status == "approved"


async def test_imported_board_joins_its_group_by_name(cast: Cast) -> None:
    group = (await cast.ada.post("/board-groups", {"name": "Sky", "slug": "sky"})).ok()
    await cast.rule(board_group_id=group["id"])
    file = (await cast.ada.get(f"{cast.home}/export")).ok()
    assert file["board"]["board_group"] == "Sky"
    assert (await bring(cast.ada, file))["board"]["board_group_id"] == group["id"]
    away = await bring(cast.eve, file)
    assert away["board"]["board_group_id"] is None
    assert away["dropped"] == [{"what": "board group", "name": "Sky", "where": "board"}]


async def test_custom_field_of_another_type_is_dropped(cast: Cast) -> None:
    file = await furnished(cast)
    mine = {"field_key": "lens", "field_type": "integer", "board_ids": [str(cast.foreign_board.id)]}
    (await cast.eve.post("/organizations/me/custom-fields", mine)).ok()
    answer = await bring(cast.eve, file)
    assert {"what": "custom field", "name": "lens", "where": "it is integer here"} in answer["dropped"]
    [event] = await events(kind="board.imported")
    assert orjson.loads(event.data)["new_custom_fields"] == ["size"]
    again = (await cast.eve.get(f"/boards/{answer['board']['id']}/export")).ok()
    assert again["tasks"][0]["custom_fields"] == {"size": 5}


STAMP = "2026-01-01T00:00:00"
SMALL: dict[str, Any] = {
    "format": "mission-control/board",
    "version": 1,
    "board": {"name": "Small", "slug": "small", "description": "A small board."},
    "tasks": [
        {"number": number, "title": "T", "position": 0, "created_at": STAMP, "updated_at": STAMP} for number in (1, 2)
    ],
}
ASKED = {
    "action_type": "x", "tasks": [1], "confidence": 1, "status": "pending", "requested_by": {"kind": "other"},
    "created_at": "2026-01-01T00:00:00", "updated_at": "2026-01-01T00:00:00",
}  # fmt: skip


async def test_tags_without_ascii_letters_are_found_by_name(cast: Cast) -> None:
    for name in ("срочно", "紧急"):
        (await cast.ada.post("/tags", {"name": name})).ok()
    there = {"tag": "紧急", "tag-2": "星", "tag-3": "Tag 3", "dome": "Dome"}
    file = {**SMALL, "tags": [{"slug": slug, "name": name} for slug, name in there.items()]}
    file["tasks"] = [{**SMALL["tasks"][0], "tags": list(there)}]
    for made in (["dome", "tag-3", "tag-4"], []):
        before, answer = await head(cast), (await bring(cast.ada, file))
        [event] = await events(before, organization_id=cast.organization.id)
        assert orjson.loads(event.data)["new_tags"] == made
        [task] = (await cast.ada.get(f"/boards/{answer['board']['id']}/tasks")).ok()["items"]
        assert {one["name"]: one["slug"] for one in task["tags"]} == {
            "紧急": "tag-2", "星": "tag-3", "Tag 3": "tag-4", "Dome": "dome",
        }  # fmt: skip
    await bring(cast.eve, file)
    assert await Tag.filter(organization_id=cast.elsewhere.id).order_by("slug").values_list("slug", "name") == [
        ("dome", "Dome"), ("tag", "紧急"), ("tag-2", "星"), ("tag-3", "Tag 3"),
    ]  # fmt: skip


async def test_smallest_file_is_imported(cast: Cast) -> None:
    answer = await bring(cast.ada, SMALL)
    assert answer["counts"] == {"tasks": 2, "comments": 0, "approvals": 0, "memory": 0, "runs": 0, "sessions": 0}
    empty = await bring(cast.ada, {**SMALL, "tasks": []})
    assert empty["counts"]["tasks"] == 0 and await Board.filter(name="Small").count() == 2


@pytest.mark.parametrize(("path", "value"), [
    (["format"], "something else"),
    (["version"], 2),
    (["board", "description"], None),
    (["board", "name"], None),
    (["board", "goal_confirmed"], True),
    (["tasks", 0, "number"], 0),
    (["tasks", 0, "number"], 2),
    (["tasks", 0, "status"], "lost"),
    (["tasks", 0, "title"], 5),
    (["tasks", 0, "title"], "nul \x00"),
    (["tasks", 0, "due_at"], "soon"),
    (["tasks", 0, "archived_at"], "2026-01-01T00:00:00"),
    (["tasks", 0, "depends_on"], [1]),
    (["tasks", 0, "depends_on"], [3]),
    (["tasks", 0, "parent"], 1),
    (["tasks", 0, "parent"], 3),
    (["tasks", 0, "links"], [{"kind": "found_in", "task": 3}]),
    (["proposals"], [{"title": "a", "reason": "b", "agent_name": "c", "task": 9, "created_at": "2026-01-01"}]),
    (["tasks", 0, "tags"], ["unknown"]),
    (["tasks", 0, "custom_fields"], {"unknown": 1}),
    (["tasks", 0, "comments"], [{"author": {"kind": "robot"}, "message": "x", "created_at": "2026-01-01"}]),
    (["tasks", 0, "checklist"], [{"text": " "}]),
    (["tags"], [{"slug": "a", "name": "A"}] * 2),
    (["tags"], [{"slug": "a", "name": "A", "color": "red"}]),
    (["custom_fields"], [{"field_key": "a", "label": "A", "field_type": "integer", "default_value": "x"}]),
    (["custom_fields"], [{"field_key": "a", "label": "A", "field_type": "integer", "validation_regex": "x"}]),
    (["approvals"], [ASKED, ASKED]),
    (["approvals"], [ASKED | {"tasks": [9]}]),
    (["approvals"], [ASKED | {"status": "approved"}]),
    (["approvals"], [ASKED | {"resolved_at": "2026-01-01T00:00:00"}]),
    (["approvals"], [ASKED | {"confidence": 101}]),
    (["memory"], [{"content": "", "author": {"kind": "other"}, "created_at": "2026-01-01T00:00:00"}]),
    (["tasks"], {}),
])  # fmt: skip
async def test_invalid_file_changes_nothing(cast: Cast, path: list[Any], value: Any) -> None:
    file = copy.deepcopy(SMALL)
    place: Any = file
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    before = await head(cast)
    assert isinstance((await cast.ada.post(IMPORT, file)).refused(422), list)
    assert await kinds(cast, before) == [] and await Board.filter(name="Small").count() == 0


async def test_circular_dependencies_are_refused(cast: Cast) -> None:
    file = copy.deepcopy(SMALL)
    for number, task in enumerate(file["tasks"]):
        task["depends_on"] = [2 - number]
    [item] = (await cast.ada.post(IMPORT, file)).refused(422)
    assert "in a cycle" in item["msg"]


async def test_file_size_is_limited(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    big = copy.deepcopy(SMALL)
    big["tasks"][0]["description"] = "x" * 3_000_000
    assert (await cast.ada.post(IMPORT, big)).status == 200
    huge = await cast.ada.call(
        "POST", IMPORT, data=b'"' + b"x" * 20_971_520, headers={"Content-Type": "application/json"}
    )
    assert huge.status == 413
    monkeypatch.setattr(exporting, "MOST_ROWS", 0)
    await cast.add_task()
    for path in (f"{cast.home}/export", f"{cast.home}/export/tasks.csv"):
        assert isinstance((await cast.ada.get(path)).refused(413), str)


async def test_tasks_are_exported_as_csv(cast: Cast) -> None:
    await furnished(cast)
    await cast.add_task(title='=HYPERLINK("http://evil")', description="two\nlines, and a comma")
    answer = await cast.dan.get(f"{cast.home}/export/tasks.csv")
    assert answer.status == 200 and answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="telescope-tasks.csv"'
    lines = list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))
    assert [one["title"] for one in lines] == ["Grind", "Polish", "Mount", '\'=HYPERLINK("http://evil")']
    first, second, third, last = lines
    assert (first["tags"], first["field:lens"], first["field:size"], first["comments"]) == (
        "night-work",
        "12",
        "5",
        "2",
    )
    assert (second["depends_on"], second["due_at"]) == ("1, 3", "2026-12-01T10:00:00Z")
    assert (first["parent"], first["blocks_parent"]) == ("3", "true")
    assert (third["assigned_person"], third["status"]) == ("cleo@example.org", "in_progress")
    assert last["description"] == "two\nlines, and a comma"


@pytest.mark.parametrize(("value", "text"), [
    ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"), ("\t=1", "'\t=1"),
    ("\r=1", "'\r=1"), ("  =1", "'  =1"), ("\uff1d1", "'\uff1d1"), ("1=1", "1=1"), ("a-b", "a-b"), ("", ""),
    (None, ""), (-5, "-5"), (True, "true"), (1.5, "1.5"), (["-a", "b"], "'-a, b"), ({"a": 1}, '{"a":1}'),
])  # fmt: skip
def test_csv_cells_are_never_formulas(value: Any, text: str) -> None:
    assert cell(value) == text


async def test_page_of_an_export_uses_as_many_statements_whatever_it_holds(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    await furnished(cast)
    asked: list[str] = []
    real = sql.rows

    async def counted(statement: str, *values: Any) -> Any:
        asked.append(statement)
        return await real(statement, *values)

    monkeypatch.setattr(exporting, "rows", counted)
    (await cast.ada.get(f"{cast.home}/export")).ok()
    few = len(asked)
    asked.clear()
    for number in range(10):
        task = await cast.add_task(title=f"More {number}")
        (await cast.ada.post(f"{cast.task(task)}/comments", {"message": "More"})).ok()
    assert len((await cast.ada.get(f"{cast.home}/export")).ok()["tasks"]) == 13
    assert len(asked) == few


async def test_export_in_small_pages_is_the_same_file(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = await furnished(cast)
    table = (await cast.ada.get(f"{cast.home}/export/tasks.csv")).body
    monkeypatch.setattr(exporting, "PAGE", 1)
    monkeypatch.setattr(exporting, "PIECE_BYTES", 1)
    in_pages = (await cast.ada.get(f"{cast.home}/export")).ok()
    assert without(in_pages, {"exported_at"}) == without(whole, {"exported_at"})
    assert (await cast.ada.get(f"{cast.home}/export/tasks.csv")).body == table


async def test_export_is_compressed_piece_by_piece(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = await furnished(cast)
    monkeypatch.setattr(exporting, "PIECE_BYTES", 1)
    client = cast.app.test_client(use_cookies=False)
    headers = {**cast.dan.headers, "Accept-Encoding": "gzip"}
    answer = await client.get(f"/api/v1{cast.home}/export", headers=headers)
    assert (answer.headers["Content-Encoding"], answer.headers["Vary"]) == ("gzip", "Accept-Encoding")
    file = orjson.loads(gzip.decompress(bytes(await answer.get_data(as_text=False))))
    assert without(file, {"exported_at"}) == without(whole, {"exported_at"})


async def test_what_changes_during_an_export_leaves_a_file_that_fits(cast: Cast) -> None:
    await furnished(cast)
    contents = await exporting.contents_of(cast.board)
    new = await cast.add_task(title="New")
    (await cast.ada.post("/tags", {"name": "New", "color": "#112233"})).ok()
    old = (await cast.ada.get(cast.tasks)).ok()["items"][-1]
    (await cast.ada.patch(cast.task(old), {"depends_on_task_ids": [new["id"]], "title": "Now"})).ok()
    await cast.ask(cast.vega, new, old)
    (await cast.ada.delete(cast.task((await cast.ada.get(cast.tasks)).ok()["items"][1]))).ok()
    file = orjson.loads(b"".join([piece async for piece in exporting.file_pieces(contents)]))
    await bring(cast.ada, file)
    assert [task["number"] for task in file["tasks"]] == list(contents.tasks.values())


async def test_slow_patterns_in_a_file_time_out(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    file = await furnished(cast)
    file["custom_fields"] = [{"field_key": "slow", "label": "Slow", "validation_regex": "a+b|c*"}]
    file["approvals"] = []
    task = file["tasks"][0] | {"depends_on": [], "parent": None, "tags": []}
    file["tasks"] = [task | {"number": number, "custom_fields": {"slow": "ccc"}} for number in range(1, 41)]
    assert (await bring(cast.ada, file))["counts"]["tasks"] == 40
    moments = itertools.count(step=0.03)
    monkeypatch.setattr(f"{patterns.__name__}.thread_time", lambda: next(moments))
    [item] = (await cast.ada.post(IMPORT, file)).refused(422)
    assert "took too long" in item["msg"] and "task 35 " in item["msg"]
