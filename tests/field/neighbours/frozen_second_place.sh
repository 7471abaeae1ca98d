# The disk of the second place stands still while databases on another disk, one for each mode, are opened, closed, killed and
# opened: they go without it, and have every row.
# Source: longhorn/longhorn#2187; tikv/tikv#18274 (disks that stall for seconds)
requires root mounts mkfs.ext4 fsfreeze
modes=(failover hedge group mirror)
right=
for each in open "2000 rows" closed open "0 missing" closed open "100 rows" open "0 missing" closed; do
  right+="$each, $each, $each, $each, "
done
right+="in time"

serve_all() {
  local mode
  for mode in "${modes[@]}"; do
    before=(env "BLOOM_LFS_OPTIONS=second_mode=$mode;second_place=$place/second/$mode;second_bytes=16M;mirror_degraded=continue")
    serve "$mode"
  done
}
slay_all() { local mode; for mode in "${modes[@]}"; do slay "$mode"; done; }

tell_all() { # WORDS...: MODE stands for the mode; at the same time
  local mode
  for mode in "${modes[@]}"; do send "$mode" "${*//MODE/$mode}"; done
  for mode in "${modes[@]}"; do hear "$mode"; say "$answer"; done
}

trial() {
  local begin
  image second 512M mkfs.ext4 -q
  attach second
  freeze second
  begin=$SECONDS
  serve_all
  tell_all open db "$place/MODE"
  tell_all put db 2000 bytes=1000 sync
  tell_all close db
  tell_all open db "$place/MODE"
  tell_all check db 2000
  tell_all close db
  local waited=$((SECONDS - begin))
  thaw second
  slay_all
  serve_all
  tell_all open db "$place/MODE"
  tell_all put db 100 from=2000 sync
  slay_all
  freeze second
  begin=$SECONDS
  serve_all
  tell_all open db "$place/MODE"
  tell_all check db 2100
  ((waited += SECONDS - begin))
  thaw second
  tell_all close db
  slay_all
  ((waited < 90)) && say "in time"
}
