# One process, database A on a file system that freezes while A is written to, and A2 beside it that
# gets its first put after a rest while frozen; B on another disk goes on meanwhile, and so does the process: it is filled,
# closed, opened, destroyed, and forks. After the thaw A and A2 have every row.
# Source: cockroachdb/pebble#3230, longhorn/longhorn#2187; page faults that wait for a thaw hold locks of the address space
requires root mounts mkfs.ext4 fsfreeze
right="$lives, 60000 rows, $lives, child ended, 1 rows, 0 missing, 0 missing"

trial() {
  frozen_and_other
  serve host
  must host open a "$place/frozen/a"
  must host open a2 "$place/frozen/a2"
  must host put a2 2000 bytes=1000
  must host put a2 20 from=2000 sync
  must host aside put a 60000 bytes=500 pause_us=20  # for longer than it takes to freeze
  must host sleep 600
  freeze frozen
  must host sleep 300
  tell host open b "$place/other/b"
  live host b "$place/other/b"
  thaw frozen
  tell host await
  say "$answer"
  must host sleep 1500  # A2 is at rest
  freeze frozen
  must host aside put a2 1 from=2020
  must host sleep 300
  tell host open b "$place/other/b"
  live host b "$place/other/b"
  tell host child
  say "$answer"
  thaw frozen
  tell host await
  say "$answer"
  tell host check a 60000
  say "$answer"
  tell host check a2 2021
  say "$answer"
  slay host
}
