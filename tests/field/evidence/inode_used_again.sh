# A killed database is thrown away by `rm db/*`, which leaves what begins with a dot, and a new one is made in the same
# directory, by stock or with the plugin: its logs get the old inode numbers, and no old row may come back.
# Source: ext4 gives inode numbers out again at once; reading the recovery rules
requires root mounts mkfs.ext4
right="256 stock: nothing old, 0 missing, 256 plugin: nothing old, 0 missing, 128 stock: nothing old, 0 missing, 128 plugin: nothing old, 0 missing"
options=idle_flush_ms=60000

life() { # INODE_BYTES SUCCESSOR
  local db=$place/disk/db found
  image disk 1G mkfs.ext4 -q -I "$1"
  attach disk
  serve writer
  must writer open db "$db"
  must writer put db 1000 from=5000
  slay writer
  rm -rf "$db"/*
  [[ $2 != plugin ]] || set -- "$1" "$2" "$side"
  serve successor "${3:-stock}"
  must successor open db "$db"
  must successor put db 100 sync
  slay successor
  look "$db" 100 noflush
  found=$answer
  serve reader
  ! tell reader open db "$db" noflush || tell reader get db row0000005000
  slay reader
  say "$1 $2: $([[ $answer == nothing ]] && echo nothing old || echo "old: ${answer:0:20}")"
  say "$found"
  detach disk
}

trial() {
  life 256 stock
  life 256 plugin
  life 128 stock
  life 128 plugin
}
