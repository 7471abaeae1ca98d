# The owner forks a child and is killed; the child lives on with the owner's descriptors. The database is opened
# while the child lives, and again when it has ended.
# Source: NousResearch/hermes-agent#100108, facebook/rocksdb#4405
right="with the child: 0 missing, without it: 0 missing"
options=idle_flush_ms=60000

undo() { [[ -z ${child:-} ]] || kill -KILL "$child" 2>/dev/null; }

trial() {
  serve owner
  must owner open db "$place/db"
  must owner put db 10
  must owner sleeper
  child=$answer
  must owner put db 20000 ack="$place/ack"
  slay owner
  look "$place/db" ack="$place/ack" noflush
  say "with the child: $answer"
  kill -KILL "$child"
  child=
  look "$place/db" ack="$place/ack" noflush
  say "without it: $answer"
}
