# A volume is frozen, copied as a whole and thawed while a database on it is written to (a snapshot by the cluster's
# storage); the copy is mounted elsewhere, under another boot id. All that had been acknowledged before is there.
# Source: longhorn/longhorn#2187; kubernetes-csi's volume snapshots
requires root mounts mkfs.ext4 fsfreeze
right="0 missing, 0 missing"
at_once=1

trial() {
  local rows
  image disk 256M mkfs.ext4 -q
  attach disk
  serve writer
  must writer open db "$place/disk/db" buffer=16
  send writer put db 1000000 pause_us=300 ack="$place/ack"
  eventually 120 acknowledged_reach "$place/ack" 3000 || broken "no rows"
  rows=$(acknowledged "$place/ack")
  freeze disk
  cp --sparse=always "$place/disk.img" "$place/copy.img"
  thaw disk
  mkdir "$place/copy"
  attach copy
  another_boot
  look "$place/copy/db" "$rows" buffer=16
  say "$answer"
  slay writer
  look "$place/disk/db" ack="$place/ack" buffer=16
  say "$answer"
}
