# A process with little around it: no /proc, no locked memory, no write permission on the working directory, no HOME;
# and a database on tmpfs, that no O_DIRECT reaches. It is killed, and opened again in the same surroundings.
# Source: chroots, initramfs, strict sandboxes
requires root mounts
right="no proc: 0 missing, no locked memory: 0 missing, nothing: 0 missing, tmpfs: 0 missing"

life() { # LABEL DATABASE
  serve host
  { tell host open db "$2" && tell host put db 3000 && tell host put db 50 sync from=3000; } || say "$answer"
  slay host
  look "$2" 3050
  say "$1: $answer"
}

trial() {
  before=(unshare --mount bash -c 'umount --lazy /proc && exec "$@"' -)
  life "no proc" "$place/a"
  before=(bash -c 'ulimit -l 0 && exec "$@"' -)
  life "no locked memory" "$place/b"
  before=(env -i sh -c 'cd / && exec "$@"' -)
  life nothing "$place/c"
  before=()
  mkdir "$place/tmpfs"
  mount -t tmpfs -o size=200M tmpfs "$place/tmpfs"
  on_exit+=("detach tmpfs")
  life tmpfs "$place/tmpfs/db"
}
