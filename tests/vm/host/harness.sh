#!/bin/bash
# harness.sh KERNEL: run-vm says what happened in the machine, each way it can end.
set -uo pipefail

run_vm=$(dirname "$0")/../run-vm
kernel=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# expect STATUS TEXT OPTION...: the status of run-vm, and a line of its output
expect() {
    local status=$1 text=$2 got
    shift 2
    "$run_vm" --kernel "$kernel" --no-module "$@" > "$work/out" 2>&1
    got=$?
    if [ $got != "$status" ] || { [ -n "$text" ] && ! grep -qaF -- "$text" "$work/out"; }; then
        echo "FAILED: run-vm $*: status $got, expected $status and \"$text\":"
        tail -n 30 "$work/out"
        failures=$((failures + 1))
    fi
}

expect 3 "it's \$HOME" -- sh -c 'echo "$1"; exit 3' sh "it's \$HOME"
expect 126 "the kernel's log complains: " --shell 'echo "WARNING: a test" > /dev/kmsg'
expect 0 '' --allow 'WARNING: a test' --shell 'echo "WARNING: a test" > /dev/kmsg'
# The emulator's own fault is no verdict, if it does not last.
expect 126 'once more' --shell 'echo "int3: 0000 [#1]" > /dev/kmsg; echo "WARNING: a test" > /dev/kmsg'
mkdir "$work/bin"
cat > "$work/bin/qemu-system-x86_64" <<'SH'
#!/bin/sh
for word; do
    case $word in
    file:*) echo 'watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [swapper/0:1]' > "${word#file:}" ;;
    esac
done
exec sleep 60
SH
chmod +x "$work/bin/qemu-system-x86_64"
PATH=$work/bin:$PATH expect 126 'once more' --shell :
PATH=$work/bin:$PATH expect 126 'soft lockup' --shell :
expect 126 'Kernel panic' --shell 'echo c > /proc/sysrq-trigger; sleep 60'
expect 124 'no end after 10 s' --timeout 10 --shell 'sleep 1000'

# What was written and synced before the power is cut is there after it.
truncate -s 64M "$work/disk"
mkfs.ext4 -q "$work/disk"
expect 137 '' --disk "$work/disk" --cut-power 0.5 --cut-mark 'all synced' --shell '
    modprobe ext4; mount -t ext4 /dev/vda /mnt
    echo kept > /mnt/file; sync; echo all synced > /dev/kmsg; while :; do echo x >> /mnt/more; done'
expect 137 kept --disk "$work/disk" --shell '
    modprobe ext4; mount -t ext4 /dev/vda /mnt; cat /mnt/file
    sleep 1; echo b > /proc/sysrq-trigger; sleep 60'

# Whose a race is.
race() {
    echo '[1] INFO: task a is blocked on a mutex likely owned by task b.' # a complaint of its own
    printf '[1] BUG: KCSAN: data-race in a / b\n[1] \n[1] write to 0x1 of 8 bytes by %s on cpu 0:\n' "$1"
    shift
    printf '[1]  %s+0x1/0x2\n' "$@"
    printf '[1] \n[1] read to 0x1 of 8 bytes by task 2 on cpu 1:\n[1]  b+0x1/0x2\n[1] \n[1] Reported by Kernel Concurrency Sanitizer on:\n'
}
judge() {
    local expected=$1 got
    shift
    race "$@" > "$work/race"
    got=$("$(dirname "$run_vm")/log-complaints" "$work/race" | wc -l)
    if [ "$got" != "$expected" ]; then
        echo "FAILED: $got complaints about a race with the frames $*, expected $expected"
        failures=$((failures + 1))
    fi
}
judge 2 'task 1' 'fc_os_kick+0x1/0x2 [flashcache]'
judge 2 'task 1' a 'fc_os_kick+0x1/0x2 [flashcache]'
judge 1 'task 1' a submit_bio dm_io 'start_io+0x1/0x2 [flashcache]'
judge 1 'interrupt' hrtimer_wakeup asm_sysvec_apic_timer_interrupt 'fc_os_kick+0x1/0x2 [flashcache]'

exit "$((failures != 0))"
