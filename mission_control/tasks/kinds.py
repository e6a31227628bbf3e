"""The kinds of events that tasks record, and when."""

from mission_control.live.kinds import Kind

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
