# A control group of 64 MiB of memory: a database with small memtables is filled with 100 MB; the group's page cache is
# reclaimed as it fills, and nobody is killed for want of memory.
# Source: containers' limits; facebook/rocksdb#12136
requires root
right="10000 rows, closed, 0 missing"

trial() {
  group memory
  echo 67108864 2>/dev/null >"$group/memory.limit_in_bytes" || echo 67108864 2>/dev/null >"$group/memory.max" ||
    skip "no control group for memory"
  in_group
  serve host
  before=()
  must host open db "$place/db" buffer=4
  tell host put db 10000 bytes=10000
  say "$answer"
  tell host close db
  say "$answer"
  dismiss_or_slay host
  look "$place/db" 10000
  say "$answer"
}
