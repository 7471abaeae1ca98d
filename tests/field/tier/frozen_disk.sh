# The disk of a flash tier stands still (a snapshot of it is taken) under a database that lies on another: nobody waits.
# Source: longhorn/longhorn#2187
requires root mounts mkfs.ext4 fsfreeze
right="20000 rows, closed, open, 0 missing, 0 missing, 5000 rows, in time, closed, open, 0 missing, closed"

trial() {
  local begin
  image flash 512M mkfs.ext4 -q
  attach flash
  before=(env "BLOOM_LFS_FLASH=path=$place/flash/tier;size=128M;memory=8M")
  serve host
  must host open db "$place/db"
  go_through host "put db 20000 bytes=1000" "close db" "open db $place/db" "check db 20000"
  freeze flash
  begin=$SECONDS
  go_through host "check db 20000" "put db 5000 from=20000 bytes=1000"
  ((SECONDS - begin < 30)) && say "in time"
  thaw flash
  go_through host "close db" "open db $place/db" "check db 25000" "close db"
  slay host
}
