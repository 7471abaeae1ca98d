# A project quota on XFS is used up while the disk has room; it is raised and the application calls Resume().
# Source: quotas of containers; xfs_quota(8)
requires root mounts mkfs.xfs xfs_quota
right="refused, goes on, 0 missing"

quota() { xfs_quota -x -c "limit -p bhard=$1 7" "$place/disk" || skip "no quotas on XFS"; }

trial() {
  image disk 512M mkfs.xfs -q
  mount -o loop,prjquota "$place/disk.img" "$place/disk" 2>/dev/null || skip "no quotas on XFS"
  on_exit+=("detach disk")
  mkdir "$place/disk/project"
  xfs_quota -x -c "project -s -p $place/disk/project 7" "$place/disk" >/dev/null 2>&1 || skip "no quotas on XFS"
  quota 30m
  serve host
  must host open db "$place/disk/project/db" buffer=16
  tell host fill db sync bytes=4096 ack="$place/ack"
  case $answer in
    *NoSpace* | *quota*) say refused ;;
    *) say "$answer" ;;
  esac
  quota 300m
  tell host resume db
  say "$answer"
  slay host
  look "$place/disk/project/db" ack="$place/ack" buffer=16
  say "$answer"
  detach disk
}
