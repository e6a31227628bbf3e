"""Tags: made, listed, changed, deleted, put on tasks; by whom; and what was recorded."""

import asyncio
import secrets
from typing import Any
from uuid import uuid4

import orjson
import pytest

from mission_control.database.sql import is_postgres
from mission_control.tasks.models import Tag, TagAssignment
from tests.cast import Cast, events, head, ids, kinds

pytestmark = pytest.mark.dialect

KEYS = ["name", "slug", "color", "description", "id", "organization_id", "task_count", "created_at", "updated_at"]


async def make(cast: Cast, name: str = "Optics", **fields: Any) -> dict[str, Any]:
    """A tag that Ada makes."""
    tag: dict[str, Any] = (await cast.ada.post("/tags", {"name": name, **fields})).ok()
    return tag


async def test_admins_create_tags(cast: Cast) -> None:
    for person, name in ((cast.ada, "Deep Sky!"), (cast.ben, "Lens")):
        before = await head(cast)
        tag = (await person.post("/tags", {"name": f"  {name} ", "color": "#AbCdEf"})).ok()
        assert list(tag) == KEYS
        assert (tag["name"], tag["color"], tag["task_count"]) == (name, "abcdef", 0)
        [event] = await events(before, organization_id=cast.organization.id)
        assert (event.kind, event.actor_id, str(event.subject_id)) == ("tag.created", person.id, tag["id"])
        assert orjson.loads(event.data)["slug"] == tag["slug"]
    assert (await make(cast, "Plain"))["color"] == "9e9e9e"


@pytest.mark.parametrize(("name", "slug", "made"), [
    ("Deep  Sky / M31", None, "deep-sky-m31"), ("Name", "  --My Slug--  ", "my-slug"), ("星", None, "tag"),
    ("Name", "   ", "name"), ("N" * 300, None, "n" * 255),
])  # fmt: skip
async def test_slug_is_made_from_the_name(cast: Cast, name: str, slug: str | None, made: str) -> None:
    assert (await make(cast, name, slug=slug))["slug"] == made


@pytest.mark.parametrize("color", ["blue", ""])
async def test_color_is_hexadecimal(cast: Cast, color: str) -> None:
    [item] = (await cast.ada.post("/tags", {"name": "x", "color": color})).refused(422)
    assert (item["loc"], item["type"]) == (["body", "color"], "value_error")


async def test_slug_is_unique(cast: Cast) -> None:
    tag, other = await make(cast), await make(cast, "Other")
    assert isinstance((await cast.ada.post("/tags", {"name": "optics"})).refused(409), str)
    assert isinstance((await cast.ada.patch(f"/tags/{other['id']}", {"slug": "Optics"})).refused(409), str)
    assert (await cast.eve.post("/tags", {"name": "Optics"})).ok()["slug"] == tag["slug"]
    answers = await asyncio.gather(*(cast.ada.post("/tags", {"name": "Race"}) for _ in range(4)))
    assert sorted(one.status for one in answers) == [200, 409, 409, 409]
    assert await Tag.filter(slug="race").count() == 1


async def test_non_latin_names_get_unique_slugs(cast: Cast) -> None:
    urgent, eclipse = await make(cast, "срочно"), await make(cast, "紧急")
    assert (urgent["slug"], eclipse["slug"]) == ("tag", "tag-2")
    assert "Срочно" in (await cast.ben.post("/tags", {"name": "Срочно"})).refused(409)
    for taken in ({"name": "Tag"}, {"name": "Tag 2"}, {"name": "星", "slug": "tag-2"}, {"name": "星", "slug": "星"}):
        (await cast.ada.post("/tags", taken)).refused(409)
    assert (await cast.eve.post("/tags", {"name": "срочно"})).ok()["slug"] == "tag"
    (await cast.ada.delete(f"/tags/{urgent['id']}")).ok()
    assert (await make(cast, "星"))["slug"] == "tag"
    names = [f"{letter}!" for letter in "абвгд"]
    answers = await asyncio.gather(*(cast.ada.post("/tags", {"name": name}) for name in names))
    assert {one.ok()["slug"] for one in answers} == {f"tag-{number}" for number in range(3, 8)}
    again = await asyncio.gather(*(cast.ada.post("/tags", {"name": "Луна"}) for _ in range(4)))
    assert sorted(one.status for one in again) == [200, 409, 409, 409]


