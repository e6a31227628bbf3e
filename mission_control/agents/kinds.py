"""The kinds of events that agents record, and when."""

from mission_control.live.kinds import Kind

KINDS = {
    "approval.lead_notified": Kind("An agent received the notice of a decision."),
    "approval.lead_notify_failed": Kind("The notice of a decision was given up."),
    "agent.created": Kind("An agent was made.", "made the agent"),
    "agent.updated": Kind("An agent's fields changed, or it moved to another board.", "changed the agent"),
    "agent.provisioning_requested": Kind(
        "Somebody asked to set up an agent on its gateway anew.", "set up the agent anew"
    ),
    "agent.deleted": Kind("An agent was deleted; its tasks went back to the board.", "deleted the agent"),
    "agent.token_rotated": Kind("An agent got a new token.", "rotated the token of"),
    "agent.token_changed": Kind("What a token of an agent may, or when it ends, changed.", "changed a token of"),
    "agent.token_revoked": Kind("A token of an agent was ended.", "revoked a token of"),
    "agent.nudge.sent": Kind("A lead put a word into a colleague's inbox.", "nudged"),
    "agent.nudge.failed": Kind("The nudge of a lead was given up.", "could not nudge"),
    "gateway.main.lead_message.sent": Kind(
        "A board's lead got a message of the gateway's main agent.", "wrote to the lead"
    ),
    "gateway.main.lead_message.failed": Kind(
        "A message of a gateway's main agent to a lead was given up.", "could not write to the lead"
    ),
    "gateway.main.lead_broadcast.sent": Kind(
        "A gateway's main agent wrote to the leads of several boards.", "wrote to the leads"
    ),
    "agent.soul.updated": Kind(
        "A lead gave a colleague another soul; the old one stays in its history.", "gave another soul to"
    ),
    "board.lead_notified": Kind("The board's lead received the notice of changed fields."),
    "board.lead_notify_failed": Kind("The notice of a board's changed fields was given up."),
    "agent.work_state_changed": Kind("An agent was paused, stopped, or let run on."),
}
