# The disk of the figures file stands still from before the process starts, and what a killed process left there is due to
# go; the database lies on another disk: nobody waits.
# Source: longhorn/longhorn#2187; node_exporter's textfile directory is often a volume of its own
requires root mounts mkfs.ext4 fsfreeze
right="$short_lives"

trial() {
  image figures 64M mkfs.ext4 -q
  attach figures
  touch -d '3 hours ago' "$place/figures/bloom_lfs_2147483646.prom"
  before=(env "BLOOM_LFS_OPTIONS=stats_file=$place/figures/bloom_lfs_%p.prom;stats_interval_s=1")
  freeze figures
  live_shortly 20
  thaw figures
  slay host
}
