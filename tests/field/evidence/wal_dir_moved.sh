# The logs of a killed database are moved to a new wal_dir, with all that lies beside them.
# Source: RocksDB's documentation of wal_dir: logs on a disk of their own
right="0 missing"

trial() {
  serve writer
  must writer open db "$place/db" wal_dir="$place/logs"
  must writer put db 22000 ack="$place/ack"
  slay writer
  cp -a "$place/logs" "$place/new_logs"
  rm -rf "$place/logs"
  look "$place/db" ack="$place/ack" wal_dir="$place/new_logs"
  say "$answer"
}