async def test_regenerated_slug_is_unique_or_unchanged(cast: Cast) -> None:
    await make(cast, "срочно")
    path, before = f"/tags/{(await make(cast))['id']}", await head(cast)
    assert (await cast.ben.patch(path, {"name": "Луна", "slug": None})).ok()["slug"] == "tag-2"
    [event] = await events(before, organization_id=cast.organization.id)
    assert orjson.loads(event.data)["after"] == {"name": "Луна", "slug": "tag-2"}
    assert (await cast.ben.patch(path, {"name": "Солнце", "slug": ""})).ok()["slug"] == "tag-2"
    other = f"/tags/{(await make(cast, 'Mirror'))['id']}"
    (await cast.ben.patch(other, {"name": "солнце", "slug": None})).refused(409)
    (await cast.ben.patch(path, {"slug": "tag"})).refused(409)


async def test_tags_are_listed_by_name(cast: Cast) -> None:
    for name in ("beta", "Alpha", "Gamma"):
        await make(cast, name)
    await cast.eve.post("/tags", {"name": "Foreign"})
    for person in (cast.ada, cast.dan):
        listed = (await person.get("/tags")).ok()
        assert ([one["name"] for one in listed["items"]], listed["total"]) == (["Alpha", "beta", "Gamma"], 3)
    assert [one["name"] for one in (await cast.ada.get("/tags?limit=1&offset=1")).ok()["items"]] == ["beta"]


async def test_agents_list_their_organizations_tags(cast: Cast) -> None:
    tag = await make(cast)
    found = (await cast.vega.get(f"/agent{cast.home}/tags")).ok()
    assert found == [{name: tag[name] for name in ("id", "name", "slug", "color")}]


async def test_tag_is_changed(cast: Cast) -> None:
    tag = await make(cast)
    path, before = f"/tags/{tag['id']}", await head(cast)
    task = await cast.add_task(tag_ids=[tag["id"]])
    changed = (await cast.ben.patch(path, {"name": "Mirrors", "color": "112233"})).ok()
    assert (changed["name"], changed["slug"], changed["color"], changed["task_count"]) == (
        "Mirrors", "optics", "112233", 1,
    )  # fmt: skip
    assert (await cast.ben.patch(path, {"slug": None})).ok()["slug"] == "mirrors"
    assert (await cast.ben.patch(path, {"name": "Coating", "slug": " "})).ok()["slug"] == "coating"
    assert (await cast.ben.patch(path, {"slug": "coating"})).ok()["task_count"] == 1
    assert [kind for kind, _ in await kinds(cast, before)] == ["task.created"] + ["tag.updated"] * 3
    assert (await cast.ada.get(cast.task(task))).ok()["tags"][0]["name"] == "Coating"


@pytest.mark.parametrize("body", [{}, {"name": None}, {"name": " "}, {"color": None}, {"color": ""}])
async def test_invalid_changes_are_refused(cast: Cast, body: Any) -> None:
    tag = await make(cast)
    assert isinstance((await cast.ada.patch(f"/tags/{tag['id']}", body)).refused(422), list)


async def test_deleting_a_tag_removes_it_from_tasks(cast: Cast) -> None:
    tag = await make(cast)
    task = await cast.add_task(tag_ids=[tag["id"]])
    before = await head(cast)
    assert (await cast.ada.delete(f"/tags/{tag['id']}")).ok() == {"ok": True}
    assert (await cast.ada.get(cast.task(task))).ok()["tags"] == []
    assert await TagAssignment.all().count() == 0
    assert await kinds(cast, before) == [("tag.deleted", None)]
    (await cast.ada.get(f"/tags/{tag['id']}")).refused(404)


async def test_tag_count_skips_deleted_tasks(cast: Cast) -> None:
    tag = await make(cast)
    first, _ = [await cast.add_task(tag_ids=[tag["id"]]) for _ in range(2)]
    assert (await cast.ada.get(f"/tags/{tag['id']}")).ok()["task_count"] == 2
    (await cast.ada.delete(cast.task(first))).ok()
    assert (await cast.ada.get(f"/tags/{tag['id']}")).ok()["task_count"] == 1
    assert (await cast.ada.get("/tags")).ok()["items"][0]["task_count"] == 1
    (await cast.ada.post(f"{cast.task(first)}/restorations")).ok()
    assert (await cast.ada.get(f"/tags/{tag['id']}")).ok()["task_count"] == 2


