# A disk fills up under puts; space is freed and the application calls Resume(): it goes on, and nothing that had been
# acknowledged is missing. On ext3's layout (no fallocate) and on ext4's, with sync and without.
# Source: reading the write path; google/leveldb#150
requires root mounts mkfs.ext4
right="ext3 synced: NoSpace, goes on, 0 missing, ext4 synced: NoSpace, goes on, 0 missing, ext4 unsynced: NoSpace, goes on, 0 missing"

life() { # LABEL MKFS_OPTION [sync]
  local label=$1
  image disk 200M mkfs.ext4 -q -O "$2"
  attach disk
  shift 2
  dd if=/dev/zero of="$place/disk/filler" bs=1M count=165 status=none
  serve host
  must host open db "$place/disk/db" buffer=64
  tell host fill db bytes=50000 ack="$place/ack" "$@"
  say "$label: $answer"
  rm "$place/disk/filler"
  sync -f "$place/disk"
  tell host resume db
  say "$answer"
  slay host
  look "$place/disk/db" ack="$place/ack" buffer=64
  say "$answer"
  rm "$place/ack"
  detach disk
}

trial() {
  life "ext3 synced" ^extent,^has_journal,^64bit sync
  life "ext4 synced" extent sync
  life "ext4 unsynced" extent
}
