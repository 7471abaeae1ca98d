# As killed_other_boot, with compressed logs: their records do not show what is in them.
# Source: ClickHouse/ClickHouse#54744
requires root mounts
right="same boot: 0 missing, another: 0 missing"
at_once=1

trial() {
  local boot
  serve writer
  must writer open db "$place/db" compress
  send writer put db 100000 pause_us=1000 ack="$place/ack"
  eventually 120 acknowledged_reach "$place/ack" 2500 || broken "no rows"
  slay writer
  cp -a "$place/db" "$place/copy"
  look "$place/db" ack="$place/ack" compress
  say "same boot: $answer"
  another_boot
  look "$place/copy" ack="$place/ack" compress
  say "another: $answer"
}
