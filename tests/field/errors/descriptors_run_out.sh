# Descriptors run out for a moment while a log begins to use its ring, and while it begins to be synced. Every put
# succeeds on stock; afterwards everything works again.
# Source: rockset/rocksdb-cloud#43, facebook/rocksdb#457
right="unsynced: 1000 rows, 1000 rows, goes on, closed, 0 missing, synced: 200 rows, 1000 rows, goes on, closed, 0 missing"

life() { # LABEL ROWS [sync]
  local label=$1 rows=$2
  shift 2
  serve host
  must host open db "$place/$label"
  must host limit descriptors 128
  must host take descriptors
  tell host put db "$rows" bytes=1000 "$@"
  say "$label: $answer"
  must host sleep 700
  must host give_back descriptors
  tell host put db 1000 from="$rows" bytes=1000 "$@"
  say "$answer"
  tell host resume db seconds=3
  say "$answer"
  tell host close db
  say "$answer"
  slay host
  look "$place/$label" $((rows + 1000))
  say "$answer"
}

trial() {
  life unsynced 1000
  life synced 200 sync
}
