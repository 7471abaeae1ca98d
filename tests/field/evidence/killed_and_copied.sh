# A killed database is copied (cp -a, another disk, an image of a container) and opened in each recovery mode.
# Source: facebook/rocksdb#1888, fedimint/fedimint#8614
right="point: 0 missing, tolerate: 0 missing, absolute: 0 missing, skip: 0 missing"

trial() {
  serve writer
  must writer open db "$place/db"
  must writer put db 22000 ack="$place/ack"
  slay writer
  local mode
  for mode in point tolerate absolute skip; do
    cp -a "$place/db" "$place/copy"
    look "$place/copy" ack="$place/ack" mode=$mode
    say "$mode: $answer"
    rm -rf "$place/copy"
  done
}
