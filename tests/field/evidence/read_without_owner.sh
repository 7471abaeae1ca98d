# A killed database is opened for reading only, then as a secondary, then for writing; under another boot id.
# Source: facebook/rocksdb#4865
requires root mounts
right="read_only: 0 missing, secondary: 0 missing, writing: 0 missing"
at_once=1

trial() {
  serve writer
  must writer open db "$place/db"
  send writer put db 100000 pause_us=1000 ack="$place/ack"
  eventually 120 acknowledged_reach "$place/ack" 2000 || broken "no rows"
  slay writer
  another_boot
  look "$place/db" ack="$place/ack" read_only
  say "read_only: $answer"
  look "$place/db" ack="$place/ack" secondary="$place/second"
  say "secondary: $answer"
  look "$place/db" ack="$place/ack"
  say "writing: $answer"
}
