"""People of the organization: the list, the boards of everybody, invitations, removal."""

import re

from mission_control.people.models import Invite, Member
from tests.cast import Cast
from tests.visitor import visitor

PEOPLE = "/settings/people"


async def member_path(cast: Cast, name: str) -> str:
    return f"{PEOPLE}/{(await Member.get(user_id=getattr(cast, name).id)).id}"


async def test_admins_read_roles_boards_and_last_use(cast: Cast) -> None:
    ben = await visitor(cast.app, cast.ben)
    seen = (await ben.get(PEOPLE)).is_status(200)
    seen.has("ada@example.org", "Owner", "Changes all boards", "Changes 1 of 2 boards", "Reads 1 of 2 boards")
    seen.has("Last seen", "just now", "Invite somebody", f'href="{PEOPLE}/access"', "What the roles may do")


async def test_member_reads_names_and_why_no_more(cast: Cast) -> None:
    cleo = await visitor(cast.app, cast.cleo)
    seen = (await cleo.get(PEOPLE)).is_status(200)
    seen.has("ben@example.org", "Owners and admins invite people").lacks("Last seen", "Invite somebody")
    for path in (f"{PEOPLE}/access", f"{PEOPLE}/invitations/new", await member_path(cast, "ben")):
        (await cleo.get(path)).is_status(403)
    (await cleo.get(await member_path(cast, "cleo"))).is_status(200).has("Owners and admins change roles")
    for person in (cast.eve,):
        eve = await visitor(cast.app, person)
        (await eve.get(await member_path(cast, "ben"))).is_status(404)


async def test_invitation_from_a_board_shares_it_and_one_without_boards_says_so(cast: Cast) -> None:
    ben = await visitor(cast.app, cast.ben)
    named = f'<option value="{cast.board.id}:write" selected>Change</option>'
    (await ben.get(f"{PEOPLE}/invitations/new?board={cast.board.id}")).has(named)
    (await ben.get(f"{PEOPLE}/invitations/new?board=nonsense")).is_status(200).lacks(':write" selected')
    shared = {"email": "fay@example.org", "boards": f"{cast.board.id}:write"}
    (await ben.get((await ben.post(f"{PEOPLE}/invitations", shared)).leads_to)).lacks("It shares no board")
    alone = await ben.post(f"{PEOPLE}/invitations", {"email": "gus@example.org"})
    (await ben.get(alone.leads_to)).has("It shares no board")


async def test_access_is_changed_in_a_cell(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    dan, cell = await member_path(cast, "dan"), f"boards/{cast.board.id}"
    (await ada.get(f"{PEOPLE}/access")).has("Dan, Telescope: Read", "Ada, Telescope: Change")
    async with ada.watching(f"{PEOPLE}/access/live") as watch:
        (await ada.with_htmx.post(f"{dan}/{cell}", {"access": "write"})).is_status(204)
        await watch.until("Dan, Telescope: Change")
    assert (await ada.post(f"{dan}/boards", {"reach": "all_write"})).status == 303
    (await ada.get(PEOPLE)).lacks("Reads 1 of 2 boards")
    ben = await visitor(cast.app, cast.ben)
    (await ben.get(f"{PEOPLE}/access")).has("only owners change this").lacks("Ada, Telescope: Change")


async def test_role_is_changed_but_not_the_last_owners(cast: Cast) -> None:
    ada, ben = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.ben)
    cleo = await member_path(cast, "cleo")
    assert (await ada.post(f"{cleo}/role", {"role": "admin"})).leads_to == f"{cleo}?saved=role"
    (await ada.get(f"{cleo}?saved=role")).has("The role is changed.")
    (await ben.post(f"{cleo}/role", {"role": "owner"})).is_status(403).has("Only owners change who is an owner")
    (await ada.get(await member_path(cast, "ada"))).has("The only owner.").lacks("Save the role")
    (await ada.post(f"{await member_path(cast, 'ada')}/role", {"role": "member"})).is_status(422).has("at least one")


async def test_removal_names_its_consequences(cast: Cast) -> None:
    ben, dan = await visitor(cast.app, cast.ben), await member_path(cast, "dan")
    dialog = (await ben.with_htmx.get(f"{dan}/removal")).is_status(200)
    dialog.has("data-auto-open", "Their tasks stay on the boards", "Their account stays")
    (await ben.get(f"{dan}/removal")).has("<!doctype html>", "Remove Dan?")
    assert (await ben.post(f"{dan}/removal")).leads_to == f"{PEOPLE}?saved=removed"
    (await ben.get(PEOPLE)).lacks("dan@example.org")
    (await ben.post(f"{await member_path(cast, 'ben')}/removal")).is_status(403).has("Leave the organization instead")


async def test_invitation_is_made_shown_and_revoked(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await ada.with_htmx.get(f"{PEOPLE}/invitations/new")).has("data-auto-open", "Chosen boards", "Telescope")
    form = {"email": "fay@example.org", "role": "member", "reach": "chosen", "boards": [f"{cast.board.id}:write"]}
    (await ada.post(f"{PEOPLE}/invitations", form | {"email": "nobody"})).is_status(422).has("such as mara@example.org")
    (await ada.post(f"{PEOPLE}/invitations", form | {"email": "cleo@example.org"})).is_status(409).has("member already")
    made = await ada.post(f"{PEOPLE}/invitations", form)
    page = (await ada.get(made.leads_to)).is_status(200).has("fay@example.org", "Changes 1 of 2 boards", "Revoke")
    assert re.search(r"http://localhost/invitations/mci_[\w-]+", page.text)
    (await ada.get(PEOPLE)).has("fay@example.org", "Not accepted yet")
    assert (await ada.post(f"{made.leads_to}/revocations")).leads_to == f"{PEOPLE}?saved=revoked"
    assert not await Invite.exists()


async def test_admin_cannot_invite_owners_or_read_their_links(cast: Cast) -> None:
    ada, ben = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.ben)
    form = {"email": "fay@example.org", "role": "owner", "reach": "all_write"}
    (await ben.post(f"{PEOPLE}/invitations", form)).is_status(403).has("Only an owner can invite an owner")
    made = await ada.post(f"{PEOPLE}/invitations", form)
    (await ben.get(made.leads_to)).has("Only an owner can read the link").lacks("mci_")
