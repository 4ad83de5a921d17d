# The tests of the variants (tests/variant).  Each builds what it runs, or finds it
# built.  More of a simulator run goes into tests/sim/tests.cmake.
set(variant ${CMAKE_SOURCE_DIR}/tests/variant)

add_test(NAME clang.thread-safety COMMAND ${variant} clang)
set_tests_properties(clang.thread-safety PROPERTIES LABELS variant TIMEOUT 1800)

foreach(program flashcache_unit_tests flashcache_tool_tests flashcache_sim_tests)
    if(TARGET ${program})
        foreach(sanitizer asan tsan)
            set(options --gtest_brief=1)
            if(sanitizer STREQUAL tsan AND program STREQUAL flashcache_sim_tests)
                # It has one thread, and takes the more memory under this sanitizer.
                list(APPEND options --gtest_filter=-Explorer*)
            endif()
            add_test(NAME ${sanitizer}.${program} COMMAND ${variant} ${sanitizer} ${program} ${options})
            set_tests_properties(${sanitizer}.${program} PROPERTIES LABELS variant TIMEOUT 1800)
        endforeach()
    endif()
endforeach()

# What is kept is tried first; what is found goes to the build directory.
set(fuzz ${CMAKE_SOURCE_DIR}/tests/fuzz)
file(GLOB fuzzers CONFIGURE_DEPENDS ${fuzz}/*_fuzz.cc)
foreach(fuzzer IN LISTS fuzzers)
    get_filename_component(name ${fuzzer} NAME_WE)
    set(found ${CMAKE_BINARY_DIR}/fuzz/${name})
    set(kept)
    foreach(directory ${fuzz}/corpus/${name} ${fuzz}/regression/${name})
        if(EXISTS ${directory})
            list(APPEND kept ${directory})
        endif()
    endforeach()
    file(MAKE_DIRECTORY ${found})
    add_test(NAME fuzz.${name} COMMAND ${variant} fuzz ${name} -max_total_time=20 -seed=1 -verbosity=0
        -max_len=512 -artifact_prefix=${CMAKE_BINARY_DIR}/fuzz/${name}- ${found} ${kept})
    set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT 1800)
endforeach()
