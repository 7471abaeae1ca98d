# After LockWAL (from RocksDB 7.10 on, which calls nothing then, a moment later), and for whoever asks for sizes
# (GetSortedWalFiles, GetLiveFilesStorageInfo), the files themselves hold the bytes: a copy made without RocksDB, of as many bytes
# as were listed, opens with every row.
# Source: RocksDB's headers on LockWAL and on the sizes of live files
right="lock: 0 missing, sorted: 0 missing, storage: 0 missing"

life() { # lock|sorted|storage
  local words copy=$place/copy.$1 file size
  serve host
  must host open db "$place/$1"
  must host put db 500 sync
  must host put db 7000 from=500
  if [[ $1 == lock ]]; then
    must host lock_wal db
  else
    must host wal_sizes db how="$1"
    words=${answer#sizes}
  fi
  mkdir "$copy"
  # A script that knows nothing of rings.
  cp -a "$place/$1"/[A-Z0-9]* "$copy"
  if [[ $1 != lock ]]; then
    set -- "$1" $words
    while [[ $# -ge 3 ]]; do
      file=$2 size=$3
      (($(stat -c %s "$copy/$file") >= size)) || say "$file is short"
      truncate -s "$size" "$copy/$file"
      set -- "$1" "${@:4}"
    done
  else
    must host unlock_wal db
  fi
  slay host
  look "$copy" 7500
  say "$1: $answer"
}

trial() {
  life lock
  life sorted
  life storage
}
