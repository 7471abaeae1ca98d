# The disk of a flash tier dies under a database that lies on another: the database goes on as if there were no tier.
# Source: facebook/rocksdb#8347
requires root mounts mkfs.xfs xfs_io
right="20000 rows, closed, open, 0 missing, 0 missing, 5000 rows, closed, open, 0 missing, closed"

trial() {
  image flash 512M mkfs.xfs -q
  attach flash
  before=(env "BLOOM_LFS_FLASH=path=$place/flash/tier;size=128M;memory=8M")
  serve host
  must host open db "$place/db"
  go_through host "put db 20000 bytes=1000" "close db" "open db $place/db" "check db 20000"
  [[ $side == stock || -s $place/flash/tier/pages ]] || say "no tier"
  shut_down flash
  go_through host "check db 20000" "put db 5000 from=20000 bytes=1000" "close db" "open db $place/db" "check db 25000" \
    "close db"
  slay host
}
