#!/bin/bash
# log_writes_fs.sh KERNEL [FS...]: what host/log_writes.sh does for raw blocks, for ext4 and xfs on a write-back cache.
#
# A machine runs flashcache_power_cut_load on a file system on a cache whose devices' writes are logged.
# Here, the devices are built as they would be after each Nth flush or FUA write.  ext4: at once,
# through the core in user space: e2fsck replays the journal and then finds nothing, and each record
# that was acknowledged before is there.  Some of each go into a second machine, where the module
# loads the cache, the kernel mounts it, and the same is checked.
#   LOG_WRITES_EVERY=N     try each Nth boundary (default 300; 1: all)
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
programs=$(cd "$here/../../.." && pwd)/build/user/tests/vm
kernel=$1
shift
[ $# -gt 0 ] || set -- ext4 xfs
file_systems=("$@")
every=${LOG_WRITES_EVERY:-300}
pairs=4 # that a second machine mounts, at most, of each file system
ssd_mib=16
disk_mib=320
work=$(mktemp -d -t flashcache-log-writes-fs.XXXXXX)
trap 'rm -rf "$work"; exit 143' TERM INT HUP
cd "$work" || exit 1

fail() {
    echo "FAILED: $*; kept: $work"
    exit 1
}

# record FS: the load, in $FS.log and $FS.acked
record() {
    local sectors=$(((ssd_mib + disk_mib) * 2048))
    truncate -s 4G "$1.log"
    truncate -s $((ssd_mib + disk_mib))M data
    truncate -s 64M acked
    "$here/../run-vm" --kernel "$kernel" --timeout 900 --disk "$1.log" --disk data --disk acked --shell "set -e
        export DM_DISABLE_UDEV=1
        modprobe dm-log-writes
        modprobe $1
        dmsetup create logged --table '0 $sectors log-writes /dev/vdb /dev/vda'
        # One flush at a time, as for flashcache_log_writes_load.
        modprobe loop
        # By its path: busybox has one of its own, and its shell prefers that.
        both=\$(/usr/sbin/losetup --find --show --direct-io=on /dev/mapper/logged)
        dmsetup create ssd --table \"0 $((ssd_mib * 2048)) linear \$both 0\"
        dmsetup create disk --table \"0 $((disk_mib * 2048)) linear \$both $((ssd_mib * 2048))\"
        flashcache_create -p back fc /dev/mapper/ssd /dev/mapper/disk
        mkfs.$1 -q /dev/mapper/fc
        mount /dev/mapper/fc /mnt
        flashcache_power_cut_load write /mnt >> acked &
        for i in 0 1 2 3 4 5 6 7 8 9; do
            sleep 0.5
            # What stands before this line was durable before the mark.
            echo mark \$i >> acked
            dmsetup message logged 0 mark \$i
        done
        kill \$!
        wait || true
        dd if=acked of=/dev/vdc conv=sync bs=64k 2> /dev/null
        umount /mnt
        for control in /proc/sys/dev/flashcache/*/fast_remove; do echo 1 > \$control; done
        dmsetup remove fc" || fail "$1: the load"
    tr -d '\0' < acked > "$1.acked"
    rm data acked
}

# The command that flashcache_replay runs; its argument is the last mark.
cat > judge << 'JUDGE'
set -e
fs=$1 verify=$2 pairs=$3 mark=$4
grep -q "^mark $mark$" "$fs.acked"
sed "/^mark $mark$/,\$d" "$fs.acked" | grep -E '^acked [0-9]+ [0-9]+ [0-9]+$' > due || true
kept=$(ls | grep -c "^$fs-[0-9]*.ssd$") || true
if [ "$kept" -lt "$pairs" ] && [ $((RANDOM % 2)) = 0 ]; then
    cp --sparse=always ssd "$fs-$kept.ssd"
    cp --sparse=always disk "$fs-$kept.disk"
    cp due "$fs-$kept.due"
fi
[ "$fs" = ext4 ] || exit 0
e2fsck -y -E journal_only image > fsck.out 2>&1 || { cat fsck.out; exit 1; }
e2fsck -fn image > fsck.out 2>&1 || { cat fsck.out; exit 1; }
rm -rf tree
mkdir tree
debugfs -R 'rdump / tree' image > fsck.out 2>&1
"$verify" verify tree due > verify.out || { cat verify.out; exit 1; }
JUDGE

# mount_them FS: load, mount and check in a real kernel what judge has kept
mount_them() {
    local fs=$1 i=0 script options=()
    local letters=(a b c d e f g h i j k l m n o p)
    script="set -e
        export DM_DISABLE_UDEV=1
        modprobe $fs"
    for ((i = 0; i < pairs; i++)); do
        [ -e "$fs-$i.ssd" ] || break
        options+=(--disk "$fs-$i.ssd" --disk "$fs-$i.disk" --add "$work/$fs-$i.due")
        script+="
        dmsetup create disk --table '0 $((disk_mib * 2048)) linear /dev/vd${letters[2 * i + 1]} 0'
        flashcache_load /dev/vd${letters[2 * i]} fc
        mount /dev/mapper/fc /mnt
        flashcache_power_cut_load verify /mnt /root/$fs-$i.due
        umount /mnt
        $2 /dev/mapper/fc > fsck.out 2>&1 || { cat fsck.out; exit 1; }
        for control in /proc/sys/dev/flashcache/*/fast_remove; do echo 1 > \$control; done
        dmsetup remove fc
        dmsetup remove disk"
    done
    [ "$i" -gt 0 ] || fail "$fs: nothing was kept for the kernel"
    "$here/../run-vm" --kernel "$kernel" --timeout 900 "${options[@]}" --shell "$script" > out 2>&1 || {
        tail -n 50 out
        fail "$fs: the machine"
    }
    echo "$fs: the module loaded $i of them: $(grep -a '^verified' out | tr -d '\r' | paste -sd';')"
}

for fs in "${file_systems[@]}"; do
    record "$fs"
    RANDOM=1
    "$programs/replay/flashcache_replay" --gtest_brief=1 --every "$every" --parts 0 \
        --ssd ${ssd_mib}MiB --disk ${disk_mib}MiB \
        --check "bash judge $fs $programs/flashcache_power_cut_load $pairs" "$fs.log" || fail "$fs"
    rm -f "$fs.log"
    case $fs in
    ext4) mount_them ext4 'e2fsck -fn' ;;
    *) mount_them xfs 'xfs_repair -n' ;;
    esac
done
rm -rf "$work"
