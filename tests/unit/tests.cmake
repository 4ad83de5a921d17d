# format/: the worked example of docs/ON_SSD_FORMAT.md, in a world of its own.
file(GLOB format_tests CONFIGURE_DEPENDS format/*.cc)
unit_test_program(flashcache_format_tests ${format_tests})
target_link_libraries(flashcache_format_tests PRIVATE flashcache_core GTest::gtest_main)
target_compile_definitions(flashcache_format_tests PRIVATE
    FORMAT_DOCUMENT="${CMAKE_SOURCE_DIR}/docs/ON_SSD_FORMAT.md")
