# The writer cannot see /proc/sys (systemd's ProcSubset=pid) and is killed; a tool outside that sandbox opens the
# database. Then the other way round.
# Source: systemd/systemd#28059, fwupd/fwupd#6964
requires root mounts
right="from the writer: 0 missing, from the reader: 0 missing"
at_once=1

trial() {
  local who
  for who in writer reader; do
    before=()
    [[ $who != writer ]] || no_boot_id
    serve host
    must host open db "$place/$who"
    send host put db 100000 pause_us=1000 ack="$place/ack.$who"
    eventually 120 acknowledged_reach "$place/ack.$who" 2000 || broken "no rows"
    slay host
    before=()
    [[ $who != reader ]] || no_boot_id
    look "$place/$who" ack="$place/ack.$who"
    say "from the $who: $answer"
  done
}
