# A database writes while its own file system is frozen for a while (a snapshot): it waits, as stock's syncs do, and
# goes on when the snapshot is made; nothing fails and nothing is missing.
# Source: longhorn/longhorn#2187
requires root mounts mkfs.ext4 fsfreeze
right="200 rows, 3000 rows, closed, 0 missing"
at_once=1

trial() {
  image disk 1G mkfs.ext4 -q
  attach disk
  serve host
  must host open db "$place/disk/db"
  must host put db 200 sync
  freeze disk
  send host put db 200 from=200 sync
  sleep 3
  thaw disk
  hear host
  say "$answer"
  tell host put db 3000 from=400 bytes=10000
  say "$answer"
  tell host close db
  say "$answer"
  slay host
  look "$place/disk/db" 3400
  say "$answer"
}
