# Sourced by what works on devices of this machine: checks, and the question.  The caller has fail().

# mebibytes DEVICE
mebibytes() {
    echo $(($(blockdev --getsize64 "$1") >> 20))
}
# With its partitions, and what is mapped to it.
require_unmounted() {
    [ -b "$1" ] || fail "$1 is no block device"
    local where
    where=$(lsblk -nro MOUNTPOINTS "$1" | grep -m1 .) || return 0
    fail "$1 is in use: $where"
}
# Device-mapper takes only what nobody uses: no mount, swap, RAID or mapping.
require_unused() {
    local error
    error=$(dmsetup create flashcache-check \
        --table "0 $(blockdev --getsz "$1") linear $1 0" 2>&1) ||
        fail "$1 is in use (lsblk $1 shows by whom): $error"
    dmsetup remove --retry flashcache-check
}
# require_pair SSD DISK
require_pair() {
    [ "$(id -u)" = 0 ] || fail "only root can do that"
    require_unmounted "$1"
    require_unmounted "$2"
    modprobe dm_mod || fail "this machine has no device-mapper"
    require_unused "$1"
    require_unused "$2"
    [ "$(readlink -f "$1")" != "$(readlink -f "$2")" ] || fail "$1 and $2 are one device"
}
# ask_to_overwrite YES SSD DISK: YES is not empty when the answer is known
ask_to_overwrite() {
    local answer
    lsblk -o NAME,SIZE,TYPE,MODEL,FSTYPE,LABEL,MOUNTPOINTS "$2" "$3" | sed 's/^/  /'
    [ -z "$1" ] || return 0
    [ -t 0 ] || fail "nobody to ask here: YES=1 says yes"
    read -r -p "Overwrite $2 and $3? (y/n) " answer
    [ "$answer" = y ] || fail "nothing was done"
}
# load_module TOP: sets loaded if it was not there before
load_module() {
    [ ! -e /sys/module/flashcache ] || return 0
    local module
    module=$1/build/module-$(uname -r)/flashcache.ko
    [ -e "$module" ] || fail "no $module: make module KVER=$(uname -r)"
    modprobe -qa libcrc32c crc32c_intel || true
    insmod "$module"
    loaded=1
}
