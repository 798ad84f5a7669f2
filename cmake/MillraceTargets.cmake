# SPDX-License-Identifier: Apache-2.0

# millrace_library(NAME SOURCES a.cpp ... DEPS millrace_graph ... TESTS a_test.cpp ...)
# One stage: a static library and, beside it, one unit-test program with the stage's tests.
function(millrace_library NAME)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;TESTS;TEST_DEPS" ${ARGN})
  add_library(${NAME} STATIC ${ARG_SOURCES})
  target_include_directories(${NAME} PUBLIC ${CMAKE_SOURCE_DIR})
  target_compile_options(${NAME} PRIVATE ${MILLRACE_WARNINGS})
  target_link_libraries(${NAME} PUBLIC ${ARG_DEPS})
  if(MILLRACE_TESTS AND ARG_TESTS)
    millrace_test(${NAME}_test SOURCES ${ARG_TESTS} DEPS ${NAME} ${ARG_TEST_DEPS})
  endif()
endfunction()

# millrace_test(NAME SOURCES ... DEPS ... [LABELS ...] [TIMEOUT seconds] [NIGHTLY filter])
# A GoogleTest program; every test case becomes one CTest test. Cases that match the filter run
# in the nightly preset only.
function(millrace_test NAME)
  cmake_parse_arguments(ARG "" "TIMEOUT;NIGHTLY" "SOURCES;DEPS;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  add_executable(${NAME} ${ARG_SOURCES})
  target_compile_options(${NAME} PRIVATE ${MILLRACE_WARNINGS})
  target_compile_definitions(${NAME} PRIVATE MILLRACE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  target_link_libraries(${NAME} PRIVATE ${ARG_DEPS} GTest::gmock GTest::gtest_main)
  include(GoogleTest)
  set(filter "*")
  if(ARG_NIGHTLY)
    set(filter "-${ARG_NIGHTLY}")
    gtest_discover_tests(${NAME} DISCOVERY_MODE PRE_TEST TEST_FILTER "${ARG_NIGHTLY}"
      PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS nightly)
  endif()
  gtest_discover_tests(${NAME} DISCOVERY_MODE PRE_TEST TEST_FILTER "${filter}"
    PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}")
endfunction()
