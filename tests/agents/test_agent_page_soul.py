"""An agent's soul on its page: the text, who changed it and why, another one, and one from before."""

import orjson

from mission_control.agents.models import Agent, AgentSoul
from mission_control.agents.pages import SoulForm
from mission_control.events.leases import Delivery
from tests.cast import Cast, head, kinds
from tests.visitor import visitor


async def soul_of(cast: Cast) -> str | None:
    return (await Agent.get(id=cast.vega.id)).soul_template


async def version(cast: Cast) -> str:
    return SoulForm.version_of(await Agent.get(id=cast.vega.id))


async def test_soul_is_changed_with_a_reason_and_the_agent_is_notified(cast: Cast) -> None:
    ada, path = await visitor(cast.app, cast.ada), f"/agents/{cast.vega.id}/soul"
    (await ada.get(path)).has("No soul", "Write a soul").lacks("Restore this soul")
    (await ada.with_htmx.get(f"{path}/edit")).has("<dialog", "18,000 characters").lacks("<!doctype")
    typed = {"soul": "Be **kind** & brief.", "reason": "A quiet night.", "version": await version(cast)}
    before = await head(cast)
    async with ada.watching(f"/agents/{cast.vega.id}/live?tab=soul") as watch:
        (await ada.with_htmx.post(f"{path}/edit", typed)).is_status(204)
        assert "Be <strong>kind</strong> &amp; brief." in await watch.until("A quiet night.")
    assert await soul_of(cast) == "Be **kind** & brief."
    assert ("agent.updated", cast.vega.id) in await kinds(cast, before)
    told = await Delivery.get(agent_id=cast.vega.id, header="SOUL UPDATED")
    assert "By: Ada" in told.text and "Reason: A quiet night." in told.text
    (await ada.get(path)).has("Ada", "Present", "A quiet night.")


async def test_souls_set_by_a_lead_are_in_the_history_and_restorable(cast: Cast) -> None:
    ada, path = await visitor(cast.app, cast.ada), f"/agents/{cast.vega.id}/soul"
    lead = f"/agent{cast.home}/agents/{cast.vega.id}/soul"
    for content, more in (("First", {}), ("Second", {"reason": "Why not", "source_url": "javascript:alert(1)"})):
        (await cast.atlas.call("PUT", lead, {"content": content, **more})).ok()
    seen = (await ada.get(path)).has("Atlas", "Why not", "Second", "First", "Restore this soul", "javascript:alert(1)")
    seen.lacks('href="javascript')
    first = await AgentSoul.get(agent_id=cast.vega.id, content="First")
    back = (await ada.with_htmx.post(f"{path}s/{first.id}/restorations")).is_status(204)
    assert await soul_of(cast) == "First"
    (await ada.get(path)).has("Back to the text of")
    undo = orjson.loads(back.headers["HX-Trigger"])["toast"]["undo"]
    (await ada.with_htmx.post(undo["action"], undo["fields"])).is_status(204)
    assert await soul_of(cast) == "Second"
    other = await AgentSoul.create(agent_id=cast.nova.id, content="Foreign", author_kind="system")
    (await ada.post(f"{path}s/{other.id}/restorations")).is_status(404)


async def test_version_with_fields_that_the_form_does_not_show_is_no_error(cast: Cast) -> None:
    ada, path = await visitor(cast.app, cast.ada), f"/agents/{cast.vega.id}/soul/edit"
    typed = {"soul": "Kind.", "reason": "Why not", "version": f"{await version(cast)}&reason=0&pk=0"}
    (await ada.with_htmx.post(path, typed)).is_status(204)
    assert await soul_of(cast) == "Kind."


async def test_second_editor_sees_both_texts(cast: Cast) -> None:
    ada, path = await visitor(cast.app, cast.ada), f"/agents/{cast.vega.id}/soul/edit"
    old = await version(cast)
    ben = await visitor(cast.app, cast.ben)
    (await ben.with_htmx.post(path, {"soul": "Ben's <text>", "version": old})).is_status(204)
    for browser in (ada, ada.with_htmx):
        late = await browser.post(path, {"soul": "Ada's text", "reason": "Mine", "version": old})
        late.is_status(409).has("Somebody changed it to “Ben&#39;s &lt;text&gt;”", "Ada&#39;s text", 'value="Mine"')
        late.has(f'value="{await version(cast)}"')
    assert await soul_of(cast) == "Ben's <text>"
    (await ada.post(path, {"soul": "Ada's text", "version": await version(cast)})).is_status(303)
    assert await soul_of(cast) == "Ada's text"


async def test_too_long_soul_stays_in_the_form(cast: Cast) -> None:
    ada, path = await visitor(cast.app, cast.ada), f"/agents/{cast.vega.id}/soul/edit"
    typed = {"soul": "x" * 18_001, "reason": "y" * 2_001, "version": await version(cast)}
    (await ada.post(path, typed)).is_status(422).has("at most 18000", "at most 2000", "x" * 18_001)
    (await (await visitor(cast.app, cast.cleo)).post(path, typed)).is_status(403)


async def test_emptied_soul_is_null(cast: Cast) -> None:
    ada, path = await visitor(cast.app, cast.ada), f"/agents/{cast.vega.id}/soul/edit"
    await ada.post(path, {"soul": "Something", "version": await version(cast)})
    await ada.post(path, {"soul": " ", "version": await version(cast)})
    assert await soul_of(cast) is None
    (await ada.get(f"/agents/{cast.vega.id}/soul")).has("No soul", "It was removed.", "Restore this soul")
