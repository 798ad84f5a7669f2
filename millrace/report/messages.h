// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "millrace/support/diagnostics.h"

namespace millrace::report::messages {

inline constexpr Message BadRecord{
    "report.bad_record", "this is not a {} record: {}",
    "Run the command that writes it again, or remove the file if it is not Millrace's."};
inline constexpr Message NotABuild{
    "report.not_a_build", "this is not a directory that `millrace compile` made: {} is missing",
    "Give the directory named with -o to `millrace compile MODEL -o DIR`."};

}  // namespace millrace::report::messages
