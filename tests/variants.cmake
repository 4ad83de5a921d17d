# The tests of the variants (tests/variant).  Each builds what it runs, or finds it
# built.  More of a simulator run goes into tests/sim/tests.cmake.
set(variant ${CMAKE_SOURCE_DIR}/tests/variant)

add_test(NAME clang.thread-safety COMMAND ${variant} clang)
set_tests_properties(clang.thread-safety PROPERTIES LABELS variant TIMEOUT 1800)

foreach(program flashcache_unit_tests flashcache_tool_tests flashcache_sim_tests)
    if(TARGET ${program})
        foreach(sanitizer asan tsan)
            add_test(NAME ${sanitizer}.${program} COMMAND ${variant} ${sanitizer} ${program} --gtest_brief=1)
            set_tests_properties(${sanitizer}.${program} PROPERTIES LABELS variant TIMEOUT 1800)
        endforeach()
    endif()
endforeach()

file(GLOB fuzzers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/fuzz/*_fuzz.cc)
foreach(fuzzer IN LISTS fuzzers)
    get_filename_component(name ${fuzzer} NAME_WE)
    add_test(NAME fuzz.${name} COMMAND ${variant} fuzz ${name} -max_total_time=20 -seed=1 -verbosity=0)
    set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT 1800)
endforeach()
