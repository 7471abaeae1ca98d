# The plugin's writer is killed, stock goes on with new values and closes, the plugin opens: new values, not old ones.
# On a file system without birth times; with sequence numbers that fall together; with a clock that was ahead;
# with a second column family that stock did not touch.
# Source: weaviate/weaviate#12138
requires root mounts mkfs.ext4
right="128-byte inodes: 0 missing, same numbers: 0 missing, clock ahead: 0 missing, families: 0 missing"
options=idle_flush_ms=60000

# life LABEL INODE_BYTES SECONDS_AHEAD FIRST_KEYS [open's words]
life() {
  local label=$1 db=$place/disk/db
  image disk 512M mkfs.ext4 -q -I "$2"
  attach disk
  extra_preload=$programs/libfield_clock.so
  export FIELD_CLOCK_SECONDS=$3
  serve writer
  must writer open db "$db" "${@:5}"
  must writer put db 1000 tag=old1 bytes=1000
  must writer put db 1000 tag=old2 bytes=1000
  sleep 0.2
  slay writer
  extra_preload=
  serve goes_on stock
  must goes_on open db "$db" noflush "${@:5}"
  [[ $4 == 0 ]] || must goes_on set db another row
  must goes_on put db 1000 tag=new down
  must goes_on close db
  dismiss goes_on
  look "$db" 1000 noflush "${@:5}" -- tag=new
  say "$label: $answer"
  detach disk
}

trial() {
  life "128-byte inodes" 128 0 1
  life "same numbers" 128 0 0
  life "clock ahead" 256 3600 1
  life "families" 256 0 0 cf=other
}
