# Databases that nobody writes to do not write: the KiB that reach their disk in a minute, with 1 and with 100 of
# them, after a while in which things settle.
# Source: etcd-io/etcd#2486, cockroachdb/cockroach#20471
requires root mounts mkfs.ext4
right=
at_once=1
PATIENCE=120

trial() {
  local n count
  declare -A kib
  for count in 1 100; do
    image disk$count 6G mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0
    attach disk$count
    before=(bash -c 'ulimit -n 8192 && exec "$@"' -)
    serve host$count
    for ((n = 0; n < count; ++n)); do
      must host$count open db$n "$place/disk$count/db$n" buffer=4
      must host$count put db$n 10 sync
    done
  done
  sleep 1
  for count in 1 100; do sync -f "$place/disk$count"; done
  sleep 35
  for count in 1 100; do kib[$count]=$(kib_written disk$count); done
  sleep "${FIELD_IDLE_SECONDS:-60}"
  for count in 1 100; do say "$(($(kib_written disk$count) - kib[$count])) KiB by $count"; done
}

judge() {
  local stock plugin
  read -ra stock <<<"$1"
  read -ra plugin <<<"$2"
  ((plugin[0] <= stock[0] + 64 && plugin[4] <= stock[4] + 64))
}
