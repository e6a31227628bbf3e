"""Two people with the same form: what one of them did not touch is never changed by them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from mission_control.agents.models import Agent, Budget
from mission_control.boards.models import Board, SavedView
from mission_control.gateways.connections.connector import INVENTED
from mission_control.gateways.models import Gateway
from mission_control.groups.models import BoardGroup
from mission_control.memory.models import BoardMemory
from mission_control.people.models import Organization
from mission_control.tasks.models import CustomField, Tag, Task
from mission_control.web.forms import merge, version_of
from mission_control.webhooks.models import Webhook
from tests.cast import Cast
from tests.visitor import visitor

pytestmark = pytest.mark.dialect


@dataclass(frozen=True, slots=True)
class Edited:
    """A thing with its form, two of the form's fields with their columns, and other values for them."""

    model: Any
    page: Callable[[Cast, Any], str]
    mine: tuple[str, str, Any]
    theirs: tuple[str, str, Any]
    other: Any = "Mine"
    action: Callable[[Cast, Any], str] | None = None


EDITED = {
    "task": Edited(
        Task, lambda cast, task: f"{cast.home}/tasks/{task.id}?edit=text", ("title", "title", "New title"),
        ("description", "description", "A colleague's words"),
        action=lambda cast, task: f"{cast.home}/tasks/{task.id}/text",
    ),
    "board": Edited(
        Board, lambda cast, board: f"{cast.home}/settings", ("name", "name", "New name"),
        ("objective", "objective", "A colleague's aim"),
    ),
    "agent": Edited(
        Agent, lambda cast, agent: f"/agents/{agent.id}/edit", ("name", "name", "Vega II"),
        ("identity", "identity_template", "A colleague's words"),
    ),
    "limits": Edited(
        Agent, lambda cast, agent: f"/agents/{agent.id}/limits", ("claim_tags", "claim_tags", ["optics"]),
        ("wip_limit", "wip_limit", 7), 3,
    ),
    "tag": Edited(
        Tag, lambda cast, tag: f"/settings/tags/{tag.id}", ("name", "name", "Hull"),
        ("description", "description", "A colleague's words"),
    ),
    "field": Edited(
        CustomField, lambda cast, field: f"/settings/custom-fields/{field.id}", ("label", "label", "Lens"),
        ("description", "description", "A colleague's words"),
    ),
    "group": Edited(
        BoardGroup, lambda cast, group: f"/groups/{group.id}/edit", ("name", "name", "Night"),
        ("description", "description", "A colleague's words"),
    ),
    "webhook": Edited(
        Webhook, lambda cast, webhook: f"{cast.home}/webhooks/{webhook.id}/edit",
        ("signature_header", "signature_header", "X-Mine"), ("description", "description", "A colleague's words"),
    ),
    "note": Edited(
        BoardMemory, lambda cast, entry: f"{cast.home}/memory/{entry.id}/edit", ("tags", "tags", ["optics"]),
        ("content", "content", "A colleague's words"),
    ),
    "gateway": Edited(
        Gateway, lambda cast, gateway: f"/gateways/{gateway.id}/edit", ("name", "name", "Attic"),
        ("workspace_root", "workspace_root", "/srv/theirs"), "/srv/mine",
    ),
}  # fmt: skip


# What each form refuses.
WRONG: dict[str, dict[str, Any]] = {
    "task": {"title": ""}, "board": {"name": ""}, "agent": {"name": ""}, "limits": {"claim_tags": ["x" * 500]},
    "tag": {"color": "red"}, "field": {"board_ids": []}, "group": {"name": ""}, "webhook": {"choice": "own"},
    "note": {"tags": "x" * 600}, "gateway": {"url": "nowhere"},
}  # fmt: skip


