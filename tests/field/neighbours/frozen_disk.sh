# One process, database A on a file system that freezes (a snapshot of its volume); B on another goes on: it is filled,
# switches logs, is closed, opened, destroyed.
# Source: cockroachdb/pebble#3230, longhorn/longhorn#2187
requires root mounts mkfs.ext4 fsfreeze
right=$lives

trial() {
  local b=$place/other/b
  frozen_and_other
  serve host
  must host open a "$place/frozen/a"
  must host put a 2000 bytes=1000
  must host put a 20 from=2000 sync
  must host open b "$b"
  must host put a 2000 from=3000 bytes=1000
  freeze frozen
  must host sleep 1500  # A's idle tail is due, and waits
  live host b "$b"
  thaw frozen
  slay host
}
