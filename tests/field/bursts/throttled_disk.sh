# A burst of unsynced puts on a disk throttled to 20 MiB/s, far below memory: the page cache would take it.
# Rows per second; within a tenth of stock's.
# Source: facebook/rocksdb#2005, facebook/rocksdb#12136
requires root mounts mkfs.ext4 optimised
right=
throttle=/sys/fs/cgroup/blkio/blkio.throttle.write_bps_device

undo() { echo "$number 0" >$throttle; }

trial() {
  [[ -w $throttle ]] || skip "no blkio controller of version 1"
  image disk 4G mkfs.ext4 -q
  attach disk
  number=$(cat "/sys/block/$(basename "$(device_of disk)")/dev")
  echo "$number 20971520" >$throttle || skip "no blkio controller of version 1"
  serve host
  must host open db "$place/disk/db" buffer=1000
  tell host put db "${FIELD_BURST_ROWS:-200000}" bytes=1000 timed
  say "$(sed -n 's/.* in \([0-9]*\) ms.*/\1/p' <<<"$answer") ms"
  echo "$number 0" >$throttle
  slay host
}

judge() { [[ $2 != " ms" && $((${2% ms} * 9 / 10)) -le ${1% ms} ]]; }
