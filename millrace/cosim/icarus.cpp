// SPDX-License-Identifier: Apache-2.0
#include "millrace/cosim/icarus.h"

#include <fmt/format.h>

#include "millrace/cosim/tool.h"
#include "millrace/support/files.h"

namespace millrace::cosim {

namespace fs = std::filesystem;

Result<fs::path> build_with_icarus(const Design& design, const fs::path& work_dir) {
  MR_TRY(const fs::path harness, find_data_dir("cosim"));
  fs::path program = work_dir / "simulation.vvp";
  ToolCall call{"Icarus", "iverilog", {}, work_dir, work_dir / "build.log"};
  call.arguments = {"-g2012",
                    "-gsupported-assertions",
                    "-s",
                    "millrace_testbench",
                    "-DMILLRACE_TOP=" + design.top,
                    fmt::format("-DMILLRACE_INPUT_BITS={}", design.input.beat_bits()),
                    fmt::format("-DMILLRACE_OUTPUT_BITS={}", design.output.beat_bits()),
                    "-o",
                    program.string(),
                    (harness / "icarus_testbench.sv").string()};
  for (const fs::path& directory : design.include_dirs)
    call.arguments.push_back("-I" + fs::absolute(directory).string());
  for (const fs::path& source : design.sources)
    call.arguments.push_back(fs::absolute(source).string());
  MR_TRY_STATUS(run_tool(call));
  return program;
}

}  // namespace millrace::cosim
