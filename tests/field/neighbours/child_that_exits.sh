# A process with a live database forks, and the child ends by exit(), with all that libraries do then (a Python worker,
# a daemon that starts helpers); the parent goes on, is killed, and nothing is missing. The child does not hang.
# Source: benoitc/gunicorn#1045
right="child ended with 0, 3000 rows, 50 rows, 0 missing"
at_once=1
PATIENCE=30

trial() {
  serve host
  must host open db "$place/db"
  must host put db 5000
  must host put db 50 sync from=5000
  tell host child_that_exits
  say "$answer"
  tell host put db 3000 from=6000 bytes=5000
  say "$answer"
  tell host put db 50 from=9000 sync
  say "$answer"
  slay host
  look "$place/db" 3050 -- from=6000
  say "$answer"
}
