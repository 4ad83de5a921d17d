# SPDX-License-Identifier: GPL-2.0-only
#
# cxx.mk - a freestanding C++ object in an external kernel module.
#
# Include it from a Kbuild file:
#
#	obj-m      := foo.o
#	foo-y      := glue/foo_main.o core/foo_core.o	# foo_core.o <- core/foo_core.cc
#	cxxflags-y := -I$(src)/abi -I$(src)/core
#	include $(src)/kbuild/cxx.mk
#
# One C++ object per module: foo_core.cc includes the other .cc files.  (A
# template or inline function that is emitted by two objects makes COMDAT
# duplicates, which "ld -r" refuses: __mcount_loc and objtool's tables refer to
# the copy that is thrown away.)
#
# Every code-generation flag (-m*, -f*, -O*, -pg, sanitizers, ...) is the one
# that the kernel's build system gives to a C object of the same module, so it
# fits the configuration of the kernel that is built for.  Taken out: what is
# for C only.  Added: what makes C++ a language without a runtime.
#
# Knobs:
#	KCXX=...               the compiler (default: the sibling of $(CC))
#	CXX_DEBUG=1            keep debug info although the kernel has BTF; give
#	                       PAHOLE=true with it
#	CXX_WERROR=1           warnings are errors
#	CXX_STACK_USAGE=1      write <object>.su
#	CXX_FRAME_WARN=N       limit of a stack frame, bytes (default 512)
#	CXXFLAGS_core/foo.o, CXXFLAGS_REMOVE_core/foo.o     per object
#	KASAN_SANITIZE_*, KCSAN_SANITIZE_*, UBSAN_SANITIZE_*, GCOV_PROFILE_*,
#	OBJECT_FILES_NON_STANDARD_*                         as for C

# gcc-12 -> g++-12, x86_64-linux-gnu-gcc-12 -> x86_64-linux-gnu-g++-12,
# clang-14 -> clang++-14, ccache gcc -> ccache g++, cc -> c++
cxx-word = $(patsubst ./%,%,$(dir $(1)))$(patsubst cc,c++,$(subst gcc,g++,$(subst clang,clang++,$(notdir $(1)))))
ifeq ($(origin KCXX),undefined)
KCXX := $(foreach w,$(CC),$(if $(filter ccache distcc,$(notdir $(w))),$(w),$(call cxx-word,$(w))))
endif

# ---- taken out -------------------------------------------------------------
# -std=gnu11: C.  -W*: most of the kernel's are for C, and none changes the code
# (-Wa, and -Wp, do; they are put back).  -fplugin*: plugins for the C front end.
# LTO: a C++ object is always native code.  -I*: ccflags-y's, so that the core
# cannot include a header of the glue.
cxx-drop := -std=% -W% -I% -fplugin=% -fplugin-arg-% $(CC_FLAGS_LTO)
# clang refuses libstdc++'s <limits> without the x87 ("requires long double");
# the check of the object finds an x87 instruction.
cxx-drop += $(if $(CONFIG_CC_IS_CLANG),-mno-80387 -mno-x87 -mno-fp-ret-in-387)
# pahole fails on, or makes invalid BTF from, C++ debug info.
cxx-nodebug := $(if $(CONFIG_DEBUG_INFO_BTF_MODULES),$(if $(filter 1 y,$(CXX_DEBUG)),,-g0))

# ---- added -----------------------------------------------------------------
# Not added on purpose: -fno-threadsafe-statics and -fno-use-cxa-atexit.
# Without them a static object that needs code at run time refers to
# __cxa_guard_acquire or __cxa_atexit, and the build fails, as it should.
cxx-lang := -std=gnu++20 -ffreestanding -fno-exceptions -fno-rtti
# Everything but the functions marked externally_visible becomes local: no
# COMDAT or weak symbols, one .text, unused code goes away.  No cold parts:
# objtool up to 6.1 refuses one of a function whose name is over 128 characters.
cxx-lang += $(if $(CONFIG_CC_IS_CLANG),-fvisibility=hidden,-fwhole-program -fno-reorder-blocks-and-partition)

cxx-warn := -Wall -Wextra -Wundef -Wvla -Walloca -Wnon-virtual-dtor -Wimplicit-fallthrough
cxx-warn += -Werror=return-type -Werror=date-time
# (sanitizers blow frames up: the kernel's own limit then)
cxx-warn += -Wframe-larger-than=$(or $(CXX_FRAME_WARN),$(if $(CONFIG_KASAN)$(CONFIG_KCSAN)$(CONFIG_KMSAN)$(CONFIG_UBSAN)$(CONFIG_GCOV_KERNEL),$(CONFIG_FRAME_WARN),512))
cxx-warn += $(if $(filter 1 y,$(CXX_WERROR)),-Werror)
cxx-misc := $(if $(filter 1 y,$(CXX_STACK_USAGE)),-fstack-usage)

_cxx_kernel = $(or $(_c_flags),$(error cxx.mk: this Kbuild has no _c_flags)) $(modkern_cflags)
_cxx_flags  = $(filter-out $(cxx-drop),$(_cxx_kernel)) \
	      $(filter -Wa$(comma)% -Wp$(comma)%,$(_cxx_kernel)) \
	      $(cxx-nodebug) $(cxx-lang) $(cxx-warn) $(cxx-misc) $(cxxflags-y)
cxx_flags   = -Wp,-MMD,$(depfile) \
	      $(filter-out $(CXXFLAGS_REMOVE_$(target-stem).o),$(_cxx_flags)) \
	      $(CXXFLAGS_$(target-stem).o)

# ---- rules -----------------------------------------------------------------
# As Kbuild's cc_o_c.  cmd_objtool is empty where objtool runs on the linked
# module (CONFIG_X86_KERNEL_IBT).  The source is $(obj)/%.cc, not $(src)/%.cc: up
# to 6.12 the two are the same directory with M=, from 6.13 on make finds it by
# VPATH (with MO=, a pattern with an absolute $(src) would match no file in a
# subdirectory).
quiet_cmd_cxx_o_cc = CXX $(quiet_modtag) $@
      cmd_cxx_o_cc = $(KCXX) $(cxx_flags) -c -o $@ $< $(cmd_objtool)

      cmd_cxx_check = NM="$(NM)" OBJDUMP="$(OBJDUMP)" \
		$(CONFIG_SHELL) $(src)/kernel/kbuild/check-cxx-obj.sh $(if $(CONFIG_CONSTRUCTORS),-c) $@

define rule_cxx_o_cc
	$(call cmd_and_fixdep,cxx_o_cc)
	$(call cmd,cxx_check)
	$(call cmd,gen_objtooldep)
	$(call cmd,record_mcount)
endef

$(obj)/%.o: $(obj)/%.cc $(src)/kernel/kbuild/check-cxx-obj.sh FORCE
	$(call if_changed_rule,cxx_o_cc)

quiet_cmd_cxx_s_cc = CXX $(quiet_modtag) $@
      cmd_cxx_s_cc = $(KCXX) $(filter-out $(DEBUG_CFLAGS),$(cxx_flags)) -g0 -fverbose-asm -S -o $@ $<

$(obj)/%.s: $(obj)/%.cc FORCE
	$(call if_changed_dep,cxx_s_cc)

quiet_cmd_cxx_i_cc = CPP $(quiet_modtag) $@
      cmd_cxx_i_cc = $(KCXX) $(cxx_flags) -E -o $@ $<

$(obj)/%.i: $(obj)/%.cc FORCE
	$(call if_changed_dep,cxx_i_cc)
