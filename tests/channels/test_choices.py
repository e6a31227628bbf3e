"""What people choose about how they are reached: defaults, checks, what is logged, and who else sees it."""

from typing import Any

import pytest

from mission_control.channels.delivery.state import person_of
from mission_control.channels.models import ReachBoard, ReachSettings
from mission_control.events.wakeup_channels import listening
from mission_control.people.models import AccountEvent, User
from tests.cast import Cast
from tests.statements import counted

pytestmark = pytest.mark.dialect

PATH = "/users/me/reach"


async def logged(cast: Cast) -> list[str]:
    """The changes of choices in the account log, as it is stored."""
    return [one.data for one in await AccountEvent.filter(kind="account.reach_changed").order_by("seq")]


async def test_who_never_chose_has_the_defaults(cast: Cast) -> None:
    chosen = (await cast.cleo.get(PATH)).ok()
    assert chosen == {
        "mode": "devices", "next_after": 10, "has_quiet": True, "quiet_from": "22:00", "quiet_to": "08:00",
        "days_off": [], "wake": False, "shows": "title", "only_blocking": False, "morning": False, "mail": True,
        "kinds": {}, "boards": [], "zone": None,
    }  # fmt: skip
    assert not await ReachSettings.exists()


async def test_choices_are_stored_and_what_is_left_out_is_a_default_again(cast: Cast) -> None:
    await User.filter(id=cast.cleo.id).update(timezone="Europe/Stockholm")
    board = str(cast.board.id)
    wanted = {"mode": "mail", "quiet_to": "07:30", "days_off": [6, 5, 6], "kinds": {"approval": "digest"}}
    chosen = (await cast.cleo.call("PUT", PATH, wanted | {"boards": [{"board_id": board, "how": "never"}]})).ok()
    assert (chosen["mode"], chosen["quiet_to"], chosen["days_off"]) == ("mail", "07:30", [5, 6])
    assert (chosen["kinds"], chosen["boards"]) == ({"approval": "digest"}, [{"board_id": board, "how": "never"}])
    assert chosen["zone"] == "Europe/Stockholm"
    assert (await cast.cleo.get(PATH)).ok() == chosen
    again = (await cast.cleo.call("PUT", PATH, {"next_after": 30})).ok()
    assert (again["mode"], again["next_after"], again["kinds"], again["boards"]) == ("devices", 30, {}, [])
    assert not await ReachBoard.exists()
    assert await ReachSettings.all().count() == 1


async def test_same_choice_is_a_no_op(cast: Cast) -> None:
    wanted = {"wake": True, "boards": [{"board_id": str(cast.board.id), "how": "digest"}]}
    for _ in range(2):
        (await cast.cleo.call("PUT", PATH, wanted)).ok()
    assert await logged(cast) == ['{"changed":["wake","boards"]}']
    (await cast.ben.call("PUT", PATH, {})).ok()
    assert len(await logged(cast)) == 1


async def test_many_boards_cost_no_more_statements_than_one(cast: Cast) -> None:
    boards = [{"board_id": str(one.id), "how": "never"} for one in (cast.board, cast.other_board)]
    costs = []
    for wanted in (boards[:1], boards):
        await ReachBoard.all().delete()
        with counted() as made:
            (await cast.ada.call("PUT", PATH, {"boards": wanted})).ok()
        costs.append(len(made))
    assert costs[0] == costs[1] and await ReachBoard.all().count() == 2


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"quiet_from": "9:00"}, "pattern"),
        ({"quiet_from": "24:00"}, "pattern"),
        ({"quiet_from": "2\u0662:00"}, "pattern"),
        ({"quiet_from": "08:00", "quiet_to": "08:00"}, "begin and end at the same time"),
        ({"quiet_from": "08:00", "quiet_to": "07:30"}, "less than an hour"),
        ({"quiet_from": "00:30", "quiet_to": "23:59"}, "less than an hour"),
        ({"days_off": [7]}, "less than or equal to 6"),
        ({"days_off": [0, 1, 2, 3, 4, 5, 6]}, "every day is off"),
        ({"mode": "pigeon"}, "'devices', 'mail' or 'page'"),
        ({"next_after": 0}, "greater than or equal to 1"),
        ({"kinds": {"approvals": "never"}}, "no needs of the kind approvals"),
        ({"kinds": {"approval": "sometimes"}}, "at_once"),
        ({"colour": "red"}, "Extra inputs"),
    ],
    ids=str,
)
async def test_invalid_choices_say_what_is_wrong(cast: Cast, sent: dict[str, Any], words: str) -> None:
    assert words in str((await cast.cleo.call("PUT", PATH, sent)).refused(422))
    assert not await ReachSettings.exists()


@pytest.mark.parametrize(
    "sent",
    [{"quiet_from": "08:00", "quiet_to": "07:00"}, {"has_quiet": False, "quiet_from": "08:00", "quiet_to": "08:00"}],
    ids=["an hour is left", "no quiet hours"],
)
async def test_hours_that_leave_an_hour_are_taken(cast: Cast, sent: dict[str, Any]) -> None:
    assert sent.items() <= (await cast.cleo.call("PUT", PATH, sent)).ok().items()


@pytest.mark.parametrize("zone", [None, "", "Nowhere/None", "../../etc/passwd"])
def test_zone_that_does_not_exist_is_no_zone(zone: str | None) -> None:
    """Quiet hours of UTC would be somebody's afternoon."""
    assert person_of(zone, ("mail",), None, {}).zone is None


async def test_board_of_others_cannot_be_named_and_a_lost_one_is_left_out(cast: Cast) -> None:
    named = {"boards": [{"board_id": str(cast.board.id), "how": "never"}]}
    assert "You see no board" in str((await cast.eve.call("PUT", PATH, named)).refused(422))
    (await cast.dan.call("PUT", PATH, named)).ok()
    member = (await cast.dan.get("/organizations/me/member")).ok()["id"]
    path = f"/organizations/me/members/{member}/boards/{cast.board.id}"
    (await cast.ada.call("PUT", path, {"access": "none"})).ok()
    assert (await cast.dan.get(PATH)).ok()["boards"] == []


async def test_each_has_their_own(cast: Cast) -> None:
    (await cast.cleo.call("PUT", PATH, {"mode": "page"})).ok()
    assert (await cast.ben.get(PATH)).ok()["mode"] == "devices"


async def test_choice_wakes_what_plans_messages(cast: Cast) -> None:
    with listening("reach") as notified:
        (await cast.cleo.call("PUT", PATH, {})).ok()
        assert not notified.done()
        (await cast.cleo.call("PUT", PATH, {"mode": "page"})).ok()
        assert notified.done()
