# Two column families pin two logs; SIGKILL; the next opening is under another boot id, in each recovery mode.
# Source: ClickHouse/ClickHouse#54744
requires root mounts
right="point: 0 missing 0 missing, tolerate: 0 missing 0 missing, absolute: 0 missing 0 missing"
options=idle_flush_ms=60000

trial() {
  local mode first
  serve writer
  must writer open db "$place/db" cf=other
  must writer put db 1000 cf=other
  must writer put db 3000
  must writer flush db  # the first log is still needed, by the other family
  must writer put db 3000 from=3000
  slay writer
  another_boot
  for mode in point tolerate absolute; do
    cp -a "$place/db" "$place/copy"
    look "$place/copy" 6000 cf=other mode=$mode
    first=$answer
    look "$place/copy" 1000 cf=other mode=$mode -- cf=other
    say "$mode: $first $answer"
    rm -rf "$place/copy"
  done
}
