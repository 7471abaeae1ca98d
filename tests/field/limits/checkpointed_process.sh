# A tool that checkpoints processes (CRIU) copies what /proc says of them: with io_uring=false there is no ring of the
# kernel's, no live log is shown as deleted, and no mapping of a file that is gone.
# Source: checkpoint-restore/criu, its list of what cannot be dumped
right="descriptors: 0 odd, mappings: 0 odd"
options=io_uring=false

trial() {
  local odd
  serve host
  must host open db "$place/db" buffer=1 buffers=8
  must host put db 5000 bytes=1000  # several logs
  must host put db 50 from=5000 sync
  must host sleep 700
  odd=$(find "/proc/${host_pid[host]}/fd" -type l -printf '%l\n' | grep -cE "$place/db.*\(deleted\)|io_uring")
  say "descriptors: $odd odd"
  odd=$(grep -cE "$place.*\(deleted\)|io_uring" "/proc/${host_pid[host]}/maps")
  say "mappings: $odd odd"
  slay host
}
