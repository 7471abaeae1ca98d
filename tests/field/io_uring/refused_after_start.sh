# A service opens its database, then installs a seccomp filter that refuses io_uring or pwritev2 in every thread; the
# puts go on by plainer calls, nothing hangs, no thread spins. Some filters answer EPERM, some EACCES, some ENOSYS.
# Source: stacklok/go-microvm#76, axboe/liburing#1384
right="io_uring_enter 1: fine, io_uring_enter 13: fine, io_uring_enter 38: fine, pwritev2 1: fine, pwritev2 38: fine, sync_file_range 1: fine"
at_once=1

life() { # SYSTEM_CALL ERROR
  local said=fine db=$place/$1.$2 before_ms
  serve host
  must host open db "$db"
  must host put db 150 bytes=10000
  must host put db 20 from=150 bytes=10000 sync
  must host sleep 700
  must host refuse "$1" error="$2"
  { tell host put db 1500 from=170 bytes=10000 && tell host put db 300 from=1670 bytes=10000 sync; } || said=$answer
  if tell host processor_ms; then
    before_ms=$answer
    tell host sleep 1500
    ! tell host processor_ms || ((answer - before_ms < 500)) || said+=" spins"
  fi
  tell host put db 10 from=1970 || said+=" late $answer"
  tell host close db || said+=" close $answer"
  slay host
  look "$db" 1980
  [[ $answer == "0 missing" ]] || said+=" $answer"
  rm -rf "$db"
  say "$1 $2: $said"
}

trial() {
  life io_uring_enter 1
  life io_uring_enter 13
  life io_uring_enter 38
  life pwritev2 1
  life pwritev2 38
  life sync_file_range 1
}
