# As refused_after_start with four databases that are filled at the same time as the filter comes: requests are under
# way in the kernel while the next ones are refused.
# Source: stacklok/go-microvm#76
right="4 of 4 filled, 4 of 4 closed, 0 missing, 0 missing, 0 missing, 0 missing"
at_once=1

trial() {
  local n filled=0 closed=0
  serve host
  for n in 1 2 3 4; do
    must host open db$n "$place/db$n"
    must host put db$n 600 bytes=10000
  done
  must host refuse io_uring_enter error=1
  for n in 1 2 3 4; do
    tell host put db$n 1500 from=600 bytes=10000 && tell host put db$n 50 from=2100 bytes=10000 sync && ((++filled))
  done
  for n in 1 2 3 4; do tell host close db$n && ((++closed)); done
  say "$filled of 4 filled"
  say "$closed of 4 closed"
  slay host
  for n in 1 2 3 4; do
    look "$place/db$n" 2150
    say "$answer"
  done
}
