# A killed database is moved to another file system (mv copies, then removes): other inodes, another device.
# Source: the same as killed_and_copied; what an operator does whose disk is full
requires root mounts mkfs.ext4
right="0 missing"

trial() {
  serve writer
  must writer open db "$place/db"
  must writer put db 22000 ack="$place/ack"
  slay writer
  image disk 512M mkfs.ext4 -q
  attach disk
  mv "$place/db" "$place/disk/db"
  another_boot
  look "$place/disk/db" ack="$place/ack"
  say "$answer"
}
