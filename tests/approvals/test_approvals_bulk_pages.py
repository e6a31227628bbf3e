"""Several rows of the queue of approvals are decided in one go, as on Home, and taken back."""

import json
from uuid import UUID

from mission_control.approvals.models import Approval
from tests.cast import Cast
from tests.visitor import visitor


async def decisions(*asked: dict[str, str]) -> list[str | None]:
    """What was decided on some approvals."""
    return [(await Approval.get(id=UUID(one["id"]))).decision for one in asked]


async def test_selected_rows_are_listed_decided_and_taken_back(cast: Cast) -> None:
    asked = [await cast.ask() for _ in range(3)]
    cleo = await visitor(cast.app, cast.cleo)
    seen = (await cleo.get("/approvals")).is_status(200)
    seen.has('data-key="x"', f'value="approval:{asked[0]["id"]}"', "Decide the selected", 'action="/needs/selection"')
    names = [f"approval:{one['id']}" for one in asked]
    query = "&".join(f"need={one}" for one in names)
    dialog = (await cleo.with_htmx.get(f"/needs/selection?next=/approvals&{query}")).has("data-auto-open", "Approve 3")
    dialog.has(*(f'name="need" value="{one}"' for one in names), 'name="next" value="/approvals"')
    (await cast.ben.post(f"{cast.approvals}/{asked[1]['id']}/decisions", {"decision": "rejected"})).ok()
    form = {"need": names, "answer": "approve", "next": "/approvals"}
    answer = (await cleo.with_htmx.post("/needs/answers", form)).is_status(204)
    toast = json.loads(answer.headers["HX-Trigger"])["toast"]
    assert toast["message"].startswith("Approved: 2. 1 was not: Ben rejected this ")
    assert await decisions(*asked) == ["approved", "rejected", "approved"]
    await cleo.with_htmx.post(toast["undo"]["action"], toast["undo"]["fields"])
    assert await decisions(*asked) == [None, "rejected", None]


async def test_sending_back_needs_a_note_and_works_without_scripts(cast: Cast) -> None:
    asked = await cast.ask()
    cleo = await visitor(cast.app, cast.cleo)
    form = {"need": [f"approval:{asked['id']}"], "answer": "send_back", "next": "/approvals"}
    refused = (await cleo.post("/needs/answers", form)).is_status(422)
    refused.has("Say what should change.", 'name="next" value="/approvals"', "Decide together")
    (await cleo.post("/needs/answers", {"answer": "approve"})).is_status(422)
    sent = (await cleo.post("/needs/answers", form | {"note": "Shorter."})).is_status(303)
    assert sent.leads_to == "/approvals"
    assert await decisions(asked) == ["changes_requested"]


async def test_readers_and_strangers_decide_nothing(cast: Cast) -> None:
    asked = await cast.ask()
    for person in (cast.dan, cast.eve):
        someone = await visitor(cast.app, person)
        await someone.post("/needs/answers", {"need": [f"approval:{asked['id']}"], "answer": "approve"})
    assert await decisions(asked) == [None]
    dan = await visitor(cast.app, cast.dan)
    assert "Decide the selected" not in (await dan.get("/approvals")).text
