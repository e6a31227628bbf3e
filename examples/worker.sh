#!/usr/bin/env bash
# A worker that knows nothing but an address and a token: BASE_URL=http://127.0.0.1:8000 TOKEN=mca_... ./worker.sh
# With UNTIL_EMPTY=1 it ends when there is no work left.
set -euo pipefail
role=agent-worker
patience=$([ -n "${UNTIL_EMPTY:-}" ] && echo 0 || echo 600)
source "$(dirname "$0")/mission-control.sh"

# Where am I, and what is there to do?
board=$(call agent_auth_health | jq --raw-output .board_id)
call agent_board_task_discovery '{"status": "inbox"}' | jq --raw-output '.items[] | "  #\(.number) \(.title)"'

known=continue after_start=true
while [ "$known" != stop ]; do
    # One call waits for work and for everything else. What is in your hands from before this program died comes first.
    next=$(call agent_next "{\"wait_seconds\": $patience, \"known\": \"$known\", \"after_start\": $after_start,
        \"keep_alive\": true}")
    known=$(jq --raw-output --arg known "$known" '.directive // $known' <<<"$next") after_start=false
    task=$(jq --raw-output '.task.id // empty' <<<"$next")
    if [ -z "$task" ]; then
        [ "$patience.$(jq --raw-output .kind <<<"$next")" != 0.nothing ] || break
        continue
    fi
    fence=$(jq .lease.fence <<<"$next")

    # Work. This is where your agent goes.
    title=$(jq --raw-output .task.title <<<"$next")
    call agent_task_comment_create "$(jq --null-input --arg it "$title" '{message: "I am on it: \($it)"}')" >/dev/null
    summary="I looked at it and did it."

    call agent_task_completion "$(jq --null-input --arg did "$summary" --argjson fence "$fence" \
        '{fence: $fence, summary: $did}')" | jq --raw-output '.task | values | "  #\(.number) is in \(.status)"'
    task='' fence=''
done
