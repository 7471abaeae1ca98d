# The address space of the process is used up (ulimit -v) when a log would make its ring; later it is there again.
# Source: reading the making of rings; containers without overcommit
right="during: 2000 rows, after: 2000 rows, closed, 0 missing"

trial() {
  serve host
  must host open db "$place/db" buffer=8
  must host limit memory 4
  tell host put db 2000
  say "during: $answer"
  must host limit memory -1
  tell host put db 2000 from=2000
  say "after: $answer"
  tell host close db
  say "$answer"
  slay host
  look "$place/db" 4000
  say "$answer"
}
