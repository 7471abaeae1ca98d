# A database of a service; root's tool writes to it and is killed; the service opens it, for reading and for writing.
# Source: facebook/rocksdb#7537, facebook/rocksdb#11503
requires root setpriv
right="reading: 0 missing, writing: 0 missing"
at_once=1

trial() {
  nobody_reaches "$host"
  mkdir "$place/service"
  chown nobody:nogroup "$place/service"
  before=("${nobody[@]}")
  look "$place/service/db" 0
  [[ $answer == "0 missing" ]] || broken "nobody has no database: $answer"
  before=()
  serve tool
  must tool open db "$place/service/db"
  send tool put db 100000 pause_us=1000 ack="$place/ack"
  eventually 120 acknowledged_reach "$place/ack" 2000 || broken "no rows"
  slay tool
  chmod 666 "$place/ack"
  before=("${nobody[@]}")
  look "$place/service/db" ack="$place/ack" read_only
  say "reading: $answer"
  look "$place/service/db" ack="$place/ack"
  say "writing: $answer"
}
