#!/bin/sh
# mc METHOD PATH [JSON]: one request to Mission Control; "-" reads the JSON from standard input. Needs curl and jq.
# In PATH and JSON it fills in {board_id} from BOARD or the file with the credentials, {task_id} from TASK, {agent_id}
# from AGENT. FENCE goes with everything that is written. A refusal is {"detail": {"message": ..., "code": ...}}. What
# people tell you meanwhile is a line on standard error, which begins with NEWS.
cd "$(dirname "$0")" || exit 1
umask 077
value() { cat TOOLS.md AGENTS.md 2> /dev/null | sed -n "s/^$1=//p" | head -n 1; }
ids() { sed "s|{board_id}|${BOARD:-$(value BOARD_ID)}|g; s|{task_id}|${TASK-}|g; s|{agent_id}|${AGENT-}|g"; }
refuse() { jq -cn --arg message "$1" --arg code "$2" '{detail: {$message, $code}}'; exit 1; }

[ $# -ge 2 ] || refuse "Usage: ./mc METHOD PATH [JSON]" usage
[ -n "$(value AUTH_TOKEN)" ] || refuse "There is no AUTH_TOKEN in TOOLS.md or AGENTS.md beside mc." no_token
method=$1 path=$(printf %s "$2" | ids) body=${3-}
[ "$body" != - ] || body=$(cat)
case $path in
  */completions | */lease)
    [ -n "${FENCE-}" ] || refuse "Put FENCE=<fence> in front: the answer that gave you the task has it." fence_missing
    body=$(printf %s "${body:-null}" | jq -c --argjson fence "$FENCE" '. + {fence: $fence}') || exit 1 ;;
esac

# The token goes to curl by a file that only this user reads, never as an argument, which others see in the process list.
{
  printf 'header = "X-Agent-Token: %s"\n' "$(value AUTH_TOKEN)"
  [ "$method" = GET ] || printf 'header = "Idempotency-Key: %s"\n' "$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')"
  [ -z "${FENCE-}" ] || printf 'header = "X-Task-Fence: %s"\n' "$FENCE"
} > .mc-request.$$
trap 'rm -f .mc-request.$$ .mc-answer.$$' EXIT
set -- -gsS --max-time 90 --retry 3 --retry-connrefused -X "$method" -K .mc-request.$$ -o .mc-answer.$$ -w '%{http_code}'
[ -z "$body" ] || set -- "$@" -H 'Content-Type: application/json' --data-binary @-
status=$(printf %s "$body" | ids | curl "$@" "$(value BASE_URL)$path" 2> /dev/null) ||
  refuse "Mission Control did not answer at $(value BASE_URL)." no_answer
jq -r 'objects | .news // empty | "NEWS " + tojson' .mc-answer.$$ >&2 2> /dev/null || :
[ "$status" -ge 400 ] || { cat .mc-answer.$$; exit; }
jq -c 'if (.detail | type) == "object" then . elif (.detail | type) == "array" then
  {detail: {message: ([.detail[] | ([.loc[]? | tostring] | join(".")) + ": " + .msg] | join("; ")), code: "invalid"}}
  else {detail: {message: (.detail | tostring), code: (.code // "refused")}} end' .mc-answer.$$ 2> /dev/null ||
  refuse "The answer was $status and no JSON: something between you and Mission Control refused it." no_json
exit 1
