# A live database is copied with cp -a while it is idle and while it is written to; the copies are opened.
# What had been acknowledged when the copying began is there: RocksDB's logs only grow.
# Source: fedimint/fedimint#8614
right="idle: 0 missing, busy: 0 missing"

trial() {
  serve writer
  must writer open db "$place/db"
  must writer put db 20000 ack="$place/ack"
  cp -a "$place/db" "$place/idle"
  send writer put db 1000000 from=20000 pause_us=200 ack="$place/ack"
  eventually 120 acknowledged_reach "$place/ack" 22000 || broken "no rows"
  local rows
  rows=$(acknowledged "$place/ack")
  cp -a "$place/db" "$place/busy"
  look "$place/idle" 20000
  say "idle: $answer"
  look "$place/busy" "$rows"
  say "busy: $answer"
}
