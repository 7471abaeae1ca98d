# A device goes away and comes back within one boot: what was not written back is gone, though the boot id says
# "the same page cache". In three orders of write-back: the ring's header long before its buffers, its buffers
# without its header, and both before the log's last rows.
# Source: facebook/rocksdb#12467, raspberrypi/linux#4517
requires root mounts mkfs.ext4 xfs_io
right="old header: 0 missing, new header: 0 missing, old ring: 0 missing"

write_back() { # FIRST LENGTH: of the ring, if there is one
  local ring
  for ring in $(rings_of "$place/disk/db"); do
    xfs_io -c "sync_range -w $1 $2" -c "sync_range -a $1 $2" "$ring"
  done
}

life() { # LABEL EARLY LATE: ranges of the ring written back when half of the rows are there, and at the end
  image disk 1G mkfs.ext4 -q
  attach disk
  serve writer
  must writer open db "$place/disk/db"
  must writer put db 200 sync ack="$place/ack"
  # shellcheck disable=SC2086
  write_back $2
  must writer put db 200 sync from=200 ack="$place/ack"
  [[ -z $3 ]] || write_back $3
  kill -STOP "${host_pid[writer]}"
  touch "$place/disk/other"
  xfs_io -c fsync "$place/disk/other"  # somebody else's sync writes the journal
  shut_down disk
  slay writer
  detach disk
  attach disk
  look "$place/disk/db" ack="$place/ack"
  say "$1: $answer"
  detach disk
}

trial() {
  life "old header" "0 4k" "4k 0"
  life "new header" "4k 0" "0 4k"
  life "old ring" "0 0" ""
}
