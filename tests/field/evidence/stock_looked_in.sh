# Between a kill and the next opening with the plugin, stock opens the database without flushing what it recovers,
# writes nothing, and closes: a newer log that is empty. With one column family and with two.
# Source: reading the recovery rules: an empty newer log proves nothing
right="one_family: 0 missing, two: 0 missing"

trial() {
  local label family
  for label in one_family two; do
    family=
    [[ $label != two ]] || family=cf=other
    serve writer
    must writer open db "$place/$label" $family
    must writer put db 5000 ack="$place/ack"
    [[ -z $family ]] || must writer put db 100 cf=other
    slay writer
    serve visitor stock
    must visitor open db "$place/$label" noflush $family
    must visitor close db
    dismiss visitor
    look "$place/$label" ack="$place/ack" noflush $family
    say "$label: $answer"
  done
}
