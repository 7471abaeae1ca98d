# btrfs fills up under a database that is open and idle; the process lives, puts get NoSpace, rows can be read.
# Source: charmbracelet/crush#3801, google/leveldb#150
requires root mounts mkfs.btrfs
right="NoSpace, synced NoSpace, get v"
at_once=1

trial() {
  image disk 300M mkfs.btrfs -q
  attach disk
  serve host
  must host open db "$place/disk/db"
  must host set db key v
  must host put db 2000 bytes=10000
  sync -f "$place/disk"
  fill_up "$place/disk"
  sleep 33  # btrfs commits each 30 s; the ring's pages, once cleaned, need new blocks
  tell host put db 4000 from=2000 bytes=10000
  say "${answer##*: }"
  tell host put db 1 from=9000 bytes=10000 sync
  say "synced ${answer##*: }"
  tell host get db key
  say "get $answer"
  slay host
  detach disk
}
