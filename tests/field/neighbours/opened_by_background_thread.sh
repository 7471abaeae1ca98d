# The first database of a process is opened by a background thread (SCHED_IDLE, nice 19, or real time and bound to one
# processor) and that processor is busy; another database is filled by a normal thread. Its speed must not hang on who
# opened first. Speed: the better of two, within twice stock's.
# Source: reading the start of threads
requires root optimised
[[ $(nproc) -ge 2 ]] || skip "one processor"
right=

life() { # POLICY: the milliseconds
  local run best=60000 ms
  for run in 1 2; do
    serve host
    must host open first "$place/first" by="$1"
    must host open second "$place/second" buffer=1000
    must host burn
    tell host put second 40000 bytes=1000 timed
    ms=$(sed -n 's/.* in \([0-9]*\) ms.*/\1/p' <<<"$answer")
    ((${ms:-60000} >= best)) || best=$ms
    slay host
    rm -rf "$place/first" "$place/second"
  done
  say "$best"
}

trial() {
  life idle
  life nice
  life fifo
}

judge() {
  local stock plugin at
  read -ra stock <<<"${1//,/}"
  read -ra plugin <<<"${2//,/}"
  for at in 0 1 2; do ((plugin[at] <= 2 * stock[at] + 100)) || return 1; done
}
