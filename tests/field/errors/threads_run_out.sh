# No thread can be had any more (the pids controller, of which the kernel's io_uring workers take too), before and after
# the log turned hot, with sync and without.
# Source: blog.cloudflare.com/missing-manuals-io_uring-worker-pool
requires root
right="cold: 5000 rows closed 0 missing, warm: 5000 rows closed 0 missing, cold sync: 1000 rows closed 0 missing, warm sync: 1000 rows closed 0 missing"

life() { # LABEL ROWS [sync]
  local label=$1 rows=$2 sync=${3:-}
  in_group
  serve host
  before=()
  must host open db "$place/db"
  must host set db a row  # RocksDB starts its threads
  must host flush db
  if [[ $label == warm* ]]; then
    must host put db 200 from=100000 bytes=10000
    must host sleep 700
  fi
  must host take threads
  tell host put db "$rows" bytes=10000 $sync
  account+="${account:+, }$label: $answer"
  tell host close db
  account+=" $answer"
  slay host
  look "$place/db" "$rows"
  account+=" $answer"
  rm -rf "$place/db"
}

trial() {
  group pids
  echo 64 >"$group/pids.max" || skip "no pids.max"
  life cold 5000
  life warm 5000
  life "cold sync" 1000 sync
  life "warm sync" 1000 sync
}
