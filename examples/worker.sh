#!/usr/bin/env bash
# A worker that knows nothing but an address and a token: BASE_URL=http://127.0.0.1:8000 TOKEN=mca_... ./worker.sh
# With UNTIL_EMPTY=1 it ends when there is no work left.
set -euo pipefail
role=agent-worker
patience=$([ -n "${UNTIL_EMPTY:-}" ] && echo 0 || echo 50)
source "$(dirname "$0")/mission-control.sh"

# Who am I, and what is there to do?
health=$(call agent_auth_health)
board=$(jq --raw-output .board_id <<<"$health")
mine=$(jq '{status: "in_progress", limit: 1, assigned_agent_id: .agent_id}' <<<"$health")
call agent_board_task_discovery '{"status": "inbox"}' | jq --raw-output '.items[] | "  #\(.number) \(.title)"'

while true; do
    directive=$(call agent_heartbeat | jq --raw-output .directive)
    [ "$directive" != stop ] || break
    [ "$directive" != pause ] || { sleep 60; continue; }

    # What is in your hands comes first, such as from before this program died. Otherwise the claim waits for work by
    # itself, and what it hands out is nobody else's.
    held=$(call agent_board_task_discovery "$mine" | jq '.items[0].id')
    claim=$(call agent_task_claim "{\"task_id\": $held, \"wait_seconds\": $patience}")
    task=$(jq --raw-output '.task.id // empty' <<<"$claim")
    [ -n "$task" ] || { [ "$patience" = 0 ] && break || continue; }
    fence=$(jq .lease.fence <<<"$claim")

    # Work. This is where your agent goes.
    title=$(jq --raw-output .task.title <<<"$claim")
    call agent_task_comment_create "$(jq --null-input --arg it "$title" '{message: "I am on it: \($it)"}')" >/dev/null
    summary="I looked at it and did it."

    call agent_task_completion "$(jq --null-input --arg did "$summary" --argjson fence "$fence" \
        '{fence: $fence, summary: $did}')" | jq --raw-output '.task | values | "  #\(.number) is in \(.status)"'
    task='' fence=''
done
