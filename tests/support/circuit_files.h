// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "millrace/cosim/simulate.h"
#include "millrace/dataflow/schedule.h"

namespace millrace::testing {

/// A directory under the test's temporary folder, removed at the end unless the test fails.
class ScratchDirectory {
public:
  explicit ScratchDirectory(const std::string& name);
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory();

  const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
};

/// Writes a circuit's SystemVerilog to `folder` and describes it for the simulators.
cosim::Design write_circuit(const dataflow::Circuit& circuit, const dataflow::Schedule& schedule,
                            const std::filesystem::path& folder);

}  // namespace millrace::testing
