# SPDX-License-Identifier: Apache-2.0
# Compiler settings that every target shares.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

option(MILLRACE_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()

if(MILLRACE_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

set(MILLRACE_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
                      -Wnon-virtual-dtor -Woverloaded-virtual)
# A user's compiler may warn of what ours does not: only developers' builds stop at it.
list(APPEND MILLRACE_WARNINGS $<$<NOT:$<CONFIG:Release>>:-Werror>)
# g++ 12 sees overlaps and unset bytes in the code of std::string and std::optional at -O3 that are not
# there (GCC bugs 105651 and 105562).
list(APPEND MILLRACE_WARNINGS $<$<CONFIG:Release>:-Wno-restrict>
            $<$<CONFIG:Release>:-Wno-maybe-uninitialized>)
