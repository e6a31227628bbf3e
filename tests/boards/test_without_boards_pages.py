"""People without a board, with one, and with one that they may only read: who is offered to create one."""

import re

from mission_control.people.models import BoardAccess, Member
from tests.cast import Cast, Person
from tests.visitor import Visitor, visitor

OFFERS = re.compile(r"Create a board|Create board|Create your first board|New board|/boards/new")


async def take_boards(cast: Cast, person: Person) -> None:
    """Take every board from a member."""
    member = await Member.get(user_id=person.id)
    await BoardAccess.filter(organization_member_id=member.id).delete()


async def offers(browser: Visitor) -> set[str]:
    """On which pages somebody is offered to create a board."""
    pages = ("/", "/boards", "/palette", "/palette?q=board", "/agents")
    return {path for path in pages if OFFERS.search((await browser.get(path)).text)}


async def test_members_read_who_can_share_a_board(cast: Cast) -> None:
    for person in (cast.cleo, cast.dan):
        await take_boards(cast, person)
        browser = await visitor(cast.app, person)
        assert await offers(browser) == set()
        (await browser.get("/")).has("Ada or Ben can share one", "No boards yet")
        (await browser.get("/boards")).has("Ada or Ben can share one with you.", "No boards yet")


async def test_members_with_boards_are_not_offered_another(cast: Cast) -> None:
    for person in (cast.cleo, cast.dan):  # Cleo may write on one, Dan may read it
        browser = await visitor(cast.app, person)
        assert await offers(browser) == set()
        (await browser.get("/")).has("Telescope").lacks("No boards yet", "can share one")


async def test_owners_and_admins_create_boards(cast: Cast) -> None:
    for person in (cast.ada, cast.ben):
        assert {"/", "/boards", "/palette"} <= await offers(await visitor(cast.app, person))
    (await cast.eve.delete(f"/boards/{cast.foreign_board.id}")).ok()
    (await (await visitor(cast.app, cast.eve)).get("/")).has("Create a board", "Create your first board")
