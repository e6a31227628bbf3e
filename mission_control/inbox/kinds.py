"""What a notice is about, as one word for programs, from the token that is its header."""

KINDS = {
    "TASK ASSIGNED": "task_assigned",
    "TASK READY FOR LEAD REVIEW": "task_review",
    "CHANGES REQUESTED": "changes_requested",
    "NEW TASK ADDED": "task_added",
    "TASK BACK IN INBOX": "task_returned",
    "TASK TAKEN AWAY": "task_taken_away",
    "TASK UNBLOCKED": "task_unblocked",
    "TASK FLAGGED": "task_flagged",
    "TASK MENTION": "mention",
    "NEW TASK COMMENT": "comment",
    "APPROVAL RESOLVED": "decision",
    "BOARD UPDATED": "board_updated",
    "BOARD GROUP UPDATED": "group_updated",
    "BOARD CHAT": "chat",
    "BOARD CHAT MENTION": "chat_mention",
    "GROUP CHAT": "group_chat",
    "GROUP CHAT MENTION": "group_chat_mention",
    "GROUP BROADCAST": "group_broadcast",
    "WEBHOOK EVENT RECEIVED": "webhook",
    "GATEWAY MAIN QUESTION": "question",
    "GATEWAY MAIN HANDOFF": "handoff",
    "LEAD REQUEST: ASK USER": "ask_user",
    "BOARD ONBOARDING REQUEST": "onboarding",
    "NUDGE": "nudge",
    "SOUL UPDATED": "soul_updated",
    "QUESTION ANSWERED": "question_answered",
    "WORK PAUSED": "work_paused",
    "WORK STOPPED": "work_stopped",
    "WORK RESUMED": "work_resumed",
    "BUDGET WARNING": "budget_warning",
    "BUDGET USED UP": "budget_used_up",
    "/pause": "pause",
    "/resume": "resume",
}
OTHER = "message"


def kind_of(header: str) -> str:
    """The word for a header; `message` for one that is in no table."""
    return KINDS.get(header, OTHER)
