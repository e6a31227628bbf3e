"""The command of all hooks: a small script for the shell, because it takes a quarter of the time of Python.

It does what `spool.py` does with an event, and has that send what was kept. Where there is no `curl` it is only the way
to that.
"""

from __future__ import annotations

import os
import re
import shlex
import sys

from mission_control.client import credentials, files

CHECK = "MISSION_CONTROL_CHECK"  # the word of a look at whether all of it works

# What `spool.py` knows too: the largest spool, how long an answer is waited for, and when an event has a server that is
# away tried again, if nobody else does that.
LARGEST_SPOOL = 1024 * 1024
LARGEST_LOST = 64 * 1024
SECONDS, AGAIN_SECONDS = 1, 60
# Of a body beyond the first size the server reads no more than its beginning.
LARGEST_BODY, HEAD = 256 * 1024, 4096

COMMANDS = "cat", "curl", "date", "head", "mkdir", "rm", "tr", "wc"
TEXT = r"""#!/bin/sh
# Mission Control: hands an event of a program on to its board. It never fails the program, and holds it up for a second
# at most, once, when the server is away: what cannot be sent waits in a file and goes later.
# `connect` writes this file, and `disconnect` removes it.
LC_ALL=C
PATH=%(path)s # that of the program may name folders which it writes
python() { %(python)s hook "$@"; }
[ -z "${MISSION_CONTROL_RUN-}" ] || { echo '{}'; exit 0; } # `work` tells of this session itself
[ -n "${MISSION_CONTROL_DEBUG-}" ] || exec 2>/dev/null
umask 077
client=$1 seconds=%(seconds)s name='' before='' nl='
'
for one in "$@"; do
  case $before in --seconds) seconds=$one ;; --connection) name=$one ;; esac
  before=$one
done
case ${XDG_CONFIG_HOME-} in /*) config=$XDG_CONFIG_HOME ;; *) config=$HOME/.config ;; esac
case ${XDG_STATE_HOME-} in /*) state=$XDG_STATE_HOME ;; *) state=$HOME/.local/state ;; esac
config=$config/mission-control/${name:+connections/}${name:-connect}.env
spool=$state/mission-control/spool kept=$state/mission-control/spool/$client-${name:-usual}
body=$(cat)
at=$(date +%%s)

# How a call of Codex ended stands in its own file alone, in which it is written a moment before the hook runs.
value_of() { printf '%%s' "$body" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
tell_status() {
  calls=$(value_of transcript_path) call=$(value_of tool_use_id)
  [ -f "$calls" ] && [ -n "$call" ] || return 0
  for pause in 0 .1 .2; do
    sleep $pause
    status=$(tail -n 50 "$calls" | grep -F "\"id\":\"$call\"" |
      sed -n 's/.*"item":{"type":"[CF].*"status":"\([a-z]*\)".*/\1/p' | tail -n 1)
    [ -z "$status" ] || break
  done
  body="{\"call_status\":\"$status\",${body#?}"
}
case $client:$body in codex:*'"hook_event_name":"PostToolUse"'*) tell_status ;; esac
command -v curl >/dev/null 2>&1 || { printf '%%s' "$body" | python "$@"; exit 0; }

read_connection() {
  while read -r line; do
    case $line in
      MISSION_CONTROL_URL=*) url=${line#*=} ;;
      MISSION_CONTROL_TOKEN=*) token=${line#*=} ;;
    esac
  done <"$config"
  case $token in '' | *[!A-Za-z0-9._~+/=-]*) return 1 ;; esac
}

send() {
  printf '%%s' "$body" | no_proxy="${no_proxy:-${NO_PROXY-}},localhost,127.0.0.1,::1" curl -q -s -K /dev/fd/3 \
    --connect-timeout 1 -m "$seconds" -w '\n%%{http_code}' --data-binary @- \
    "$url/api/v1/connect/$client/hooks?at=$at${MISSION_CONTROL_CHECK:+&check=$MISSION_CONTROL_CHECK}" 3<<END
header = "X-Agent-Token: $token"
header = "Content-Type: application/json"
header = "Expect:"
END
}

size_of() { [ -f "$1" ] && wc -c <"$1" || echo 0; }

keep() {
  [ -d "$spool" ] || mkdir -p "$spool"
  [ ${#body} -le %(largest_body)s ] || body=$(printf '%%s' "$body" | head -c %(head)s)
  case $body in *"$nl"*) body=$(printf '%%s' "$body" | tr '\n' ' ') ;; esac
  if [ $(($(size_of "$kept") + $(size_of "$kept.sending") + ${#body} + ${#at} + 2)) -le %(largest_spool)s ]; then
    # The copy is written in one piece, so that lines of two programs do not mix.
    printf '%%s %%s\n' "$at" "$body" >"$kept.$$" && cat "$kept.$$" >>"$kept"
    rm -f "$kept.$$"
  elif [ "$(size_of "$kept.lost")" -le %(largest_lost)s ]; then
    one=${body#*\"session_id\":} one=${one#*\"} one=${one%%%%\"*}
    [ ${#one} -gt 255 ] || printf '%%s\n' "$one" >>"$kept.lost"
  fi
}

flush() {
  {
    trap '' HUP
    python "$client" --send-kept ${name:+--connection "$name"}
    [ $? -le 125 ] || rm -f "$kept.away" # there is no Python any more: the next event tries by itself
  } </dev/null >/dev/null 2>&1 &
}

since='' next=''
[ ! -f "$kept.away" ] || read -r since next <"$kept.away"
case $since$next in '' | *[!0-9]*) since=$at next=0 ;; *) is_away=yes ;; esac
if ! read_connection; then
  echo '{}'
elif [ -n "${is_away-}" ]; then
  echo '{}'
  keep
  if [ "$at" -ge "$next" ] || [ "$next" -gt $((at + 2 * %(again)s)) ]; then
    printf '%%s %%s\n' "$since" $((at + %(again)s)) >"$kept.away"
    flush
  fi
else
  answer=$(send) || answer=''
  status=${answer##*"$nl"} answer=${answer%%"$nl"*}
  case $status:$answer in
    200:{*)
      printf '%%s\n' "$answer"
      [ ! -s "$kept" ] && [ ! -s "$kept.sending" ] || flush
      ;;
    401:{*) printf '%%s' "$body" | python "$@" --status 401 ;;
    4[013-9]?:{* | 42[0-8]:{*) echo '{}' ;;
    *)
      echo '{}'
      keep
      [ -f "$kept.away" ] || printf '%%s %%s\n' "$at" $((at + %(again)s)) >"$kept.away"
      flush
      ;;
  esac
fi
exit 0
"""


