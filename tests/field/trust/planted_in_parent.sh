# A stranger plants odd things where a ring of root's closed database would be looked for, beside the database:
# a symbolic link, a FIFO, a directory, a file of 8 TiB of nothing, a header of a later version, garbage.
# No hang, no refused opening, no changed log, and nothing behind the link is touched.
# Source: reading the recovery rules
requires root setpriv
right="link: 0 missing, fifo: 0 missing, directory: 0 missing, sparse: 0 missing, version: 0 missing, garbage: 0 missing, precious"

trial() {
  local shared=$place/open_to_all what log ring
  nobody_reaches "$place"
  mkdir -m 1777 "$shared"
  "${nobody[@]}" mkdir "$shared/.bloom_lfs"
  echo precious >"$place/precious"
  for what in link fifo directory sparse version garbage; do
    serve owner
    must owner open db "$shared/$what"
    must owner put db 1000
    must owner close db
    dismiss owner
    log=$(ls "$shared/$what"/*.log | tail -n 1)
    ring=$shared/.bloom_lfs/$(printf %016x "$(stat -c %i "$log")").ring
    plant "$what" "$ring"
    look "$shared/$what" 1000
    say "$what: $answer"
  done
  say "$(cat "$place/precious")"
}

plant() { # WHAT RING
  case $1 in
    link) "${nobody[@]}" ln -s "$place/precious" "$2" ;;
    fifo) "${nobody[@]}" mkfifo "$2" ;;
    directory) "${nobody[@]}" mkdir "$2" ;;
    sparse) "${nobody[@]}" truncate -s 8T "$2" ;;
    version) printf 'bloomlfs\xff\xff\xff\x7f%4096s' | "${nobody[@]}" tee "$2" ;;
    garbage) head -c 70000 /dev/urandom | "${nobody[@]}" tee "$2" ;;
  esac >/dev/null
}
