# A service with a tight limit of descriptors: eight databases, which need 43 on stock, under a limit of 64. The plugin's
# own (README: one per live file, and the process's) must not keep a database from opening.
# Source: rockset/rocksdb-cloud#43
right="8 databases of 1000 rows, 8 closed"
at_once=1

trial() {
  local n filled=0 closed=0
  serve host
  must host limit descriptors 64
  for n in {1..8}; do
    tell host open "db$n" "$place/db$n" && tell host put "db$n" 1000 bytes=1000 && tell host put "db$n" 1 sync from=1000 &&
      ((++filled))
  done
  for n in {1..8}; do
    tell host close "db$n" && ((++closed))
  done
  [[ $filled == 8 ]] || account=" ($answer)"
  account="$filled databases of 1000 rows, $closed closed$account"
}
