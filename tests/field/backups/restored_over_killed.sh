# A database is killed, and a backup of it is restored over it, by stock, by the service itself, or by hand; what the
# plugin keeps beside the logs stays. The next process finds the backup's rows and no later ones.
# Source: reading the recovery rules: the restored log has the killed one's name and is the beginning of it
right="stock: 0 missing, 600 missing of 600, first 1000, service: 0 missing, 600 missing of 600, first 1000, hand: 0 missing, 600 missing of 600, first 1000"

restored_by() { # WHO [stock]
  local who=$1
  serve writer
  must writer open db "$place/$who"
  must writer put db 1000 bytes=200
  must writer backup db "$place/backup_$who"
  must writer put db 500 from=1000 bytes=200
  must writer sleep 2000  # its rows are in the log, and the log is longer than the backup's
  must writer put db 100 from=1500 bytes=200
  slay writer
  if [[ $who == hand ]]; then
    serve keeper
    must keeper restore "$place/backup_$who" "$place/$who.restored"
    slay keeper
    rm "$place/$who"/*
    cp "$place/$who.restored"/* "$place/$who"
  else
    serve keeper ${2:-}
    must keeper restore "$place/backup_$who" "$place/$who"
    slay keeper
  fi
  look "$place/$who" 1000 -- bytes=200
  say "$who: $answer"
  look "$place/$who" 600 -- from=1000 bytes=200
  say "$answer"
}

trial() {
  restored_by stock stock
  restored_by service
  restored_by hand
}
