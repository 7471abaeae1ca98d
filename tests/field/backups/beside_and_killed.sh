# Backups of a live database: one that is killed in the middle, then one that ends, beside puts; the next process sees
# nothing to warn of, and the backup restores to what was there.
# Source: reading the succession of logs: numbers in a backup's directory say nothing of it
right="backed up, restored: 0 missing, database: 0 missing, 0 lines said"
options=idle_flush_ms=60000

trial() {
  serve host
  must host open db "$place/db" buffer=1 buffers=8
  must host put db 20000 bytes=200
  send host backup db "$place/backup"
  sleep 0.15
  slay host
  serve host
  must host open db "$place/db" buffer=1 buffers=8
  must host put db 5000 from=20000
  tell host backup db "$place/backup"
  say "$answer"
  must host put db 100 from=25000
  must host close db
  tell host restore "$place/backup" "$place/restored"
  slay host
  look "$place/restored" 25000
  say "restored: $answer"
  look "$place/db" 25100
  say "database: $answer"
  say "$(wc -l <"$place/errors") lines said"
}
