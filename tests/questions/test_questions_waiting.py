"""A question read with a wait answers when people did, or when it is over."""

import asyncio
from typing import Any

import pytest

from mission_control.events import wakeup_channels
from mission_control.questions.reactions import POLLS
from tests.cast import Cast

pytestmark = pytest.mark.dialect

PATIENCE = 40


async def asked(cast: Cast) -> dict[str, Any]:
    """A question of the lead."""
    found: dict[str, Any] = (await cast.atlas.post(f"/agent{cast.home}/questions", {"content": "Which filter?"})).ok()
    return found


async def poll(cast: Cast, question: dict[str, Any]) -> "asyncio.Task[Any]":
    """The lead waits for the answer."""
    path = f"{cast.home}/questions/{question['id']}?wait_seconds=50"
    waiting = asyncio.create_task(cast.atlas.get(path))
    async with asyncio.timeout(PATIENCE):
        while not wakeup_channels.channels_waiting(POLLS.channel_of(question["id"])):
            await asyncio.sleep(0.005)
    return waiting


async def test_waiting_read_answers_when_people_did(cast: Cast) -> None:
    question = await asked(cast)
    waiting = await poll(cast, question)
    (await cast.ada.post(f"{cast.home}/questions/{question['id']}/answers", {"answer": "The red one."})).ok()
    found = (await asyncio.wait_for(waiting, PATIENCE)).ok()
    assert (found["state"], found["answer"]) == ("answered", "The red one.")


async def test_waiting_read_answers_when_the_question_is_withdrawn(cast: Cast) -> None:
    question = await asked(cast)
    waiting = await poll(cast, question)
    (await cast.atlas.delete(f"/agent{cast.home}/questions/{question['id']}")).ok()
    assert (await asyncio.wait_for(waiting, PATIENCE)).ok()["state"] == "withdrawn"


async def test_answered_question_is_not_waited_for_and_an_open_one_ends_open(cast: Cast) -> None:
    question = await asked(cast)
    path = f"{cast.home}/questions/{question['id']}"
    assert (await cast.atlas.get(f"{path}?wait_seconds=1")).ok()["state"] == "open"
    (await cast.ada.post(f"{path}/answers", {"answer": "The red one."})).ok()
    assert (await asyncio.wait_for(cast.atlas.get(f"{path}?wait_seconds=50"), PATIENCE)).ok()["state"] == "answered"
    (await cast.atlas.get(f"{path}?wait_seconds=51")).refused(422)


async def test_waiting_reader_that_is_moved_is_refused(cast: Cast) -> None:
    question = await asked(cast)
    waiting = await poll(cast, question)
    (await cast.ada.patch(f"/agents/{cast.atlas.id}", {"board_id": str(cast.other_board.id)})).ok()
    (await cast.ada.post(f"{cast.home}/questions/{question['id']}/answers", {"answer": "The red one."})).ok()
    (await asyncio.wait_for(waiting, PATIENCE)).refused(404)
