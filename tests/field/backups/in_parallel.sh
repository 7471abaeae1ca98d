# A backup by eight threads, its restoration by eight, and a checkpoint, of a database with several live logs and two
# column families, beside puts; each is complete.
# Source: reading the succession of logs
right="backup: 0 missing 0 missing, checkpoint: 0 missing 0 missing, 0 lines said"

complete() { # LABEL DATABASE
  local first
  look "$2" 4000 cf=other
  first=$answer
  look "$2" 1000 cf=other -- cf=other
  say "$1: $first $answer"
}

trial() {
  serve host
  must host open db "$place/db" buffer=1 buffers=8 cf=other
  must host put db 1000 cf=other
  must host put db 4000 bytes=1000
  must host backup db "$place/backup" threads=8
  must host put db 500 from=4000
  must host checkpoint db "$place/checkpoint"
  must host restore "$place/backup" "$place/restored" threads=8
  slay host
  complete backup "$place/restored"
  complete checkpoint "$place/checkpoint"
  say "$(wc -l <"$place/errors") lines said"
}
