"""The shelf of proposals above the inbox, and the forms that decide them."""

from typing import Any

from tests.cast import Cast
from tests.pages.visitor import visitor


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
