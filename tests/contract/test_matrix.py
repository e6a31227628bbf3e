"""Who may do what: `matrix.csv` names every verb with a thing, and says for each of the cast whether it may."""

import csv
from pathlib import Path
from typing import Any

import pytest

from mission_control.accounts.models import Token, User
from mission_control.agents.models import Agent
from mission_control.approvals.models import Approval
from mission_control.core.actor import Actor, system
from mission_control.core.policy import RULES, can
from mission_control.tasks.models import Task
from tests.cast import Cast, everybody
from tests.contract.source import modules

FILE = Path(__file__).with_name("matrix.csv")


def table() -> list[dict[str, str]]:
    """The rows of the matrix."""
    with FILE.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


async def things(cast: Cast) -> dict[str, Any]:
    """What the rows are about, all of it on the board or of Cleo."""
    task, other = await cast.add_task(), await cast.add_task()
    approval = await Approval.get(id=(await cast.ask(cast.vega, other))["id"])
    row = await Task.get(id=task["id"])
    row.board = approval.board = cast.board
    return {
        "nothing": None,
        "organization": cast.organization.id,
        "board": cast.board,
        "task": row,
        "approval": approval,
        "worker": await Agent.get(id=cast.vega.id).select_related("board"),
        "lead": await Agent.get(id=cast.atlas.id).select_related("board"),
        "Cleo": await User.get(id=cast.cleo.id),
        "Cleo's token": await Token.get(user_id=cast.cleo.id),
    }


async def actors(cast: Cast) -> dict[str, Actor]:
    """Everybody as an actor."""
    found: dict[str, Actor] = {name: await caller.actor() for name, caller in everybody(cast).items()}  # type: ignore[attr-defined]
    return {**found, "system": system(cast.organization.id)}


def test_every_verb_has_a_row() -> None:
    modules()
    assert set(RULES) - {row["verb"] for row in table()} == set()
    assert {row["verb"] for row in table()} - set(RULES) == set()


def test_every_cell_is_filled() -> None:
    rows = table()
    assert len({(row["verb"], row["thing"]) for row in rows}) == len(rows)
    for row in rows:
        assert {value for key, value in row.items() if key not in ("verb", "thing")} <= {"allow", "deny"}, row


@pytest.mark.parametrize("thing", sorted({row["thing"] for row in table()}))
async def test_the_matrix(cast: Cast, thing: str) -> None:
    modules()
    known, who = (await things(cast))[thing], await actors(cast)
    for row in table():
        if row["thing"] == thing:
            names = set(row) - {"verb", "thing"}
            assert names == set(who)
            found = {name: "allow" if can(who[name], row["verb"], known) else "deny" for name in names}
            assert found == {name: row[name] for name in names}, row["verb"]
