# The disk of a flash tier stands still from before the database is opened until after it is closed: nobody waits for long.
# Source: longhorn/longhorn#2187
requires root mounts mkfs.ext4 fsfreeze
right="2000 rows, closed, open, 0 missing, closed, in time, open, 0 missing, closed"

trial() {
  local begin
  image flash 512M mkfs.ext4 -q
  attach flash
  before=(env "BLOOM_LFS_FLASH=path=$place/flash/tier;size=128M;memory=8M")
  freeze flash
  begin=$SECONDS
  serve host
  must host open db "$place/db"
  go_through host "put db 2000 bytes=1000 sync" "close db" "open db $place/db" "check db 2000" "close db"
  ((SECONDS - begin < 30)) && say "in time"
  thaw flash
  go_through host "open db $place/db" "check db 2000" "close db"
  slay host
}
