# The host has a SIGBUS handler of its own, as a Java machine has, installed before the database is opened or after; it
# must be asked for the host's own faults, and must not be needed for the plugin's.
# Source: JDK's use of SIGBUS for mapped files
requires root mounts mkfs.xfs xfs_io
right="before: asked, failed, lives, after: asked"

trial() {
  image disk 400M mkfs.xfs -q
  attach disk
  serve host
  must host own_sigbus
  must host open db "$place/disk/db" buffer=64
  must host put db 2000 bytes=1000
  must host put db 20 sync
  tell host fault "$place/own"
  say "before: $answer"
  sync -f "$place/disk"
  shut_down disk
  sleep 1.5
  tell host put db 10 sync
  say "$([[ $answer == failed:* ]] && echo failed || echo "$answer")"
  tell host sleep 1
  say "$([[ $answer == slept ]] && echo lives || echo "$answer")"
  slay host
  detach disk
  serve host
  must host open db "$place/db"
  must host put db 2000 bytes=1000
  must host own_sigbus
  tell host fault "$place/own"
  say "after: $answer"
  slay host
}
