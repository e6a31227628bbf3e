"""Deleted boards: who sees them, and how they come back."""

from tests.cast import Cast
from tests.visitor import visitor


async def test_deleted_board_is_restored_from_the_trash(cast: Cast) -> None:
    task = await cast.add_task(title="Still here")
    ada = await visitor(cast.app, cast.ada)
    assert (await ada.get("/boards/trash")).leads_to == "/settings/trash"
    (await ada.get("/settings/trash")).is_status(200).has("No deleted boards")
    assert (await ada.post(f"{cast.home}/deletion", {"name": "Telescope"})).leads_to == "/boards"
    (await ada.get(cast.home)).is_status(404)
    (await ada.get("/boards")).is_status(200).lacks("Telescope")
    (await ada.get("/settings/trash")).is_status(200).has("Telescope", "Restore Telescope")
    assert (await ada.post(f"{cast.home}/restorations", {})).leads_to == cast.home
    (await ada.get(cast.home)).is_status(200).has("Still here", task["id"])


async def test_trash_is_only_for_admins(cast: Cast) -> None:
    (await cast.ada.delete(cast.home)).ok()
    cleo, eve = await visitor(cast.app, cast.cleo), await visitor(cast.app, cast.eve)
    (await cleo.get("/settings/trash")).is_status(200).has("are for admins").lacks("Telescope")
    (await cleo.get("/boards")).is_status(200).lacks("Deleted boards")
    (await eve.get("/settings/trash")).is_status(200).lacks("Telescope")
