# A file size limit (ulimit -f) that the data fit into, with the default action of SIGXFSZ; set before the start, and by
# the process itself after the opening.
# Source: facebook/rocksdb#2249, setrlimit(2)
right="1 MB under 4 MiB: closed 0 missing, synced: closed 0 missing, 16 MB under 24 MiB: closed 0 missing, synced: closed 0 missing, later: closed 0 missing"
at_once=1

life() { # LABEL LIMIT_KIB ROWS [sync]
  before=(bash -c "ulimit -f $2 && exec \"\$@\"" -)
  [[ $1 != later ]] || before=()
  serve host
  must host open db "$place/db" buffer=64 no_fallocate
  [[ $1 != later ]] || must host limit file_bytes $(($2 << 10))
  tell host put db "$3" bytes=10000 ${4:-} && tell host sleep 1100 && tell host put db 20 from="$3" ${4:-} && tell host close db
  account+="${account:+, }$1: $answer"
  slay host
  look "$place/db" $(($3 + 20)) buffer=64 no_fallocate
  account+=" $answer"
  rm -rf "$place/db"
}

trial() {
  life "1 MB under 4 MiB" 4096 100
  life synced 4096 100 sync
  life "16 MB under 24 MiB" 24576 1600
  life synced 24576 1600 sync
  life later 24576 1600
}
