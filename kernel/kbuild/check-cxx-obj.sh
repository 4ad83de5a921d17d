#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# check-cxx-obj.sh [-c] OBJECT
# Fail if a C++ object needs what the kernel does not give: static constructors,
# exceptions, thread-local storage, a C++ or compiler runtime, floating point.
# (A module with a static constructor loads, and the constructor is never run.)
# -c: CONFIG_CONSTRUCTORS; the constructors that KASAN and gcov add to each object
# (_sub_I_65535_1) are run then, and are no reason to complain.
NM=${NM:-nm}
OBJDUMP=${OBJDUMP:-objdump}
ctors=0
[ "$1" = -c ] && { ctors=1; shift; }
o=$1
bad=0

complain() {
	echo "$o: error: $1" >&2
	shift
	printf '%s\n' "$@" | sed -e '/^$/d' -e 's/^/\t/' >&2
	bad=1
}

sec=$($OBJDUMP -h -w "$o" | awk '$1 ~ /^[0-9]+$/ { print $2 }')

hit=$($NM -C "$o" | grep -E '_GLOBAL__(sub_)?[ID]|__static_initialization' | cut -c20-120)
[ $ctors = 1 ] || hit="$hit
$(echo "$sec" | grep -E '^\.(preinit_array|init_array|fini_array|ctors|dtors|init|fini)(\.|$)')"
[ -z "$(echo $hit)" ] || complain "static constructor or destructor (the kernel runs none): make the object constinit" "$hit"

hit=$(echo "$sec" | grep -E '^\.(gcc_except_table|eh_frame)(\.|$)')
[ -z "$hit" ] || complain "exception or unwind tables" "$hit"

hit=$(echo "$sec" | grep -E '^\.(tdata|tbss)(\.|$)')
[ -z "$hit" ] || complain "thread-local storage" "$hit"

# weak ones too: __cxa_pure_virtual is weak, and modpost lets it pass
hit=$($NM -u "$o" | awk '{ print $2 }' | grep -E \
	'^(_Zn[wa]|_Zd[la]|_ZN?K?St|_ZT[VISv]|__cxa_|__gxx_|__tsan_vptr|__dso_handle$|_Unwind_|__dynamic_cast$|__emutls|__tls_get_addr$|__atomic_|__sync_|__(popcount|parity|clz|ctz|ffs|bswap|u?divmod|u?div|u?mod|mul)[sdt]i[0-9]$|atexit$|abort$|__[a-z]+([sdxt]f|ti)[a-z0-9]*[0-9]?$)')
[ -z "$hit" ] || complain "needs a C++ or compiler runtime function" "$(echo "$hit" | c++filt 2>/dev/null || echo "$hit")"

hit=$($OBJDUMP -d --no-show-raw-insn "$o" 2>/dev/null | grep -m3 -E \
	'%[xyz]mm[0-9]|%mm[0-7]|%st([^a-z]|$)|^[[:space:]]*[0-9a-f]+:[[:space:]]+f(ld|st|ild|ist|add|sub|mul|div|xch|com|ucom|chs|abs|nstcw|ldcw)[a-z0-9]*([[:space:]]|$)')
[ -z "$hit" ] || complain "floating-point or vector instructions" "$hit"

exit $bad
