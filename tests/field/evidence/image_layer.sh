# A killed database is in the lower layer of an overlay (an image of a container that was committed); a new container
# opens it: other inode and device numbers, files that are copied up when they are first changed.
# Source: fedimint/fedimint#8614
requires root mounts
right="reading: 0 missing, writing: 0 missing, again: 0 missing"

trial() {
  mkdir "$place/lower" "$place/upper" "$place/scratch" "$place/merged"
  serve writer
  must writer open db "$place/lower/db"
  must writer put db 22000 ack="$place/ack"
  slay writer
  mount -t overlay -o "lowerdir=$place/lower,upperdir=$place/upper,workdir=$place/scratch" overlay "$place/merged" \
    2>/dev/null || skip "no overlay file system"
  on_exit+=("detach merged")
  another_boot
  look "$place/merged/db" ack="$place/ack" read_only
  say "reading: $answer"
  look "$place/merged/db" ack="$place/ack"
  say "writing: $answer"
  look "$place/merged/db" ack="$place/ack"
  say "again: $answer"
}
