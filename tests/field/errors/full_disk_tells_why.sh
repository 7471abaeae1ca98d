# A disk fills up under synced puts. What tells of it (RocksDB's info log, a service's own log) needs a block or two on the
# same disk: stock has taken the last one, so those lines are lost, and RocksDB built with assertions ends the process at
# the next line. The plugin must leave no less room, and take nearly as many rows as stock before it is full.
# Source: an info log that could not be written in 11 of 12 stock runs
requires root mounts mkfs.ext4

life() { # LABEL MKFS_OPTION
  image disk 200M mkfs.ext4 -q -O "$2"
  attach disk
  dd if=/dev/zero of="$place/disk/filler" bs=1M count=130 status=none
  serve host
  must host open db "$place/disk/db" buffer=64
  tell host fill db bytes=50000 ack="$place/ack" sync
  local told=0
  while ((told < 20)) && head -c 1024 /dev/zero >>"$place/disk/notes"; do told=$((told + 1)); done 2>/dev/null
  say "$1: $answer after $(od -An -td8 -N8 "$place/ack" | tr -d ' ') rows, $told lines of 1 KiB told"
  slay host
  rm "$place/ack"
  detach disk
}

trial() {
  life ext3 ^extent,^has_journal,^64bit
  life ext4 extent
}

judge() {
  local rows='NoSpace after ([0-9]+) rows, ([0-9]+) lines'
  [[ $1 =~ $rows.*$rows ]] || return 1
  local stock=("${BASH_REMATCH[@]}")
  [[ $2 =~ $rows.*$rows ]] || return 1
  local i
  for i in 1 3; do
    ((BASH_REMATCH[i] >= stock[i] * 9 / 10 && BASH_REMATCH[i + 1] >= stock[i + 1])) || return 1
  done
}
