# An idle process with 100 databases, some rows in each: the processor time that it takes in 20 s is at most twice
# stock's, and 40 ms.
# Source: etcd-io/etcd#2486
requires optimised
right=
at_once=1
PATIENCE=90

trial() {
  local n began
  before=(bash -c 'ulimit -n 8192 && exec "$@"' -)
  serve host
  for n in {1..100}; do
    must host open db$n "$place/db$n" buffer=4
    must host put db$n 10
  done
  must host sleep 5000
  must host processor_ms
  began=$answer
  must host sleep 20000
  must host processor_ms
  say "$((answer - began)) ms"
  slay host
}

judge() { ((${2% ms} <= 2 * ${1% ms} + 40)); }
