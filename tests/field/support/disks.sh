# File systems in files, boot ids, control groups. All in the mount namespace of the situation.

# image NAME SIZE MKFS...: $place/NAME becomes the mount point of a file system of its own.
image() {
  local name=$1
  rm -f "$place/$name.img"
  truncate -s "$2" "$place/$name.img"
  mkdir -p "$place/$name"
  "${@:3}" "$place/$name.img" >"$place/mkfs" 2>&1 || broken "$3: $(tail -n 1 "$place/mkfs")"
}

attach() { # NAME [OPTION]
  local tries=0
  # Two situations may be given the same free loop device; one of them has to ask again.
  until mount -o "loop${2:+,$2}" "$place/$1.img" "$place/$1" 2>"$place/mount"; do
    make_loop_nodes
    ((++tries < 20)) || skip "no loop mounts: $(tail -n 1 "$place/mount" | tail -c 60)"
    sleep 0.2
  done
  on_exit+=("detach $1")
}

detach() { # NAME
  local tries=0
  while grep -q " $place/$1 " /proc/self/mounts; do  # mountpoint(1) fails on what has died
    umount "$place/$1" 2>/dev/null && continue
    ((++tries < 20)) || { umount --lazy "$place/$1"; return; }
    sleep 0.2
  done
}

# Containers have the nodes that were there when they started.
make_loop_nodes() {
  local minor
  for minor in {0..47}; do
    [[ -e /dev/loop$minor ]] || mknod -m 660 "/dev/loop$minor" b 7 "$minor" 2>/dev/null
  done
}

device_of() { findmnt -no SOURCE "$place/$1"; }
# KiB written to a mounted image's device since it was attached.
kib_written() { awk -v d="$(basename "$(device_of "$1")")" '$3 == d { print int($10 / 2) }' /proc/diskstats; }

freeze() { fsfreeze --freeze "$place/$1" || skip "no fsfreeze"; on_exit+=("thaw $1"); }
thaw() { fsfreeze --unfreeze "$place/$1" 2>/dev/null; }
shut_down() { xfs_io -x -c shutdown "$place/$1" || skip "no shutdown of file systems"; }  # as a dying device

# One disk that will freeze, and another.
frozen_and_other() {
  local disk
  for disk in frozen other; do
    image $disk 1G mkfs.ext4 -q
    attach $disk
  done
}

# What a database, open as NAME at PATH, does while another one's disk is frozen; says each answer.
lives="5000 rows, 100 rows, flushed, closed, open, closed, destroyed"
live() { # HOST NAME PATH
  local command
  for command in "put $2 5000 bytes=10000" "put $2 100 from=5000 bytes=1000 sync" "flush $2" "close $2" \
    "open $2 $3" "close $2" "destroy $3"; do
    tell "$1" $command
    say "$answer"
  done
}

# A database's first two lives on the disk that goes on, while another one stands still; says each answer, and whether
# all of it took less than so many seconds.
short_lives="2000 rows, closed, open, 0 missing, closed, in time"
live_shortly() { # SECONDS
  local begin=$SECONDS
  serve host
  must host open db "$place/db"
  go_through host "put db 2000 bytes=1000 sync" "close db" "open db $place/db" "check db 2000" "close db"
  ((SECONDS - begin < $1)) && say "in time"
}

fill_up() { # DIRECTORY: not one block is left
  dd if=/dev/zero of="$1/filler" bs=1M 2>/dev/null
  dd if=/dev/zero of="$1/filler2" bs=4k 2>/dev/null
  sync -f "$1"
  dd if=/dev/zero of="$1/filler3" bs=4k 2>/dev/null
}

# For $before: another machine, as far as the boot id goes; none to be seen at all.
another_boot() {
  cat /proc/sys/kernel/random/uuid >"$place/boot_id"
  before=(unshare --mount bash -c 'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"'
    "$place/boot_id")
}
no_boot_id() {
  unshare --mount mount -t proc -o subset=pid proc /proc 2>/dev/null || skip "no proc without sys"
  before=(unshare --mount bash -c 'mount -t proc -o subset=pid proc /proc && exec "$@"' -)
}

# group CONTROLLER: $group is a new control group of it.
group() {
  local top=/sys/fs/cgroup
  if [[ -d $top/$1 ]]; then
    group=$top/$1/field.$$.$side
  else
    group=$top/field.$$.$side
    echo "+$1" >"$top/cgroup.subtree_control" 2>/dev/null
  fi
  mkdir "$group" 2>/dev/null || skip "no control group for $1"
  on_exit+=("leave_group $group")
}
leave_group() {
  local tries=0
  until rmdir "$1" 2>/dev/null || ((++tries > 20)); do sleep 0.2; done
}
# For $before: in a group.
in_group() { before=(bash -c 'echo $BASHPID >"$0/cgroup.procs" && exec "$@"' "$group"); }
