# The disk of the figures file stands still from before the process starts, and what a killed process left there is due to
# go; the database lies on another disk: nobody waits.
# Source: longhorn/longhorn#2187; node_exporter's textfile directory is often a volume of its own
requires root mounts mkfs.ext4 fsfreeze
right="2000 rows, closed, open, 0 missing, closed, in time"

trial() {
  local begin
  image figures 64M mkfs.ext4 -q
  attach figures
  touch -d '3 hours ago' "$place/figures/bloom_lfs_2147483646.prom"
  before=(env "BLOOM_LFS_OPTIONS=stats_file=$place/figures/bloom_lfs_%p.prom;stats_interval_s=1")
  freeze figures
  begin=$SECONDS
  serve host
  must host open db "$place/db"
  go_through host "put db 2000 bytes=1000 sync" "close db" "open db $place/db" "check db 2000" "close db"
  ((SECONDS - begin < 20)) && say "in time"
  thaw figures
  slay host
}
