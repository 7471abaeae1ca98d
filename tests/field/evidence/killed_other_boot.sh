# A pod is killed and comes back on another node with its volume: the ring is whole, the boot id another.
# Source: ClickHouse/ClickHouse#54744, facebook/rocksdb#4865
requires root mounts mkfs.ext4
right="0 missing"
at_once=1

trial() {
  image disk 1G mkfs.ext4 -q
  attach disk
  serve writer
  must writer open db "$place/disk/db"
  send writer put db 100000 pause_us=1000 ack="$place/ack"
  eventually 120 acknowledged_reach "$place/ack" 2500 || broken "no rows"
  slay writer
  detach disk  # an orderly unmount writes the page cache
  attach disk
  another_boot
  look "$place/disk/db" ack="$place/ack"
  say "$answer"
}
