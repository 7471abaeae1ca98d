# btrfs: twenty databases with ten synced rows each, then sixty log switches in one: how much of the disk is taken
# when all is idle. A ring each (512 KiB) is known; extents of zeros that stay pinned are not.
# Source: btrfs's own documentation of extents and preallocation
requires root mounts mkfs.btrfs
right=
at_once=1

used() { df --output=used -k "$place/disk" | tail -n 1 | tr -d ' '; }

trial() {
  local n
  image disk 2G mkfs.btrfs -q
  attach disk
  serve host
  for n in {1..20}; do
    must host open db$n "$place/disk/db$n" buffer=4
    must host put db$n 10 sync
  done
  must host sleep 1500
  sync -f "$place/disk"
  say "$(($(used) / 1024)) MiB by 20"
  for n in {1..20}; do must host close db$n; done
  must host open busy "$place/disk/busy" buffer=1
  for n in {1..60}; do
    must host put busy 20 from=$((n * 20)) sync
    must host flush busy
  done
  must host close busy
  dismiss host
  sync -f "$place/disk"
  btrfs filesystem sync "$place/disk" 2>/dev/null
  say "$(($(used) / 1024)) MiB when closed"
  detach disk
}

judge() {
  local stock plugin
  read -ra stock <<<"$1"
  read -ra plugin <<<"$2"
  ((plugin[0] <= stock[0] + 20 * 7 + 20 && plugin[4] <= stock[4] + 20))
}
