# A stranger forges a ring for root's cleanly closed database: beside it, in a parent directory open to all (as /tmp),
# and inside it, where root's umask left the database open to all. The ring claims bytes behind the log's end
# (append), or other bytes in its place while the stranger keeps its locks (hold). No forged row may come in, and
# none of root's may go.
# Source: reading the recovery rules
requires root setpriv
right="beside append: 100, then 100 1; beside hold: 100, then 100 1; inside append: 100, then 100 1; inside hold: 100, then 100 1"

forge() { # WHERE HOW
  local db=$place/open_to_all/db log into
  rm -rf "$place/open_to_all"
  mkdir -m 1777 "$place/open_to_all"
  serve owner
  must owner open db "$db"
  must owner set db balance 100
  must owner set db other 1
  must owner close db
  dismiss owner
  rm -rf "$db/.bloom_lfs"
  log=$(ls "$db"/*.log | tail -n 1)
  into=$place/open_to_all/.bloom_lfs
  if [[ $1 == inside ]]; then
    chmod 777 "$db"
    into=$db/.bloom_lfs
  fi
  "${nobody[@]}" "$work/bin/field_forger" "$log" "$into" "$2" >"$place/planted" 2>&1 &
  forger=$!
  eventually 60 grep -q planted "$place/planted" || broken "nothing was planted"
  get_balance "$side"
  kill -KILL $forger
  wait $forger 2>/dev/null
  local with=$answer other
  get_balance stock
  other=$answer
  read_key stock other
  account+="${account:+; }$1 $2: $with, then $other $answer"
}

read_key() { # SIDE KEY
  serve reader "$1"
  ! tell reader open db "$place/open_to_all/db" || tell reader get db "$2"
  slay reader
}
get_balance() { read_key "$1" balance; }

undo() { kill -KILL ${forger:-} 2>/dev/null; }

trial() {
  nobody_reaches "$host"
  forge beside append
  forge beside hold
  forge inside append
  forge inside hold
}
