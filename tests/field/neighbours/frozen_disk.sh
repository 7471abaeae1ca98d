# One process, database A on a file system that freezes (a snapshot of its volume); B on another goes on: it is filled,
# switches logs, is closed, opened, destroyed.
# Source: cockroachdb/pebble#3230, longhorn/longhorn#2187
requires root mounts mkfs.ext4 fsfreeze
right="5000 rows, 100 rows, flushed, closed, open, closed, destroyed"

# answered COMMAND...: of B, while A is frozen.
answered() {
  tell host "$@"
  say "$answer"
}

trial() {
  local b=$place/other/b
  for disk in frozen other; do
    image $disk 1G mkfs.ext4 -q
    attach $disk
  done
  serve host
  must host open a "$place/frozen/a"
  must host put a 2000 bytes=1000
  must host put a 20 from=2000 sync
  must host open b "$b"
  must host put a 2000 from=3000 bytes=1000
  freeze frozen
  must host sleep 1500  # A's idle tail is due, and waits
  answered put b 5000 bytes=10000
  answered put b 100 from=5000 bytes=1000 sync
  answered flush b
  answered close b
  answered open b "$b"
  answered close b
  answered destroy "$b"
  thaw frozen
  slay host
}
