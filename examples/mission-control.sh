# What both shell agents share. Given BASE_URL and TOKEN, it learns everything else from /openapi.json: operations for
# agents have a tag for each role (agent-worker, agent-lead), and hints that say what each is for.

: "${BASE_URL:?the address of Mission Control, such as http://127.0.0.1:8000}"
: "${TOKEN:?the token of an agent, mca_...}"

api=$(curl --fail --silent --show-error "$BASE_URL/openapi.json")
board='' task='' fence=''
passing='_paused|budget_exhausted|lease_lost|task_already_claimed|task_not_claimable'

# operation INTENT: method and path of the operation that $role uses for it.
operation() {
    jq --raw-output --exit-status --arg role "$role" --arg intent "$1" '
        [.paths | to_entries[] | .key as $path | .value | to_entries[]
         | select(.value["x-llm-intent"] == $intent and any(.value.tags[]; . == $role))
         | "\(.key | ascii_upcase) \($path)"] | first // error("\($role) has no operation for \($intent)")' <<<"$api"
}

# hint INTENT: when to use it.
hint() {
    jq --raw-output --arg intent "$1" '
        first(.paths[][] | select(.["x-llm-intent"]? == $intent)) | .["x-when-to-use"][0]' <<<"$api"
}

# call INTENT [JSON]: perform it and print the answer. A read takes the fields of the JSON as its query. After a refusal
# for a while the heartbeat says how to go on; every other one ends the agent. While nobody answers, it asks again, with
# the same key, so that what was done already, when only its answer was lost, is not done twice.
call() {
    local method path found query answer options code
    found=$(operation "$1") || return 1
    read -r method path <<<"$found"
    path=${path//\{board_id\}/$board}
    path=${path//\{task_id\}/$task}
    echo "$method $path: $(hint "$1")" >&2
    options=(--silent --show-error --fail-with-body --header "X-Agent-Token: $TOKEN")
    options+=(--header "Idempotency-Key: $$-$(date +%s)-$RANDOM$RANDOM")
    [ -z "$fence" ] || options+=(--header "X-Task-Fence: $fence")
    if [ "$method" = GET ] && [ -n "${2:-}" ]; then
        query=$(jq --raw-output 'to_entries | map("\(.key)=\(.value | tostring | @uri)") | join("&")' <<<"$2")
        path="$path?$query"
    elif [ -n "${2:-}" ]; then
        options+=(--header 'Content-Type: application/json' --data "$2")
    fi
    while true; do
        code=0
        answer=$(curl --request "$method" "${options[@]}" "$BASE_URL$path") || code=$?
        case $code in
        0) echo "$answer" && return ;;
        22) echo "$answer" >&2 && [[ $answer =~ $passing ]] && echo '{}' && return || return 1 ;;
        *) sleep 2 ;;
        esac
    done
}
