# As refused_after_start, but the filter is there before the database is opened: containers' default profiles.
# Source: moby/moby#46762 (io_uring is refused by default)
right="io_uring_setup: fine, io_uring_enter: fine, io_uring_register: fine, pwritev2: fine, fallocate: fine, statx: fine, flock: fine"

life() { # SYSTEM_CALL
  local said=fine db=$place/$1
  serve host
  must host refuse "$1" error=1
  { tell host open db "$db" && tell host put db 1500 bytes=10000 &&
    tell host put db 200 from=1500 bytes=10000 sync && tell host close db; } || said=$answer
  slay host
  look "$db" 1700
  [[ $answer == "0 missing" ]] || said+=" $answer"
  rm -rf "$db"
  say "$1: $said"
}

trial() {
  life io_uring_setup
  life io_uring_enter
  life io_uring_register
  life pwritev2
  life fallocate
  life statx
  life flock
}
