// SPDX-License-Identifier: Apache-2.0
#include "millrace/cosim/icarus.h"

#include <fmt/format.h>

#include "millrace/cosim/tool.h"
#include "millrace/support/files.h"

namespace millrace::cosim {

namespace fs = std::filesystem;

namespace {

/// The macros that say what is at one side of the circuit, for icarus_testbench.sv.
std::string side_text(std::string_view side, std::string_view signals, char suffix,
                      const std::vector<Port>& ports) {
  int64_t lsb = 0;
  std::vector<std::string> connections, lsbs, widths;
  for (const Port& port : ports) {
    const int64_t bits = port.stream.beat_bits();
    connections.push_back(
        fmt::format(".{0}_valid_{1}({2}_valid[{3}]), "
                    ".{0}_data_{1}({2}_data[{4} +: {5}])",
                    port.prefix, suffix, signals, connections.size(), lsb, bits));
    // The first part of a concatenation is the highest.
    lsbs.insert(lsbs.begin(), fmt::format("32'd{}", lsb));
    widths.insert(widths.begin(), fmt::format("32'd{}", bits));
    lsb += bits;
  }
  return fmt::format(
      "`define MILLRACE_{0}_COUNT {1}\n`define MILLRACE_{0}_BITS {2}\n"
      "`define MILLRACE_{0}_LSBS {{{3}}}\n`define MILLRACE_{0}_WIDTHS {{{4}}}\n"
      "`define MILLRACE_{0}_PORTS {5}\n",
      side, ports.size(), lsb, fmt::join(lsbs, ", "), fmt::join(widths, ", "),
      fmt::join(connections, ", "));
}

std::string ports_text(const Design& design) {
  return side_text("INPUT", "in", 'i', design.inputs) +
         side_text("OUTPUT", "out", 'o', design.outputs);
}

}  // namespace

Result<fs::path> build_with_icarus(const Design& design, const fs::path& work_dir) {
  MR_TRY(const fs::path harness, find_data_dir("cosim"));
  MR_TRY_STATUS(write_file(work_dir / "icarus_ports.svh", ports_text(design)));
  fs::path program = work_dir / "simulation.vvp";
  ToolCall call{"Icarus", "iverilog", {}, work_dir, work_dir / "build.log"};
  call.arguments = {"-g2012",
                    "-gsupported-assertions",
                    "-s",
                    "millrace_testbench",
                    "-DMILLRACE_TOP=" + design.top,
                    "-I" + work_dir.string(),
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
