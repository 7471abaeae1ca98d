# Hosts: programs that use RocksDB and do what a trial tells them (host/host_main.cc).
#
#   serve NAME              starts one; $before holds commands to put before it (a user, a namespace)
#   tell NAME COMMAND...    one command; its answer becomes $answer, and the exit code of tell says
#                           whether it is a good one. PATIENCE seconds, then the answer is "no answer"
#   send NAME COMMAND...    the same without waiting for the answer
#   slay NAME               SIGKILL; dismiss NAME: the end of its input, its databases are closed
#   look DATABASE ROWS      another host opens it, counts what is missing, and closes it

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
  local name=$1 code
  answer="no answer"
  [[ -z ${host_stuck[$name]} ]] || return 1
  IFS= read -r -t "$PATIENCE" -u "${host_out[$name]}" answer
  code=$?
  if ((code > 128)); then
    answer="no answer in $PATIENCE s"
    host_stuck[$name]=1
  elif ((code != 0)); then
    ending "$name"
  fi
  answer=${answer//$place\//}
  ((code == 0)) && [[ $answer != failed:* ]]
}

tell() { # NAME COMMAND...
  send "$@" 2>/dev/null || { ending "$1"; return 1; }
  hear "$1"
}

# tell, or the situation does not come about.
go_through() { # NAME COMMAND...: each is one word; says every answer
  local command name=$1
  for command in "${@:2}"; do
    tell "$name" "$command"
    say "$answer"
  done
}
must() { # NAME COMMAND...
  tell "$@" || broken "$side: $*: $answer"
}

# How it ended becomes $answer.
ending() { # NAME
  local code
  wait "${host_pid[$1]}" 2>/dev/null
  code=$?
  if ((code > 128)); then answer="killed by SIG$(kill -l $((code - 128)))"; else answer="ended with $code"; fi
}

slay() { # NAME
  [[ -n ${host_pid[$1]:-} ]] || return 0
  kill -KILL "${host_pid[$1]}" 2>/dev/null
  part_from "$1"
}

# Closes its input and waits for its end.
part_from() { # NAME
  local in=${host_in[$1]} out=${host_out[$1]}
  exec {in}>&-
  wait "${host_pid[$1]}" 2>/dev/null
  exec {out}<&-
  unset "host_pid[$1]"
}

dismiss() { part_from "$1"; }  # NAME

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
  slay look_host
  answer=${answer#failed: }
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
