// SPDX-License-Identifier: Apache-2.0
// Proofs by Yosys' SAT solver about modules of the hardware library.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>

#include "millrace/support/subprocess.h"

namespace millrace::testing {

/// A text of a module, and another in its place that a test must notice.
struct Mutation {
  const char* name;
  const char* text;
  const char* other;

  /// The mutated source. Errors   InternalError: the text is not there.
  std::string apply(std::string source) const;
};

/// The source of a module of rtl/: "mr_add3.sv".
std::string library_source(std::string_view file);

/// Yosys' models of these cells as logic, without their timing, which it does not read.
std::string cell_models(std::initializer_list<std::string_view> cells);

/// Writes the files, by name, and the script "prove.ys" to `folder` and runs Yosys there, with
/// rtl/ beside them for `-Irtl`. A proof that fails ends with an exit code that is not 0 and
/// "proof did fail" in the output.
ProcessResult run_yosys(const std::string& script, const std::map<std::string, std::string>& files,
                        const std::filesystem::path& folder);

}  // namespace millrace::testing
