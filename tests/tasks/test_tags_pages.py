"""Tags as pages: the list, a new one, changing, merging and deleting one."""

from mission_control.tasks.models import Tag, TagAssignment
from tests.cast import Cast, kinds
from tests.visitor import visitor

TAGS = "/settings/tags"


async def test_tag_is_created_changed_and_listed(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(TAGS)).is_status(200).has("No tags yet")
    (await ada.get(f"{TAGS}/new")).is_status(200).has('type="color"')
    assert TAGS in (await ada.post(TAGS, {"name": "Night work", "color": "#112233"})).leads_to
    tag = await Tag.get()
    assert (tag.slug, tag.color) == ("night-work", "112233")
    form = {"name": "Nights", "slug": "night-work", "color": "#445566", "description": "After dark"}
    assert (await ada.post(f"{TAGS}/{tag.id}", form)).status == 303
    (await ada.get(TAGS)).has("Nights", "After dark", 'fill="#445566"', "0 tasks")


async def test_tags_are_ordered_as_asked(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    first, second = [(await cast.ada.post("/tags", {"name": name})).ok() for name in ("Alpha", "Zulu")]
    task = (await cast.ada.post(f"/boards/{cast.board.id}/tasks", {"title": "Turn it", "tag_ids": [second["id"]]})).ok()
    assert [one["id"] for one in task["tags"]] == [second["id"]]
    for order, is_zulu_first in (("name", False), ("tasks", True), ("odd", False)):
        page = await ada.get(f"/settings/tags?order={order}")
        assert (page.text.index("Zulu") < page.text.index("Alpha")) is is_zulu_first, order
    assert first["id"] in page.text


async def test_refused_tag_keeps_what_was_typed(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await cast.ada.post("/tags", {"name": "Red"})).ok()
    (await ada.post(TAGS, {"name": "Red", "slug": "red"})).is_status(409).has('value="Red"', "already")
    (await ada.post(TAGS, {"name": " ", "color": "#zzz"})).is_status(422).has('id="field-name-error"')


async def test_somebody_elses_change_is_not_overwritten(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    tag = (await cast.ada.post("/tags", {"name": "Red"})).ok()
    page = (await ada.get(f"{TAGS}/{tag['id']}")).text
    version = page.partition('name="version" value="')[2].partition('"')[0].replace("&#34;", '"').replace("&amp;", "&")
    (await cast.ben.patch(f"/tags/{tag['id']}", {"name": "Crimson"})).ok()
    (await ada.post(f"{TAGS}/{tag['id']}", {"name": "Scarlet", "color": "#9e9e9e", "version": version})).is_status(409)
    assert (await Tag.get()).name == "Crimson"


async def test_deletion_names_the_tasks_and_merging_keeps_their_tag(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    red, blue = [(await cast.ada.post("/tags", {"name": name})).ok() for name in ("Red", "Blue")]
    both = await cast.add_task(tag_ids=[red["id"], blue["id"]])
    await cast.add_task(tag_ids=[red["id"]])
    (await ada.get(f"{TAGS}/{red['id']}/delete")).is_status(200).has("2 tasks", "Blue")
    (await ada.post(f"{TAGS}/{red['id']}/merges", {"into": red["id"]})).is_status(422).has("merged into itself")
    assert (await ada.post(f"{TAGS}/{red['id']}/merges", {"into": blue["id"]})).status == 303
    assert await TagAssignment.filter(tag_id=blue["id"]).count() == 2
    assert await TagAssignment.filter(task_id=both["id"]).count() == 1
    assert "tag.merged" in {kind for kind, _ in await kinds(cast, 0)}
    assert (await ada.post(f"{TAGS}/{blue['id']}/deletions")).leads_to == TAGS
    assert not await Tag.exists()


async def test_readers_see_tags_and_why_they_cannot_change_them(cast: Cast) -> None:
    tag = (await cast.ada.post("/tags", {"name": "Red"})).ok()
    cleo, eve = await visitor(cast.app, cast.cleo), await visitor(cast.app, cast.eve)
    (await cleo.get(TAGS)).is_status(200).has("Red", "Owners and admins").lacks("New tag")
    (await cleo.get(f"{TAGS}/new")).is_status(403)
    (await eve.get(TAGS)).is_status(200).lacks("Red")
    (await eve.get(f"{TAGS}/{tag['id']}")).is_status(404)
