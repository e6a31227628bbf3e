"""The shelf of proposals above the inbox, and the forms that decide them."""

from typing import Any

from tests.cast import Cast
from tests.tasks.test_custom_fields_pages import add
from tests.visitor import visitor


async def proposed(cast: Cast, **fields: Any) -> dict[str, Any]:
    new = {"title": "Oil the dome", "reason": "It squeaks.", **fields}
    made: dict[str, Any] = (await cast.vega.post(f"/agent{cast.home}/proposals", new)).ok()
    return made


async def test_shelf_offers_decisions_to_writers_alone(cast: Cast) -> None:
    ada, dan = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.dan)
    assert "Proposed by agents" not in (await ada.get(cast.home)).text
    task = await cast.add_task()
    await proposed(cast, task_id=task["id"])
    (await ada.get(cast.home)).has("Proposed by agents", "It squeaks.", f"at #{task['number']}", "Accept the proposal")
    assert "Accept the proposal" not in (await dan.get(cast.home)).has("Oil the dome").text


async def test_proposal_is_a_page_with_its_forms(cast: Cast) -> None:
    ada, proposal = await visitor(cast.app, cast.ada), await proposed(cast, description="All **hinges**.")
    url = f"{cast.home}/proposals/{proposal['id']}"
    (await ada.get(url)).has("<strong>hinges</strong>", "Or merge it into")
    (await ada.post(f"{url}/decision", {"decision": "merge"})).is_status(422).has("Enter the number of the task")
    refused = (await ada.post(f"{url}/decision", {"decision": "merge", "task": "#9", "note": "Same."})).is_status(422)
    refused.has("The task to merge it into is not on this board", "Same.")
    (await ada.post(f"{url}/decision", {"decision": "merge", "task": "dome"})).is_status(422).has("Or merge it into")
    (await ada.post(f"{url}/decision", {"decision": "accept", "note": "Good.", "task": ""})).is_status(303)
    (await ada.get("/activity")).has("proposed", "accepted a proposal as", "#1 Oil the dome", f'href="{url}"')
    (await ada.get(url)).has("Accepted by Ada", "Good.", "#1 Oil the dome")
    (await ada.post(f"{url}/decision", {"decision": "drop"})).is_status(409)
    (await ada.post(f"{url}/reopening", {})).is_status(303)
    (await ada.get(url)).has("Or merge it into")
    (await ada.post(f"{url}/decision", {"decision": "drop", "note": "", "task": ""})).is_status(303)


async def test_accepting_asks_for_what_the_board_requires(cast: Cast) -> None:
    await add(cast, "lens", label="Lens", field_type="integer", required=True)
    ada, proposal = await visitor(cast.app, cast.ada), await proposed(cast)
    url = f"{cast.home}/proposals/{proposal['id']}"
    (await ada.get(url)).has("Lens", "field:integer:lens")
    (await ada.with_htmx.get(url)).has("<dialog", "field:integer:lens").lacks("<hx-partial")
    from_shelf = (await ada.with_htmx.post(f"{url}/decision", {"decision": "accept"})).is_status(422)
    from_shelf.has(
        'hx-target="#dialogs" hx-swap="innerHTML"',
        "data-auto-open",
        "Fill this in.",
        "Lens: this board requires a value.",
    )
    form = {"decision": "accept", "note": "", "task": "", "field:integer:lens": ""}
    (await ada.post(f"{url}/decision", form)).is_status(422).has("Fill this in.")
    again = (await ada.with_htmx.post(f"{url}/decision", form | {"field:integer:lens": "wide"})).is_status(422)
    again.has('value="wide"').lacks("<dialog", "<hx-partial")
    (await ada.post(f"{url}/decision", form | {"field:integer:lens": "35"})).is_status(303)
    [task] = (await cast.ada.get(f"{cast.home}/tasks")).ok()["items"]
    assert task["custom_field_values"]["lens"] == 35


async def test_dropping_asks_for_nothing(cast: Cast) -> None:
    await add(cast, "lens", label="Lens", required=True)
    ada, proposal = await visitor(cast.app, cast.ada), await proposed(cast)
    url = f"{cast.home}/proposals/{proposal['id']}"
    form = {"decision": "drop", "note": "", "task": "", "field:text:lens": ""}
    (await ada.post(f"{url}/decision", form)).is_status(303)


async def test_accepting_together_says_which_it_could_not_and_why(cast: Cast) -> None:
    ada, first, second = await visitor(cast.app, cast.ada), await proposed(cast), await proposed(cast, title="Wash it")
    await add(cast, "lens", label="Lens", required=True)
    needs = [f"proposal:{one['id']}" for one in (first, second)]
    said = await ada.with_htmx.post("/needs/answers", {"need": needs, "answer": "accept"})
    toast = said.headers["HX-Trigger"]
    assert "Accepted: 0. 2 were not" in toast and "Lens: this board requires a value." in toast
    assert "Oil the dome" in toast and "Wash it" in toast
    (await ada.get("/")).has(f"{cast.home}/proposals/{first['id']}")
    refused = (
        await cast.ada.post(
            f"{cast.home}/proposals/decisions", {"proposal_ids": [first["id"], second["id"]], "decision": "accept"}
        )
    ).refused(422)
    assert "Lens: this board requires a value." in str(refused)
