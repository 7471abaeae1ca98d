# A database directory in which others may write (sticky): a stranger has taken the name .bloom_lfs before the
# database is opened: with a file, a link to a directory of root's, a FIFO, a directory of his own. The owner writes,
# is killed, and opens again: no row may be missing, and nothing may be made or changed behind the link.
# Source: reading the recovery rules
requires root setpriv
right="file: 0 missing, link: 0 missing, fifo: 0 missing, directory: 0 missing, nothing behind the link"

trial() {
  local what db
  nobody_reaches "$place"
  mkdir -m 755 "$place/precious"
  for what in file link fifo directory; do
    db=$place/$what
    mkdir -m 1777 "$db"
    case $what in
      file) "${nobody[@]}" touch "$db/.bloom_lfs" ;;
      link) "${nobody[@]}" ln -s "$place/precious" "$db/.bloom_lfs" ;;
      fifo) "${nobody[@]}" mkfifo "$db/.bloom_lfs" ;;
      directory) "${nobody[@]}" mkdir -m 777 "$db/.bloom_lfs" ;;
    esac
    serve owner
    if tell owner open db "$db" && tell owner put db 3000; then
      slay owner
      look "$db" 3000
    fi
    slay owner
    say "$what: $answer"
  done
  say "$(ls -A "$place/precious" | grep -q . && echo something || echo nothing) behind the link"
}
