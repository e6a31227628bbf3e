"""What the room `tasks` adds to the application."""

from mission_control.feature import Feature
from mission_control.http.body_limit import BodyLimit
from mission_control.log.event_log import Kind
from mission_control.tasks import (
    actions_api,
    activity_api,
    activity_pages,
    api,
    asks,
    attachments,
    board_pages,
    board_regions,
    board_view,
    bulk_pages,
    comments,
    custom_field_api,
    custom_field_pages,
    custom_field_queries,
    leaving,
    models,
    new_pages,
    pages,
    panel_sections,
    policy,
    queries,
    reviews,
    table,
    tag_api,
    tag_pages,
    tag_queries,
    trash_pages,
    views_pages,
)
from mission_control.tasks.fields import sentences
from mission_control.tasks.new_pages import NEW_TASK, RESTORE_TASK
from mission_control.web.shell import PaletteEntry

KINDS = {
    "task.created": Kind("A task was put on a board.", "added"),
    "task.updated": Kind(
        "A task changed but not its status, or what it waits for was done, opened, deleted or restored."
    ),
    "task.status_changed": Kind("A task went to another column."),
    "task.comment": Kind("Somebody said something about a task; the event has the comment's id and not its words."),
    "task.deleted": Kind("A task was taken off its board; it can be restored.", "deleted"),
    "task.erased": Kind("A task of the trash was deleted for good.", "erased", is_named_in_message=True),
    "task.restored": Kind("A deleted task was put back.", "restored"),
    "task.lead_notified": Kind("The board's lead received the notice of a new task."),
    "task.lead_notify_failed": Kind("The notice of a new task was given up."),
    "task.lead_unassigned_notified": Kind("The lead received the notice of a task that came back without an owner."),
    "task.lead_unassigned_notify_failed": Kind("The notice of a task that came back was given up."),
    "task.assignee_notified": Kind("An agent received the notice of a task that was given to it."),
    "task.assignee_notify_failed": Kind("The notice to a task's new owner was given up."),
    "task.rework_notified": Kind("A worker received the notice of changes that its lead asks for."),
    "task.rework_notify_failed": Kind("The notice of requested changes was given up."),
    "task.archived": Kind("A done task was put out of sight.", "archived"),
    "task.unarchived": Kind("A task was taken out of the archive.", "took out of the archive"),
    "task.checklist_item_added": Kind("A step was added to a task.", "added a step to"),
    "task.checklist_item_changed": Kind(
        "A step of a task was ticked, opened again or worded anew.", "changed a step of"
    ),
    "task.checklist_item_removed": Kind("A step of a task was removed.", "removed a step of"),
    "task.checklist_reordered": Kind("The steps of a task were put into another order.", "reordered the steps of"),
    "task.file_attached": Kind("A file was put on a task or on a comment.", "attached a file to"),
    "task.file_removed": Kind("A file was removed from a task for good.", "removed a file of"),
    "task.comment_edited": Kind("An author put other words into a comment.", "edited a comment on"),
    "task.comment_deleted": Kind(
        "A comment was taken out of lists and streams, and its words and files are gone.", "deleted a comment on"
    ),
}


tasks = Feature(
    name="tasks",
    models=(models,),
    rules=(policy.rules,),
    reactions=(
        leaving.reactions,
        reviews.reactions,
    ),
    kinds=KINDS,
    task_sentences=sentences(),
    lookups=(
        queries.visible_task,
        attachments.visible_attachment,
        comments.visible_comment,
        actions_api.task_of_item,
    ),
    blueprints=(
        api.api,
        actions_api.api,
        board_pages.pages,
        bulk_pages.pages,
        new_pages.pages,
        pages.pages,
        trash_pages.pages,
        views_pages.pages,
    ),
    body_limits=(
        BodyLimit("POST", "/api/v1/boards/[^/]+/tasks/[^/]+/attachments", "max_file_bytes"),
        BodyLimit("POST", "/boards/[^/]+/tasks/[^/]+/files", "max_file_bytes"),
    ),
    on_notify_family={board_view.FAMILY: board_view.on_presence},
    regions=(
        *board_view.REGIONS,
        *views_pages.QUERY_REGIONS,
        *views_pages.REGIONS,
        *board_regions.REGIONS,
        *table.REGIONS,
        *panel_sections.REGIONS,
        *panel_sections.FACT_REGIONS,
        *panel_sections.FILE_REGIONS,
        *panel_sections.STEP_REGIONS,
    ),
    asks=asks.KINDS,
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


tags = Feature(
    name="tags",
    models=(models,),
    kinds={
        "tag.created": Kind("A tag was created.", "made the tag", is_named_in_message=True),
        "tag.updated": Kind(
            "A tag's name, slug, colour or description changed.", "changed the tag", is_named_in_message=True
        ),
        "tag.merged": Kind(
            "A tag was merged into another one, which its tasks have now.", "merged the tag", is_named_in_message=True
        ),
        "tag.deleted": Kind("A tag was deleted and taken off every task.", "deleted the tag", is_named_in_message=True),
    },
    lookups=(tag_queries.visible_tag,),
    blueprints=(tag_api.api, tag_pages.pages),
    palette=(PaletteEntry("New tag", "/settings/tags/new", "plus", "create label", 60, "Do", policy.may_add_labels),),
)


custom_fields = Feature(
    name="custom_fields",
    models=(models,),
    kinds={
        "custom_field.created": Kind(
            "A custom field was added to the tasks of some boards.", "made the custom field", is_named_in_message=True
        ),
        "custom_field.updated": Kind(
            "A custom field or the boards that have it changed.", "changed the custom field", is_named_in_message=True
        ),
        "custom_field.ordered": Kind(
            "The custom fields were put in another order.", "put the custom fields in order, first"
        ),
        "custom_field.deleted": Kind(
            "A custom field was deleted.", "deleted the custom field", is_named_in_message=True
        ),
    },
    lookups=(custom_field_queries.visible_field,),
    blueprints=(custom_field_api.api, custom_field_pages.pages),
)


activity = Feature(
    name="activity",
    blueprints=(
        activity_api.api,
        activity_pages.pages,
    ),
    agent_tabs=(activity_pages.TAB,),
    asides=activity_pages.ASIDES,
    regions=(*activity_pages.PAGES_REGIONS, *activity_pages.REGIONS),
    palette=(PaletteEntry("Activity", "/activity", "activity", "feed log", position=20),),
)
