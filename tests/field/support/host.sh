# Hosts: programs that use RocksDB and do what a trial tells them (host/host_main.cc).
#
#   serve NAME              starts one; $before holds commands to put before it (a user, a namespace)
#   tell NAME COMMAND...    one command; its answer becomes $answer, and the exit code of tell says
#                           whether it is a good one. PATIENCE seconds, then the answer is "no answer"
#   send NAME COMMAND...    the same without waiting for the answer
#   slay NAME               SIGKILL;   dismiss NAME: end of its input, databases are closed
#   once COMMAND [\\n ...]   a host for these lines (standard input) alone

declare -A host_pid host_in host_out host_stuck
before=()
PATIENCE=60

# The shell that becomes `env` and then the host: one process number for all of them.
become_host() { # SIDE
  if [[ $1 == plugin ]]; then
    exec "${before[@]}" env BLOOM_LFS_DEFAULT=1 ${options:+"BLOOM_LFS_OPTIONS=$options"} \
      LD_PRELOAD="${extra_preload:+$extra_preload:}$loader" "$host"
  fi
  exec "${before[@]}" env ${extra_preload:+"LD_PRELOAD=$extra_preload"} "$host"
}

serve() { # NAME [SIDE]
  local name=$1 as=${2:-$side} in out pipe=$work/pipe.$BASHPID
  mkfifo "$pipe.in" "$pipe.out"
  (become_host "$as") <"$pipe.in" >"$pipe.out" 2>>"$place/errors" &
  host_pid[$name]=$!
  host_stuck[$name]=
  exec {in}>"$pipe.in" {out}<"$pipe.out"
  rm "$pipe.in" "$pipe.out"
  host_in[$name]=$in
  host_out[$name]=$out
  on_exit+=("slay $name")
}

send() { # NAME COMMAND...
  local name=$1
  shift
  echo "$*" >&"${host_in[$name]}"
}

hear() { # NAME
  local name=$1
  if [[ -n ${host_stuck[$name]} ]]; then
    answer="no answer"
    return 1
  fi
  if ! IFS= read -r -t "$PATIENCE" -u "${host_out[$name]}" answer; then
    if kill -0 "${host_pid[$name]}" 2>/dev/null && [[ $(state_of "${host_pid[$name]}") != Z ]]; then
      answer="no answer in $PATIENCE s"
      host_stuck[$name]=1
    else
      answer=$(ending "$name")
    fi
    return 1
  fi
  answer=${answer//$place\//}
  [[ $answer != failed:* ]]
}

tell() { # NAME COMMAND...
  send "$@" 2>/dev/null || { answer=$(ending "$1"); return 1; }
  hear "$1"
}

# tell, or the situation does not come about.
must() { # NAME COMMAND...
  tell "$@" || broken "$side: $*: $answer"
}

state_of() { sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null; }

ending() { # NAME
  local code
  wait "${host_pid[$1]}" 2>/dev/null
  code=$?
  if ((code > 128)); then echo "killed by SIG$(kill -l $((code - 128)))"; else echo "ended with $code"; fi
}

slay() { # NAME
  [[ -n ${host_pid[$1]:-} ]] || return 0
  kill -KILL "${host_pid[$1]}" 2>/dev/null
  part_from "$1"
}

part_from() {
  local in=${host_in[$1]} out=${host_out[$1]}
  exec {in}>&-
  wait "${host_pid[$1]}" 2>/dev/null
  ended=$?
  exec {out}<&-
  unset "host_pid[$1]"
}

dismiss() { # NAME: $ended is its exit code
  part_from "$1"
}

# once [SIDE]: a host that reads its script from standard input. $answer is its last answer.
once() {
  local code
  (become_host "${1:-$side}") >"$place/answers" 2>>"$place/errors" &
  wait $!
  code=$?
  answer=$(tail -n 1 "$place/answers")
  answer=${answer//$place\//}
  ((code <= 128)) || answer="killed by SIG$(kill -l $((code - 128)))"
  return "$code"
}

# look DATABASE ROWS|ack=FILE [open's words] [--] [check's words]: opens, checks, closes. $answer is the check's.
look() {
  local path=$1 rows=$2
  shift 2
  serve look_host
  local opening=() checking=("$rows")
  while [[ $# -gt 0 && $1 != -- ]]; do opening+=("$1"); shift; done
  [[ $# -eq 0 ]] || { shift; checking+=("$@"); }
  if tell look_host open db "$path" "${opening[@]}"; then
    tell look_host check db "${checking[@]}"
    local found=$answer
    tell look_host close db || found="$found; $answer"
    answer=$found
  fi
  dismiss_or_slay look_host
  answer=${answer#failed: }
}

dismiss_or_slay() {
  if kill -0 "${host_pid[$1]}" 2>/dev/null; then slay "$1"; else part_from "$1"; fi
}

acknowledged() { od -An -t d8 -N 8 "$1" 2>/dev/null | tr -d ' '; }  # FILE

# The host needs time until something shows; never a fixed sleep.
eventually() { # SECONDS COMMAND...
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < end)) || return 1
    sleep 0.05
  done
}
acknowledged_reach() { (($(acknowledged "$1" || echo 0) >= $2)); }  # FILE COUNT
rings_of() { compgen -G "$1/.bloom_lfs/*.ring" || true; }          # DIRECTORY
