# A parent opens, fills and closes a database and forks; the child opens, fills, closes and opens one of its own.
# Source: facebook/rocksdb#2006, benoitc/gunicorn#1045
right="forked, open, 2000 rows, 50 rows, closed, open, 0 missing, closed"

trial() {
  serve host
  must host open parent "$place/parent"
  must host put parent 300 bytes=10000
  must host put parent 50 from=300 sync
  must host close parent
  go_through host fork "open child $place/child" "put child 2000 bytes=10000" "put child 50 from=2000 sync" \
    "close child" "open child $place/child" "check child 2050" "close child"
  slay host
}
