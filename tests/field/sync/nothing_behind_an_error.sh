# The device dies under a database (shutdown of the file system) while puts and syncs go on: puts with sync fail from
# then on, until the database is opened anew; what had been acknowledged with sync is there then.
# Source: the promise of Sync; lwn.net/Articles/752063
requires root mounts mkfs.xfs xfs_io
right="synced puts fail: yes, again: yes, 0 missing"

trial() {
  image disk 400M mkfs.xfs -q
  attach disk
  serve writer
  must writer open db "$place/disk/db" buffer=16
  must writer put db 300 sync ack="$place/ack"
  must writer put db 2000 from=1000000
  shut_down disk
  tell writer put db 100 sync from=300 ack="$place/ack"
  say "synced puts fail: $([[ $answer == failed:* ]] && echo yes || echo "$answer")"
  tell writer put db 1 sync from=400
  say "again: $([[ $answer == failed:* ]] && echo yes || echo "$answer")"
  slay writer
  detach disk
  attach disk
  look "$place/disk/db" 300 buffer=16
  say "$answer"
}
