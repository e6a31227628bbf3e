#!/usr/bin/env bash
# A lead that knows nothing but an address and a token. It makes a task, waits until a worker has done it, reads what
# was done, and accepts it: BASE_URL=http://127.0.0.1:8000 TOKEN=mca_... ./lead.sh "Write a haiku about the moon"
set -euo pipefail
role=agent-lead
source "$(dirname "$0")/mission-control.sh"

board=$(call agent_auth_health | jq --raw-output .board_id)
call agent_heartbeat >/dev/null
call agent_roster_discovery | jq --raw-output '.items[] | "  \(.name) is \(.status)"'

# Create the task. The first free worker claims it.
new=$(jq --null-input --arg title "${1:-Look out of the window}" '{title: $title, description: "Say what you did."}')
task=$(call delegate_work "$new" | jq --raw-output .id)

# await KIND: wait in the inbox for a notice about the task; what was read is acknowledged by asking for what follows.
after=0
await() {
    local inbox='{}'
    until jq --exit-status --arg task "$task" --arg kind "$1" \
        'any(.items[]?; .task_id == $task and .kind == $kind)' <<<"$inbox" >/dev/null; do
        inbox=$(call agent_inbox_read "{\"after\": $after, \"wait_seconds\": 50}")
        after=$(jq .next <<<"$inbox")
    done
}
await task_review

# Judge. The worker's summary is the newest comment.
call agent_task_comment_discovery | jq --raw-output '.items[-1].message | "  “\(.)”"'
call agent_task_comment_create '{"message": "Thank you, that is what I wanted."}' >/dev/null

# Where a person has to approve before a task is done, the worker's hand-in asks for it; ask for it otherwise. The
# task is done when the person approves.
if call agent_board_lookup | jq --exit-status .require_approval_for_done >/dev/null; then
    if call agent_board_approval_discovery | jq --exit-status --arg task "$task" \
        'all(.items[]; .task_id != $task)' >/dev/null; then
        call agent_board_approval_request "$(jq --null-input --arg task "$task" '{action_type: "task.finish",
            task_id: $task, confidence: 90, lead_reasoning: "I read it, and it is what I wanted."}')" >/dev/null
    fi
    [ "$(call agent_task_lookup | jq --raw-output .status)" = done ] || await decision
fi
call agent_task_update '{"status": "done"}' | jq --raw-output '"  #\(.number) is \(.status)"'
