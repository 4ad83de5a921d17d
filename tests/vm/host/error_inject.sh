#!/bin/bash
# error_inject.sh KERNEL: a module built with DEBUG=1, and the tests that need one.
set -euo pipefail
source "$(dirname "$0")/../lib.sh"

resolve_kernel "$1"
make -s -C "$top" module DEBUG=1 KVER="$release" KDIR="/lib/modules/$release/build" > /dev/null
exec "$top/tests/vm/run-vm" --kernel "$1" --no-module \
    --add "$build/module-$release-debug/flashcache.ko" --shell '
    modprobe -qa libcrc32c
    insmod /root/flashcache.ko &&
    flashcache_vm_tests --gtest_color=no "--gtest_filter=ErrorInject.*" | tee /root/log
    grep -q "PASSED" /root/log && ! grep -q "FAILED\|SKIPPED" /root/log'
