"""Needs over HTTP, for people and their scripts."""

from mission_control.core.actor import Actor
from mission_control.http.operation_api import Api
from mission_control.needs import schemas
from mission_control.needs.answers import answer_many, answer_one, snooze, snooze_many, undo_many, unsnooze
from mission_control.needs.kinds import AskedNeed, Key
from mission_control.needs.lookup import asked_need, key_named, rendered_need
from mission_control.needs.polling import wait_for_needs

api = Api(__name__, "needs", below="/needs")
ONE = "/<string:need_id>"


@api.get("", is_long_poll=True)
async def list_needs(actor: Actor, query: schemas.NeedQuery) -> schemas.NeedPage:
    """List everything that waits for you and that you may act on, by group, in it the oldest first.

    Each need says what is asked, which answers there are, what happens with each, and what happens if nobody acts.
    With `wait_seconds`, and as `known` the `version` of the list that you have, the answer comes as soon as something
    comes to wait, changes or no longer waits, or unchanged after that time.
    """
    return await wait_for_needs(actor, query)


@api.get(ONE)
async def get_need(actor: Actor, key: Key) -> schemas.Need:
    """Read one thing that waits for you; 404 when it no longer does."""
    return await rendered_need(actor, key)


@api.put(f"{ONE}/snooze", rule="need.snooze")
async def snooze_need(actor: Actor, key: Key, data: schemas.NeedSnooze) -> schemas.Need:
    """Put something off for yourself: until a time, until something about it changes, or whichever is first."""
    await snooze(actor, key, data)
    return await rendered_need(actor, await key_named(actor, key.name))


@api.delete(f"{ONE}/snooze", rule="need.snooze")
async def unsnooze_need(actor: Actor, key: Key) -> schemas.Need:
    """Show something again that you put off."""
    await unsnooze(actor, key)
    return await rendered_need(actor, await key_named(actor, key.name))


@api.post("/snoozes", is_atomic=False)
async def snooze_needs(actor: Actor, data: schemas.NeedsSnoozed) -> schemas.NeedResults:
    """Put several off for yourself, or show them again, with a result for each."""
    return await snooze_many(actor, data)


@api.post(f"{ONE}/answers", find=asked_need, rule="need.answer", is_atomic=False)
async def answer_need(actor: Actor, asked: AskedNeed, data: schemas.NeedAnswerGiven) -> schemas.NeedResult:
    """Give one of its answers. The first answer counts; another gets 409, which says whose it was and when."""
    result, _ = await answer_one(actor, asked, data)
    return result


@api.post("/answers", is_atomic=False)
async def answer_needs(actor: Actor, data: schemas.NeedsAnswered) -> schemas.NeedResults:
    """Answer many at once, each by itself, with a result for each: answered, ended by somebody else, or refused.

    Only answers that say `in_bulk` are taken.
    """
    return await answer_many(actor, data)


@api.post("/undos", is_atomic=False)
async def undo_needs(actor: Actor, data: schemas.NeedsUndone) -> schemas.NeedResults:
    """Take back answers that you gave in the last ten minutes, where nothing happened since.

    Approvals wait again, and tasks go back to where they were. What had an effect outside cannot be taken back.
    """
    return await undo_many(actor, data)
