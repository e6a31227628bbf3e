"""What stands around the tasks of the demo: tags, a custom field, a group with its memory, views, budgets."""

from typing import Any

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.boards.views_commands import create_view
from mission_control.boards.views_schemas import ViewCreate
from mission_control.core.actor import Actor, system
from mission_control.custom_fields.commands import create_field
from mission_control.custom_fields.schemas import TaskCustomFieldDefinitionCreate
from mission_control.demo import story
from mission_control.groups.commands import create_group
from mission_control.memory.commands import write_group_memory, write_memory
from mission_control.tags.commands import create_tag
from mission_control.tags.models import Tag
from mission_control.tags.schemas import TagCreate
from mission_control.usage.budgets import create_budget
from mission_control.usage.commands import report_usage
from mission_control.usage.schemas import BudgetCreate

PAGE = "page"
VIEW: dict[str, Any] = {"name": "Due this week", "query": "due:week is:open", "sort": "due", "is_shared": True}
# Far above what the simulated agents use in a day. The one that nobody simulates has used most of its own.
MOST_USD = 250
MOST_TOKENS, USED_TOKENS = 200_000, 168_000


async def furnish(mara: Actor, boards: list[Board]) -> dict[str, Tag]:
    """Create what the tasks of these boards refer to. Return the tags by name."""
    name, text = story.GROUP
    fields = {"name": name, "slug": "", "description": text}
    group = await create_group(mara, mara.organization_id, fields, [board.id for board in boards])
    await write_group_memory(mara, group, story.RULES, ["rules"])
    for board, note in zip(boards, story.NOTES_OF_BOARDS, strict=True):
        await write_memory(mara, board, note, ["rules"])
        await create_view(mara, board, ViewCreate.model_validate(VIEW))
    page = TaskCustomFieldDefinitionCreate(
        field_key=PAGE, label="Page", ui_visibility="if_set", board_ids=[board.id for board in boards]
    )
    await create_field(mara, page)
    return {name: await create_tag(mara, TagCreate(name=name, color=color)) for name, color in story.TAGS.items()}


async def set_budgets(mara: Actor, agent: Agent) -> None:
    """Limit the money of everybody and the tokens of one agent, which has used most of them today."""
    for budget in (
        {"unit": "cost", "limit": MOST_USD},
        {"unit": "tokens", "limit": MOST_TOKENS, "agent_id": agent.id},
    ):
        await create_budget(mara, mara.organization_id, BudgetCreate.model_validate(budget))
    await report_usage(system(mara.organization_id), agent.id, board_id=agent.board_id, input_tokens=USED_TOKENS)
