# The file system has a handful of inodes left: enough for stock's files, not for a ring beside each log.
# Source: embedded devices; df -i
requires root mounts mkfs.ext4
right="open, 3000 rows, 100 rows, closed, 0 missing"
at_once=1

trial() {
  local n=0
  image disk 256M mkfs.ext4 -q -N 64
  attach disk
  mkdir "$place/disk/taken"
  while touch "$place/disk/taken/$((++n))" 2>/dev/null; do :; done
  rm "$place"/disk/taken/{1..8}
  serve host
  tell host open db "$place/disk/db" buffer=16
  say "$answer"
  tell host put db 3000
  say "$answer"
  tell host put db 100 from=3000 sync
  say "$answer"
  tell host close db
  say "$answer"
  dismiss_or_slay host
  look "$place/disk/db" 3100 buffer=16
  say "$answer"
}