async def test_task_tags_keep_their_order(cast: Cast) -> None:
    first, second = await make(cast, "First"), await make(cast, "Second")
    wanted = [second["id"], first["id"], second["id"]]
    task = await cast.add_task(tag_ids=wanted)
    assert task["tag_ids"] == wanted[:2] == ids(task["tags"])
    assert list(task["tags"][0]) == ["id", "name", "slug", "color"]
    [listed] = (await cast.ada.get(cast.tasks)).ok()["items"]
    [card] = (await cast.ada.get(f"{cast.home}/snapshot")).ok()["tasks"]
    assert listed["tags"] == card["tags"] == task["tags"]
    before = await head(cast)
    assert (await cast.cleo.patch(cast.task(task), {"tag_ids": [first["id"]]})).ok()["tag_ids"] == [first["id"]]
    assert (await cast.cleo.patch(cast.task(task), {"tag_ids": [first["id"]]})).ok()["tag_ids"] == [first["id"]]
    assert (await cast.cleo.patch(cast.task(task), {"tag_ids": None})).ok()["tag_ids"] == [first["id"]]
    [event] = await events(before, organization_id=cast.organization.id)
    assert event.kind == "task.updated"
    assert orjson.loads(event.data) == {"before": {"tag_ids": wanted[:2]}, "after": {"tag_ids": [first["id"]]}}
    assert (await cast.atlas.patch(cast.task(task), {"tag_ids": []})).ok()["tags"] == []


async def test_unknown_tags_are_refused(cast: Cast) -> None:
    tag, task = await make(cast), await cast.add_task()
    foreign = (await cast.eve.post("/tags", {"name": "Foreign"})).ok()
    missing = [str(uuid4()), foreign["id"]]
    for answer in (
        await cast.ada.post(cast.tasks, {"title": "x", "tag_ids": [tag["id"], *missing]}),
        await cast.ada.patch(cast.task(task), {"tag_ids": [tag["id"], *missing]}),
        await cast.atlas.patch(cast.task(task), {"tag_ids": [tag["id"], *missing]}),
        await cast.atlas.post(f"/agent{cast.tasks}", {"title": "x", "tag_ids": [tag["id"], *missing]}),
    ):
        detail = answer.refused(404)
        assert set(detail) == {"message", "missing_tag_ids"} and detail["missing_tag_ids"] == missing
    assert await TagAssignment.all().count() == 0


async def test_workers_cannot_tag_tasks(cast: Cast) -> None:
    tag, task = await make(cast), await cast.add_task()
    detail = (await cast.vega.patch(cast.task(task), {"tag_ids": [tag["id"]]})).refused(403)
    assert detail["code"] == "task_update_field_forbidden"


async def test_too_long_name_is_refused(cast: Cast) -> None:
    """PostgreSQL has a limit for what it indexes, SQLite has none; letters at random, for what repeats is packed."""
    answer = await cast.ada.post("/tags", {"name": secrets.token_urlsafe(6000)})
    if is_postgres():
        assert "too long to be indexed" in answer.refused(422)
    else:
        answer.ok()


async def test_agents_that_claim_a_tag_follow_its_slug_and_its_merge(cast: Cast) -> None:
    shop, store = [(await cast.ada.post("/tags", {"name": name})).ok() for name in ("Shop", "Store")]
    path = f"/agents/{cast.vega.id}"
    (await cast.ada.patch(path, {"claim_tags": ["shop", "other"]})).ok()
    (await cast.ada.patch(f"/tags/{shop['id']}", {"slug": "kiosk"})).ok()
    assert (await cast.ada.get(path)).ok()["claim_tags"] == ["kiosk", "other"]
    (await cast.ada.patch(path, {"claim_tags": ["kiosk", "store"]})).ok()
    (await cast.ada.post(f"/tags/{shop['id']}/merges", {"into": store["id"]})).ok()
    assert (await cast.ada.get(path)).ok()["claim_tags"] == ["store"]
    assert [one.data for one in await events(kind="agent.updated")][-1].count("claim_tags") == 2
