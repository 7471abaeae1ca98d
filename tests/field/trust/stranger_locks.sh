# A stranger takes every lock that reading allows, on the ring, its directory and the log of a live database; and queues
# for the ring's, so that he has it when the owner is killed. The owner goes on, switches logs, is killed; openings
# without a flush take place while the stranger is there, and afterwards.
# Source: reading the recovery rules (a lock as the proof of life)
requires root setpriv
right="goes on, with the stranger: 0 missing, afterwards: 0 missing"
options=idle_flush_ms=60000

take_locks() { # DATABASE
  local path
  for path in "$1" "$1/.bloom_lfs" $(rings_of "$1") "$1"/*.log; do
    [[ -e $path ]] || continue
    tell stranger lock "$path" flock patient
    [[ -d $path ]] || tell stranger lock "$path" record shared patient
  done
}

trial() {
  nobody_reaches "$host"
  serve owner
  must owner open db "$place/db" buffers=8
  must owner put db 5000 ack="$place/ack"
  before=("${nobody[@]}")
  serve stranger stock
  before=()
  take_locks "$place/db"
  sleep 0.3
  tell owner flush db && tell owner put db 2000 from=5000 ack="$place/ack"
  if [[ $answer == "2000 rows" ]]; then say "goes on"; else say "$answer"; fi
  take_locks "$place/db"
  slay owner
  sleep 0.3
  take_locks "$place/db"
  look "$place/db" ack="$place/ack" noflush
  say "with the stranger: $answer"
  slay stranger
  look "$place/db" ack="$place/ack" noflush
  say "afterwards: $answer"
}
