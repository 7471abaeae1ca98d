# A ring holds a log's bytes: it and its directory are open to nobody who cannot read the log, whatever the umask.
# Source: reading the making of rings
right="umask 077: no wider, umask 027: no wider, umask 000: no wider"

trial() {
  local mask ring wider
  for mask in 077 027 000; do
    umask "$mask"
    serve owner
    must owner open db "$place/$mask"
    must owner put db 1000
    wider="no wider"
    for ring in $(rings_of "$place/$mask"); do
      # The log's bits, made narrower by what its directory lets through.
      (((0$(stat -c %a "$ring") & ~0$(stat -c %a "$place/$mask"/*.log)) == 0)) || wider="a wider ring"
      (((0$(stat -c %a "$place/$mask/.bloom_lfs") & 022) == 0)) || wider="a directory open to writers"
    done
    slay owner
    say "umask $mask: $wider"
  done
}
