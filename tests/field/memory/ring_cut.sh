# Somebody cuts the ring files of a live database (an over-eager cleaner of dot directories, `> file`), or removes them;
# the process lives, and what is acknowledged from then on, as well as before, is there after a clean close.
# Source: reading the mapped ring; journald's handling of cut journals
right="idle_cut: lives, busy_cut: lives, removed: lives"

life() { # LABEL
  local ring said=lives
  serve host
  must host open db "$place/$1"
  must host put db 3000 bytes=1000
  must host put db 20 from=3000 sync
  [[ $1 != busy* ]] || send host put db 30000 from=4000 bytes=1000
  [[ $1 != idle* ]] || sleep 1.2
  for ring in $(rings_of "$place/$1"); do
    if [[ $1 == removed ]]; then rm "$ring"; else : >"$ring"; fi
  done
  [[ $1 != busy* ]] || hear host
  sleep 0.7
  # Failing puts are an answer. Dying is none.
  tell host put db 2000 from=40000 bytes=1000
  [[ $answer == "2000 rows" || $answer == failed:* ]] || said=$answer
  tell host get db none
  [[ $answer == nothing ]] || said=$answer
  slay host
  look "$place/$1" 3020
  [[ $answer == "0 missing" || $1 == idle* ]] || said+=", ${answer#failed: }"
  say "$1: $said"
}

trial() {
  life idle_cut
  life busy_cut
  life removed
}
