# Killed under one boot id, opened under another: a database with blob files, one with a log of its own directory, one
# whose log has wrapped its ring many times, one with rows larger than a ring.
# Source: ClickHouse/ClickHouse#54744
requires root mounts
right="blobs: 0 missing, wal_dir: 0 missing, long: 0 missing, large: 0 missing"

life() { # LABEL ROWS BYTES [open's words]
  local label=$1 rows=$2 bytes=$3
  shift 3
  before=()
  serve writer
  must writer open db "$place/$label" "$@"
  must writer put db "$rows" bytes="$bytes"
  slay writer
  another_boot
  look "$place/$label" "$rows" "$@"
  say "$label: $answer"
  rm -rf "${place:?}/$label"
}

trial() {
  life blobs 3000 5000 blobs buffer=4
  life wal_dir 3000 100 wal_dir="$place/logs"
  life long 4000 10000
  life large 5 9000000
}
