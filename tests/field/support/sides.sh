# What a situation is made of. Its file gives
#
#   trial     one run on one side: drives hosts and says, by `say WORDS`, what became of the rows
#   right     what stock has to say, or the situation has not come about ("" if any words will do)
#   judge     optional, STOCK PLUGIN: whether the plugin is as good; by default the same words
#
# and, as needed, `requires ...`, `options=...` (BLOOM_LFS_OPTIONS), `at_once=1` (both sides run at the same
# time), and a function `undo` (its part of the clean-up; runs in each side's shell).
# Inside `trial` there are $side (stock or plugin) and $place (an empty directory of this side's own).

right=
options=
at_once=
on_exit=()

result() { # VERDICT STOCK PLUGIN
  local line="RESULT $name | $1 | $2 | $3"
  echo "$line"
  [[ -z ${FIELD_RESULTS:-} ]] || echo "$line" >"$FIELD_RESULTS/$name"
}

# Ends a situation in which the plugin was worse; one that is known to be so does not end the run.
end_worse() { # STOCK PLUGIN
  result worse "$1" "$2"
  ! grep -q "^$name " "$field/open" || exit 0
  exit 1
}

# In a trial's shell only the reason is left behind; the situation's shell reports it.
skip() { give_up skipped 77 "$*"; }
broken() { give_up broken 2 "$*"; }
give_up() {
  if [[ -n ${place:-} ]]; then
    echo "$1 $2 ${3//$place\//}" >"$place/.given_up"
  else
    result "$1" "$3" -
  fi
  exit "$2"
}

requires() { # [root] [mounts] [mkfs.x] [program]...
  local what
  for what in "$@"; do
    case $what in
      root) [[ $(id -u) == 0 ]] || skip "not root" ;;
      mounts)
        unshare --mount true 2>/dev/null || skip "no right to mount"
        [[ -e /dev/loop-control ]] || skip "no loop devices"
        ;;
      optimised) [[ ${FIELD_OPTIMISED:-1} == 1 ]] || skip "speed is judged on an optimised build" ;;
      *) command -v "$what" >/dev/null || skip "no $what" ;;
    esac
  done
}

prepare_work() {
  local base=${TMPDIR:-/tmp}
  [[ $(stat --file-system --format=%T "$base") != tmpfs ]] || base=$PWD  # no O_DIRECT there
  work=$(mktemp -d "$base/bloom_field.XXXXXX") || broken "no work directory in $base"
  trap clean_up EXIT
  trap took_too_long TERM INT
  chmod 755 "$work"
  # Other users have to reach them, wherever the build is.
  mkdir "$work/bin"
  cp "$loader" "$(dirname "$loader")/libbloom_lfs_plugin.so" "$host" "$(dirname "$host")/field_forger" \
    "$work/bin" || broken "the build is not complete"
  loader=$work/bin/$(basename "$loader")
  host=$work/bin/$(basename "$host")
}

clean_up() {
  local step
  for ((step = ${#on_exit[@]} - 1; step >= 0; --step)); do eval "${on_exit[step]}"; done 2>/dev/null
  [[ -n ${place:-} ]] || rm -rf "$work"
}

took_too_long() {
  local why="took longer than ${FIELD_LIMIT:-240} s, or was interrupted"
  [[ -e $work/stock.account ]] || broken "$why"
  end_worse "$(cat "$work/stock.account")" "$why"
}

say() { account+="${account:+, }$*"; }

run_side() { # SIDE: in a shell of its own
  side=$1
  place=$work/$side
  account=
  on_exit=()
  mkdir -p "$place"
  chmod 755 "$place"
  trap clean_up EXIT
  trap 'exit 2' TERM INT
  trap : PIPE  # a host that has died is an answer, not the end of the trial
  ! declare -F undo >/dev/null || on_exit+=(undo)
  trial
  echo "${account//$place\//}" >"$place.account"
}

account_of() { # SIDE: its words; or hands on why there are none
  local verdict code reason
  if [[ -e $work/$1/.given_up ]]; then
    read -r verdict code reason <"$work/$1/.given_up"
    # Where stock came through, the plugin has to.
    if [[ $1 == plugin && $verdict == broken ]]; then echo "$reason"; return; fi
    result "$verdict" "$1: $reason" -
    exit "$code"
  fi
  [[ -e $work/$1.account ]] || { result broken "$1: the trial ended early" -; exit 2; }
  cat "$work/$1.account"
}

hand_on() { # CODE WORDS
  echo "$2"
  exit "$1"
}

judge() { [[ $2 == "$1" ]]; }

compare() {
  local stock plugin
  if [[ -n $at_once ]]; then
    (run_side stock) &
    (run_side plugin) &
    wait
  else
    (run_side stock)
    # What stock cannot say need not be asked of the plugin.
    [[ -e $work/stock/.given_up ]] || (run_side plugin)
  fi
  stock=$(account_of stock) || hand_on $? "$stock"
  plugin=$(account_of plugin) || hand_on $? "$plugin"
  if [[ -n $right && $stock != "$right" ]]; then
    result broken "$stock, instead of: $right" "$plugin"
    exit 2
  fi
  if judge "$stock" "$plugin"; then
    result good "$stock" "$plugin"
    exit 0
  fi
  end_worse "$stock" "$plugin"
}

# An unprivileged user: commands to put before a command.
nobody=(setpriv --reuid nobody --regid nogroup --clear-groups)
nobody_reaches() { "${nobody[@]}" test -x "$1" || skip "nobody cannot reach $1"; }
