# XFS shuts itself down (a dying device) under a database that is idle, and under one that is being written to: the
# process lives, puts fail, and the other database of the process goes on.
# Source: reading the mapped ring; charmbracelet/crush#3801
requires root mounts mkfs.xfs xfs_io
right="idle: synced put failed, other 2000 rows, get v, busy: puts failed, other 2000 rows, get v"

life() { # idle|busy
  image disk 400M mkfs.xfs -q
  attach disk
  serve host
  must host open other "$place/$1"
  # Nothing is flushed before the disk dies, however fast it is: the key is in memory.
  must host open db "$place/disk/db" buffer=192
  must host set db key v
  must host put db 2000 bytes=1000
  must host put db 20 sync
  if [[ $1 == idle ]]; then
    sleep 1
    sync -f "$place/disk"  # mapped pages are clean from here on: the next store to one asks the file system
    shut_down disk
    sleep 2  # what runs in the background runs into it
    tell host put db 1 sync from=5000
    say "idle: synced put $([[ $answer == failed:* ]] && echo failed || echo "$answer")"
  else
    send host put db 300000 bytes=1000 from=10000
    sleep 0.3
    sync -f "$place/disk"
    shut_down disk
    hear host
    say "busy: puts $([[ $answer == failed:* ]] && echo failed || echo "$answer")"
  fi
  tell host put other 2000 bytes=1000
  say "other $answer"
  tell host get db key
  say "get $answer"
  slay host
  detach disk
}

trial() {
  life idle
  life busy
}
