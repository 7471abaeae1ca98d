# A killed database on a disk of another machine: its user has a number that nobody has here. Root opens it.
# Source: reading the recovery rules (who owns a ring)
requires root mounts mkfs.ext4
right="0 missing"

trial() {
  image disk 1G mkfs.ext4 -q
  attach disk
  serve owner
  must owner open db "$place/disk/db"
  must owner put db 3000
  slay owner
  chown -R 12345:12345 "$place/disk/db"
  detach disk
  attach disk
  look "$place/disk/db" 3000
  say "$answer"
}