async def thing_of(cast: Cast, name: str) -> Any:
    """Something to edit."""
    match name:
        case "task":
            return await Task.get(id=(await cast.add_task(description="Old words"))["id"])
        case "board":
            return cast.board
        case "agent" | "limits":
            await Tag.create(organization_id=cast.organization.id, name="Optics", slug="optics")
            return await Agent.get(id=cast.vega.id)
        case "tag":
            return await Tag.create(organization_id=cast.organization.id, name="hull", slug="hull")
        case "field":
            sent = {"field_key": "lens", "field_type": "text", "board_ids": [str(cast.board.id)]}
            made = (await cast.ada.post("/organizations/me/custom-fields", sent)).ok()
            return await CustomField.get(id=made["id"])
        case "group":
            return await BoardGroup.create(organization_id=cast.organization.id, name="Day", slug="day")
        case "webhook":
            await cast.ada.post(f"{cast.home}/webhooks", {"description": "Look."})
            return await Webhook.get()
        case "note":
            await cast.ada.post(f"{cast.home}/memory", {"content": "Old words"})
            return await BoardMemory.get()
    return await Gateway.create(
        organization_id=cast.organization.id, name="Cellar", url=INVENTED, workspace_root="/srv", state="refused"
    )


async def store(thing: Any, column: str, value: Any) -> None:
    """Change one column, as a colleague does."""
    await type(thing).filter(id=thing.id).update(**{column: value})


@pytest.mark.parametrize("name", EDITED)
async def test_untouched_field_keeps_what_a_colleague_wrote(cast: Cast, name: str) -> None:
    about, thing = EDITED[name], await thing_of(cast, name)
    ada, page = await visitor(cast.app, cast.ada), about.page(cast, thing)
    action = about.action(cast, thing) if about.action else page
    seen = (await ada.get(page)).is_status(200)
    # A browser that restored what was typed before a reload would put it beside a newer version.
    assert re.search(rf'<form[^>]*action="{re.escape(action)}"[^>]*autocomplete="off"', seen.text)
    form = seen.form(action)
    await store(thing, about.theirs[1], about.theirs[2])
    sent = await ada.post(action, form | {about.mine[0]: about.mine[2]})
    await thing.refresh_from_db()
    assert getattr(thing, about.theirs[1]) == about.theirs[2], sent.text
    if name != "gateway":  # which is tried before it is saved, and there is none
        assert sent.status in (200, 204, 303), sent.text
        assert getattr(thing, about.mine[1]) == about.mine[2]


@pytest.mark.parametrize("name", EDITED)
async def test_conflict_names_its_field_and_the_next_save_concerns_that_field_alone(cast: Cast, name: str) -> None:
    about, thing = EDITED[name], await thing_of(cast, name)
    ada, page = await visitor(cast.app, cast.ada), about.page(cast, thing)
    action = about.action(cast, thing) if about.action else page
    form = (await ada.get(page)).is_status(200).form(action)
    await store(thing, about.theirs[1], about.theirs[2])
    refused = (await ada.post(action, form | {about.theirs[0]: about.other})).is_status(409)
    said = str(about.theirs[2]).replace("'", "&#39;")
    refused.has(f"Somebody changed it to “{said}”. Saving replaces that.", str(about.other))
    await thing.refresh_from_db()
    assert getattr(thing, about.theirs[1]) == about.theirs[2]
    await store(thing, about.mine[1], about.mine[2])
    await ada.post(action, refused.form(action))
    await thing.refresh_from_db()
    assert getattr(thing, about.mine[1]) == about.mine[2]
    if name != "gateway":
        assert getattr(thing, about.theirs[1]) == about.other


@pytest.mark.parametrize("name", EDITED)
async def test_refused_form_does_not_forget_what_it_showed(cast: Cast, name: str) -> None:
    """A form that comes back for another reason would else take a colleague's change for seen."""
    about, thing = EDITED[name], await thing_of(cast, name)
    ada, page = await visitor(cast.app, cast.ada), about.page(cast, thing)
    action = about.action(cast, thing) if about.action else page
    form = (await ada.get(page)).is_status(200).form(action)
    await store(thing, about.theirs[1], about.theirs[2])
    refused = (await ada.post(action, form | WRONG[name])).is_status(422)
    await ada.post(action, refused.form(action) | {key: form.get(key, []) for key in WRONG[name]})
    await thing.refresh_from_db()
    assert getattr(thing, about.theirs[1]) == about.theirs[2]


