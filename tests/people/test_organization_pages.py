"""The organization as a page: name, ownership, leaving, deletion; more than one organization."""

from mission_control.people.models import Member, Organization
from tests.cast import Cast
from tests.visitor import visitor

GENERAL = "/settings/organization"


async def test_admins_rename_and_members_read_why_they_cannot(cast: Cast) -> None:
    ben, cleo = await visitor(cast.app, cast.ben), await visitor(cast.app, cast.cleo)
    assert (await ben.post(GENERAL, {"name": "Planetarium"})).leads_to == f"{GENERAL}?saved=name"
    (await ben.get(f"{GENERAL}?saved=name")).has("The name is changed.", 'value="Planetarium"').lacks("Delete the")
    (await ben.post(GENERAL, {"name": " "})).is_status(422).has("Fill this in.")
    (await cleo.get(GENERAL)).is_status(200).has("Owners and admins change its name").lacks("Save the name")


async def test_deletion_names_what_goes_and_wants_the_name(cast: Cast) -> None:
    await cast.add_task()
    ada, ben = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.ben)
    (await ben.get(f"{GENERAL}/deletion")).is_status(403)
    (await ada.get(f"{GENERAL}/deletion")).has("2 boards", "with 1 task", "4 people lose", "Type Observatory")
    (await ada.post(f"{GENERAL}/deletion", {"typed": "Observ"})).is_status(422).has("Type the name exactly")
    assert await Organization.filter(id=cast.organization.id).exists()
    assert (await ada.post(f"{GENERAL}/deletion", {"typed": " Observatory "})).leads_to == "/"
    assert not await Organization.filter(id=cast.organization.id).exists()


async def test_only_owner_cannot_leave_until_it_is_handed_over(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(GENERAL)).has("You are the only owner.").lacks("Leave Observatory")
    (await ada.post(f"{GENERAL}/departures")).is_status(422).has("You are the only owner")
    heir = await Member.get(user_id=cast.ben.id)
    assert (await ada.post(f"{GENERAL}/ownership", {"member_id": str(heir.id)})).status == 303
    (await ada.get(GENERAL)).has("Leave Observatory").lacks("Delete the organization", "Hand over")
    assert (await ada.post(f"{GENERAL}/departures")).leads_to == "/"
    assert not await Member.filter(user_id=cast.ada.id, organization_id=cast.organization.id).exists()


async def test_second_organization_is_made_and_switched(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await ada.get("/organizations/new")).is_status(200).has("You will own it")
    (await ada.post("/organizations", {"name": "observatory"})).is_status(409).has("You belong to an organization")
    assert (await ada.post("/organizations", {"name": "Planetarium"})).leads_to == "/boards"
    (await ada.get("/boards")).has("Planetarium").lacks("Telescope")
    form = {"organization_id": str(cast.organization.id)}
    assert (await ada.post("/organizations/active?next=/settings", form)).leads_to == "/settings"
    (await ada.get("/boards")).has("Telescope")
    (await ada.post("/organizations/active", {"organization_id": str(cast.elsewhere.id)})).is_status(403)
