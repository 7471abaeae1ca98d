# A control group of 32 MiB of memory: a database with small memtables is filled with 40 MB; the group's page cache is
# reclaimed as it fills, and nobody is killed for want of memory.
# Source: containers' limits; facebook/rocksdb#12136
requires root
right="4000 rows, closed, 0 missing"

trial() {
  group memory
  echo 33554432 2>/dev/null >"$group/memory.limit_in_bytes" || echo 33554432 2>/dev/null >"$group/memory.max" ||
    skip "no control group for memory"
  in_group
  serve host
  before=()
  must host open db "$place/db" buffer=4
  tell host put db 4000 bytes=10000
  say "$answer"
  tell host close db
  say "$answer"
  slay host
  look "$place/db" 4000
  say "$answer"
}
