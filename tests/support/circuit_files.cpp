// SPDX-License-Identifier: Apache-2.0
#include "tests/support/circuit_files.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "millrace/support/check.h"
#include "millrace/support/files.h"
#include "millrace/verilog/emit.h"

namespace millrace::testing {

namespace fs = std::filesystem;

ScratchDirectory::ScratchDirectory(const std::string& name)
    : path_(fs::path(::testing::TempDir()) /
            ("millrace_" + name + "_" + std::to_string(::getpid()))) {
  fs::remove_all(path_);
  fs::create_directories(path_);
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;
  if (!::testing::Test::HasFailure())
    fs::remove_all(path_, ignored);
}

cosim::Design write_circuit(const dataflow::Circuit& circuit, const dataflow::Schedule& schedule,
                            const fs::path& folder) {
  cosim::Design design;
  design.top = circuit.name;
  for (const dataflow::Port& port : circuit.inputs)
    design.inputs.push_back({verilog::input_prefix(circuit, port), port.type});
  for (const dataflow::Port& port : circuit.outputs)
    design.outputs.push_back({verilog::output_prefix(circuit, port), port.type});
  design.interval_cycles = schedule.interval_cycles;
  const fs::path library = fs::path(MILLRACE_SOURCE_DIR) / "rtl";
  for (const std::string& file : verilog::library_files())
    design.sources.push_back(library / file);
  design.include_dirs.push_back(library);
  for (const verilog::SourceFile& file : verilog::emit(circuit, schedule)) {
    const fs::path path = folder / file.name;
    const Status written = write_file(path, file.text);
    check(written.has_value(), "a test's file cannot be written");
    design.sources.push_back(path);
  }
  return design;
}

}  // namespace millrace::testing
