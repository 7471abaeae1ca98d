# The disk of a flash tier stands still from before the database is opened until after it is closed: nobody waits for long.
# Source: longhorn/longhorn#2187
requires root mounts mkfs.ext4 fsfreeze
right="$short_lives, open, 0 missing, closed"

trial() {
  image flash 512M mkfs.ext4 -q
  attach flash
  before=(env "BLOOM_LFS_FLASH=path=$place/flash/tier;size=128M;memory=8M")
  freeze flash
  live_shortly 30
  thaw flash
  go_through host "open db $place/db" "check db 2000" "close db"
  slay host
}
