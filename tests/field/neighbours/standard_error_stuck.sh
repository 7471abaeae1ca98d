# Standard error is a pipe that nobody reads and that is full; then it is a closed descriptor, whose number the database's
# own files get. A warning must not block the database, nor go into one of its files.
# Source: reading the warnings
right="full pipe: 1 rows closed, closed descriptor: 1 rows closed 0 missing"
options=ring_budget_bytes=4096  # to make it say something

put_one() { # LABEL DATABASE: by a host that is started with what is in before
  serve host
  tell host open db "$place/$2" && tell host put db 1
  say "$1: $answer"
  tell host close db
  account+=" $answer"
  slay host
}

trial() {
  mkfifo "$place/pipe"
  exec 7<>"$place/pipe"
  dd if=/dev/zero bs=4096 count=64 of=/dev/fd/7 oflag=nonblock status=none 2>/dev/null
  before=(bash -c 'exec "$@" 2>&7' -)
  put_one "full pipe" full
  before=(bash -c 'exec "$@" 2>&-' -)
  put_one "closed descriptor" closed
  before=()
  look "$place/closed" 1
  account+=" $answer"
  exec 7>&-
}
