# A file system so small that a ring does not fit into it, or does so only at the cost of the data.
# Source: embedded devices; reading the making of rings
requires root mounts mkfs.ext4
right="1000 rows, 500 rows, closed, 0 missing"
at_once=1

trial() {
  image disk 8M mkfs.ext4 -q -O ^has_journal
  attach disk
  serve host
  must host open db "$place/disk/db" buffer=1
  tell host put db 1000
  say "$answer"
  tell host put db 500 from=1000 sync
  say "$answer"
  tell host close db
  say "$answer"
  slay host
  look "$place/disk/db" 1500 buffer=1
  say "$answer"
  detach disk
}
