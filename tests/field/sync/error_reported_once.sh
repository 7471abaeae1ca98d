# A thin volume runs out below a file system: write-back fails with EIO, and the kernel says so once per open file.
# A synced put that was acknowledged must be there when the volume has room again.
# Source: lwn.net/Articles/752063 (fsync errors); the promise of Sync
requires root mounts mkfs.xfs
right="an error, 0 missing"

undo() { umount --lazy "$place/thin"; }

trial() {
  mkdir "$place/thin"
  mount -t tmpfs -o size=80M tmpfs "$place/thin" || skip "no tmpfs"
  truncate -s 1G "$place/thin/disk.img"
  ln -s thin/disk.img "$place/disk.img"
  mkdir "$place/disk"
  mkfs.xfs -q -K "$place/thin/disk.img" || broken "mkfs.xfs"
  attach disk
  # Linux takes a short write of a loop device for a whole one; a request of one page is never short.
  echo 4 >"/sys/block/$(basename "$(device_of disk)")/queue/max_sectors_kb"
  serve writer
  must writer open db "$place/disk/db"
  must writer set db first row sync
  tell writer fill db sync bytes=20000 ack="$place/ack"
  case $answer in
    "no answer"* | killed* | ended*) say "$answer" ;;
    *) say "an error" ;;
  esac
  slay writer
  mount -o remount,size=600M "$place/thin"
  detach disk
  attach disk
  look "$place/disk/db" ack="$place/ack"
  say "$answer"
  detach disk
}
