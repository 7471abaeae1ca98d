# Rings that are left over in a database's own directory, owned by its owner: of a log that was deleted, a copy of a ring
# under another name, a ring cut in the middle, an empty one, one with the bytes of its header turned. The opening goes on,
# and nothing of them comes in.
# Source: reading the recovery rules; copies by rsync without --delete
right="0 missing, closed, 0 missing"

trial() {
  local ring n=0 into=$place/db/.bloom_lfs
  serve writer
  must writer open db "$place/other"
  must writer put db 3000 tag=other
  slay writer
  serve writer
  must writer open db "$place/db"
  must writer put db 3000
  must writer close db
  dismiss writer
  mkdir -p "$into"
  for ring in $(rings_of "$place/other"); do
    cp "$ring" "$into/$(printf %016x "$(stat -c %i "$place"/db/*.log)").ring"
    cp "$ring" "$into/00000000000000ff.ring"
    cp "$ring" "$into/0000000000000fff.ring"
    truncate -s 70000 "$into/0000000000000fff.ring"
    : >"$into/000000000000ffff.ring"
    cp "$ring" "$into/00000000000fffff.ring"
    head -c 4096 /dev/urandom | dd of="$into/00000000000fffff.ring" conv=notrunc status=none
    cp "$ring" "$into/not a ring"
  done
  serve reader
  must reader open db "$place/db" noflush
  tell reader check db 3000
  say "$answer"
  tell reader close db
  say "$answer"
  slay reader
  look "$place/db" 3000
  say "$answer"
}
