# Between a kill and the next opening with the plugin, stock opens the database without flushing what it recovers,
# writes nothing, and closes: a newer log that is empty. What stock could see is there; what was only in a ring comes
# back, because nothing was written over it.
# Source: reading the recovery rules: an empty newer log proves nothing
right="0 missing"

trial() {
  serve writer
  must writer open db "$place/db"
  must writer put db 5000
  must writer sleep 2000
  must writer put db 500 from=5000 ack="$place/ack"
  slay writer
  serve visitor stock
  must visitor open db "$place/db" noflush
  must visitor close db
  dismiss visitor
  look "$place/db" 5500 noflush
  say "$answer"
}
