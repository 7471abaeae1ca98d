# Logs of several databases are in one directory as far as names go: two databases share a wal_dir's parent, and copies
# of logs with lower and higher numbers lie beside a live one. Appends do not become syncs because of a neighbour.
# Source: reading the succession of logs
requires optimised
right=

trial() {
  local n ms
  serve host
  must host open db "$place/db" buffer=500
  must host put db 2000 bytes=1000
  for n in 000001 000777 999999; do cp "$(ls "$place"/db/*.log | head -n 1)" "$place/$n.log"; done
  must host checkpoint db "$place/db.checkpoint"
  tell host put db 50000 from=2000 bytes=200 timed
  ms=$(sed -n 's/.* in \([0-9]*\) ms.*/\1/p' <<<"$answer")
  say "${ms:-99999} ms"
  slay host
}

judge() { ((${2% ms} <= 2 * ${1% ms} + 200)); }
