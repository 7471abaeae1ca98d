# A log has met a full disk; space is freed; the memtable is flushed and a new log begins, without Resume() being needed
# by what stock can do alone: whatever stock answers, the plugin answers too.
# Source: reading the write path
requires root mounts mkfs.ext4
right=
at_once=1

trial() {
  image disk 200M mkfs.ext4 -q
  attach disk
  dd if=/dev/zero of="$place/disk/filler" bs=1M count=130 status=none
  serve host
  must host open db "$place/disk/db" buffer=16
  tell host fill db bytes=4096 ack="$place/ack"
  say "$answer"
  rm "$place/disk/filler"
  sync -f "$place/disk"
  tell host flush db
  say "flush: ${answer%%:*}"
  tell host put db 1000 from=1000000
  say "put: ${answer%%:*}"
  tell host resume db
  say "$answer"
  tell host flush db
  say "flush: ${answer%%:*}"
  slay host
  look "$place/disk/db" ack="$place/ack" buffer=16
  say "$answer"
  detach disk
}