async def test_single_fields_are_not_overwritten_blindly(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    await cast.ada.post("/budgets", {"unit": "cost", "period": "day", "limit": 5})
    budget = await Budget.get()
    for page, change, mine in (
        ("/settings/organization", Organization.filter(id=cast.organization.id).update(name="Theirs"), "name"),
        (f"/settings/budgets/{budget.id}", Budget.filter(id=budget.id).update(limit_amount=7_000_000), "limit"),
    ):
        form = (await ada.get(page)).is_status(200).form(page)
        await change
        refused = (await ada.post(page, form | {mine: "9"})).is_status(409).has("Somebody changed it to")
        assert (await ada.post(page, refused.form(page))).status in (204, 303)


async def test_profile_is_saved_field_by_field(cast: Cast) -> None:
    ada, page = await visitor(cast.app, cast.ada), "/settings/profile"
    form = (await ada.get(page)).form(page)
    await cast.ada.patch("/users/me", {"preferred_name": "A."})
    assert (await ada.post(page, form | {"name": "Ada Lovelace"})).status == 303
    me = (await cast.ada.get("/users/me")).ok()
    assert (me["name"], me["preferred_name"]) == ("Ada Lovelace", "A.")


async def test_limit_of_a_column_and_name_of_a_view_say_who_was_faster(cast: Cast) -> None:
    ada = (await visitor(cast.app, cast.ada)).with_htmx
    version = version_of({"limit": None})
    await Board.filter(id=cast.board.id).update(wip_limits={"review": 5})
    late = await ada.post(f"{cast.home}/limits", {"status": "review", "limit": "3", "version": version})
    late.is_status(409).has("Somebody changed this to “5”", "version-wip-review")
    await cast.ada.post(f"{cast.home}/views", {"name": "Mine", "query": "is:open"})
    view = await SavedView.get()
    await SavedView.filter(id=view.id).update(name="Theirs")
    sent = {"name": "New", "version": version_of({"name": "Mine"})}
    (await ada.post(f"{cast.home}/views/{view.id}", sent)).is_status(409).has("Somebody changed this to “Theirs”")


async def test_boards_of_a_group_are_merged(cast: Cast) -> None:
    """A colleague ticks one board while another is unticked: both are done."""
    ada = await visitor(cast.app, cast.ada)
    group = await thing_of(cast, "group")
    first, second, third = [
        (await cast.ada.post("/boards", {"name": n, "slug": n, "description": n})).ok()["id"] for n in "abc"
    ]
    await Board.filter(id__in=[first, second]).update(board_group_id=group.id)
    page = f"/groups/{group.id}/edit"
    form = (await ada.get(page)).form(page)
    await Board.filter(id=third).update(board_group_id=group.id)
    assert (await ada.post(page, form | {"board_ids": [first]})).status == 303
    found = await Board.filter(board_group_id=group.id).values_list("id", flat=True)
    assert {str(one) for one in found} == {first, third}


@pytest.mark.parametrize(("shown", "typed", "now", "result"), [
    (["a", "b"], ["a"], ["a", "b", "c"], ["a", "c"]),
    (["a"], ["a", "b"], [], ["b"]),
    ([], ["a"], ["a"], ["a"]),
    (["a"], [], ["a"], []),
])  # fmt: skip
def test_lists_are_merged_by_their_items(shown: list[str], typed: list[str], now: list[str], result: list[str]) -> None:
    merged, theirs, _ = merge(version_of({"it": shown}), {"it": typed}, {"it": now})
    assert merged["it"] == result and not theirs


@pytest.mark.parametrize(
    ("shown", "typed"), [("a\n", "a"), ("\na", "a"), ("a\r\nb", "a\nb"), (None, ""), (False, None)]
)
def test_what_browsers_change_is_no_change(shown: Any, typed: Any) -> None:
    assert version_of({"it": shown}) == version_of({"it": typed})
