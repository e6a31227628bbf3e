"""What tasks add to the application."""

from mission_control.feature import Feature
from mission_control.http.body_limit import BodyLimit
from mission_control.tasks import (
    agent_api,
    api,
    attachments_api,
    bulk_api,
    bulk_pages,
    cards_api,
    checklist_api,
    checklist_pages,
    decided,
    dependencies_api,
    file_pages,
    gone_pages,
    leaving_api,
    models,
    move_pages,
    new_pages,
    pages,
    panel_files,
    panel_pages,
    panel_parts,
    panel_props,
    panel_regions,
    policy,
    reactions,
    reviews_api,
    trash_pages,
)
from mission_control.tasks.fields import sentences
from mission_control.tasks.kinds import KINDS
from mission_control.tasks.palette import NEW_TASK, RESTORE_TASK

tasks = Feature(
    name="tasks",
    models=(models,),
    rules=(policy.rules,),
    reactions=(
        reactions.reactions,
        decided.reactions,
    ),
    kinds=KINDS,
    task_sentences=sentences(),
    blueprints=(
        agent_api.api,
        api.api,
        attachments_api.api,
        bulk_api.api,
        bulk_pages.pages,
        cards_api.api,
        checklist_api.api,
        checklist_pages.pages,
        dependencies_api.api,
        leaving_api.api,
        move_pages.pages,
        new_pages.pages,
        pages.pages,
        reviews_api.api,
        panel_pages.pages,
        file_pages.pages,
        trash_pages.pages,
        gone_pages.pages,
    ),
    body_limits=(
        BodyLimit("POST", "/api/v1/boards/[^/]+/tasks/[^/]+/attachments", "max_file_bytes"),
        BodyLimit("POST", "/boards/[^/]+/tasks/[^/]+/files", "max_file_bytes"),
    ),
    regions=(
        *panel_regions.REGIONS,
        *panel_props.REGIONS,
        *panel_files.REGIONS,
        *panel_parts.REGIONS,
    ),
    palette=(NEW_TASK, RESTORE_TASK),
    notices={
        "TASK ASSIGNED": "task_assigned",
        "TASK READY FOR LEAD REVIEW": "task_review",
        "CHANGES REQUESTED": "changes_requested",
        "NEW TASK ADDED": "task_added",
        "TASK BACK IN INBOX": "task_returned",
        "TASK TAKEN AWAY": "task_taken_away",
        "TASK UNBLOCKED": "task_unblocked",
        "TASK MENTION": "mention",
        "NEW TASK COMMENT": "comment",
    },
)
