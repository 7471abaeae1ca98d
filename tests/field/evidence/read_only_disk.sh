# A killed database on a file system that is mounted for reading only (a rescue system) is opened for reading, then, on
# a writable mount, for writing.
# Source: facebook/rocksdb#4865; rescue systems
requires root mounts mkfs.ext4
right="reading: 0 missing, writing: 0 missing"
at_once=1

trial() {
  image disk 1G mkfs.ext4 -q
  attach disk
  serve writer
  must writer open db "$place/disk/db"
  must writer put db 20000 ack="$place/ack"
  slay writer
  detach disk
  attach disk
  mount -o remount,ro "$place/disk"
  another_boot
  look "$place/disk/db" ack="$place/ack" read_only
  say "reading: $answer"
  mount -o remount,rw "$place/disk"
  look "$place/disk/db" ack="$place/ack"
  say "writing: $answer"
}