def path() -> str:
    return os.path.join(files.folder_of("XDG_DATA_HOME", "~/.local/share"), "hook")


def own_copy() -> str:
    return os.path.join(files.folder_of("XDG_DATA_HOME", "~/.local/share"), "client.pyz")


def is_our_command(text: object, client: str) -> bool:
    """Return whether a command is one that we wrote, also as an earlier version did."""
    ours = r"(mission-control/hook'?|(client\.pyz'?|mission_control\.client) (hook|gate))"
    return re.search(rf"{ours} {client}\b", str(text)) is not None


def python_command() -> str:
    python = getattr(sys, "_base_executable", "") or sys.executable
    run = (
        [python, "-IS", own_copy()] if credentials.program() else [sys.executable, "-P", "-m", "mission_control.client"]
    )
    return " ".join(map(shlex.quote, run))


def search_path() -> str:
    import shutil

    system = os.confstr("CS_PATH") if hasattr(os, "confstr") else ""
    paths = [shutil.which(name, path=system) or shutil.which(name) or "" for name in COMMANDS]
    return os.pathsep.join(dict.fromkeys(os.path.dirname(one) for one in paths if os.path.isabs(one)))


def text() -> str:
    return TEXT % {
        "path": shlex.quote(search_path()),
        "python": python_command(), "seconds": SECONDS, "again": AGAIN_SECONDS, "largest_body": LARGEST_BODY,
        "head": HEAD, "largest_spool": LARGEST_SPOOL, "largest_lost": LARGEST_LOST,
    }  # fmt: skip


def write() -> None:
    """Write the script where it is not there as this program writes it."""
    try:
        with open(path(), encoding="utf-8") as file:
            if file.read() == text():
                return
    except OSError:
        pass
    files.write(path(), text().encode(), 0o700)
