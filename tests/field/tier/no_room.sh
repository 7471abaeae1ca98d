# There is no room for a flash tier where it is to be: the database opens, and does without.
# Source: facebook/rocksdb#8347
requires root mounts mkfs.ext4
right="open, 20000 rows, closed, open, 0 missing, closed"

trial() {
  image flash 64M mkfs.ext4 -q
  attach flash
  before=(env "BLOOM_LFS_FLASH=path=$place/flash/tier;size=1G;memory=8M")
  serve host
  go_through host "open db $place/db" "put db 20000 bytes=1000" "close db" "open db $place/db" "check db 20000" "close db"
  slay host
  # What could not be made takes no room from others.
  (($(df --output=used -BM "$place/flash" | tail -n 1 | tr -dc 0-9) < 40)) || say "the disk is full"
}
