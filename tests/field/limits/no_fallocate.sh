# allow_fallocate=false: an operator's word that nothing is to be allocated ahead. The logs of twenty
# databases with ten synced rows each take no more of the disk than on stock (64 KiB more each, for zeros).
# Source: RocksDB's options; facebook/rocksdb#2249
requires root mounts mkfs.ext4
right=
at_once=1

trial() {
  local n
  image disk 1G mkfs.ext4 -q
  attach disk
  before=(bash -c 'ulimit -n 4096 && exec "$@"' -)
  serve host
  for n in {1..20}; do
    must host open db$n "$place/disk/db$n" no_fallocate buffer=4
    must host put db$n 10 sync
  done
  must host sleep 1000
  say "logs take $(du -ck "$place"/disk/db*/*.log | tail -n 1 | cut -f 1) KiB"
  slay host
}

judge() {
  local stock plugin
  read -ra stock <<<"$1"
  read -ra plugin <<<"$2"
  ((plugin[2] <= stock[2] + 20 * 64))
}
