// SPDX-License-Identifier: Apache-2.0
#include "millrace/synth/yosys_script.h"

#include <array>
#include <fmt/format.h>

namespace millrace::synth {
namespace {

constexpr std::string_view StepMark = "millrace step ";

/// What happens, in order. The labels are those of `help synth_xilinx` in Yosys 0.23; fractions
/// are those of the letter network with 28 lanes.
enum StepIndex { Read, Prepare, Coarse, Memory, Fine, Cells, Luts, Finish };
constexpr std::array Steps{
    Step{"read", 0.0},         Step{"prepare", 0.01},        Step{"arithmetic", 0.11},
    Step{"map memories", 0.2}, Step{"map arithmetic", 0.26}, Step{"map registers", 0.66},
    Step{"map to LUTs", 0.69}, Step{"count", 0.93},
};

/// A file name in a Yosys command; quotes let it have spaces.
std::string quoted(const std::string& word) {
  return '"' + word + '"';
}

std::string announce(StepIndex step) {
  return fmt::format("log -stderr -nolog {}{}\n", StepMark, static_cast<int>(step));
}

std::string read_commands(const SynthesisRequest& request) {
  std::string text = "read_verilog -sv";
  for (size_t i = 0; i < request.include_dirs.size(); ++i)
    text += " -I" + include_link(i);
  for (const auto& source : request.sources)
    text += " " + quoted(std::filesystem::absolute(source).string());
  return text + '\n';
}

}  // namespace

std::string include_link(size_t index) {
  return fmt::format("include_{}", index);
}

std::string make_script(const SynthesisRequest& request, ShiftRegisterEnables enables) {
  // Buffers of pins and clock belong to the board's top level, not to this circuit.
  const auto run = [&](std::string_view labels) {
    return fmt::format("synth_xilinx -family {} -flatten -noiopad -noclkbuf -top {} -run {}\n",
                       request.part.family, request.top, labels);
  };
  std::string text = announce(Read) + read_commands(request) + run("begin:prepare") +
                     announce(Prepare) + run("prepare:coarse") + announce(Coarse) +
                     run("coarse:map_memory") + announce(Memory) + run("map_memory:fine") +
                     announce(Fine) + run("fine:map_cells") + announce(Cells) +
                     run("map_cells:map_luts") + announce(Luts);
  // The label map_luts, command by command, to reach between two of them. `xilinx_srl -fixed`
  // forgets that the chains it replaces have enables: ENPOL stays 2, "none", which ties SRL16E's
  // and SRLC32E's CE to 1 (YosysHQ/yosys issue 6058). The enable itself is connected, as the
  // constant 1 where a chain has none, so that 1, "active high", is right for all of them.
  text +=
      "opt_expr -mux_undef -noclkinv\n"
      "abc -luts 2:2,3,6:5,10,20\n"
      "clean\n"
      "techmap -map +/xilinx/ff_map.v\n"
      "xilinx_srl -fixed -minlen 3\n";
  if (enables == ShiftRegisterEnables::Repaired)
    text += "setparam -set ENPOL 1 t:$__XILINX_SHREG_\n";
  text +=
      "techmap -map +/xilinx/lut_map.v -map +/xilinx/cells_map.v -D LUT_WIDTH=6\n"
      "xilinx_dffopt\n"
      "opt_lut_ins -tech xilinx\n";
  text += announce(Finish) + run("finalize:edif");
  text += fmt::format("tee -q -o {} stat -json\n", ReportName);
  // Single wires, so that no simulator sees a loop where a carry chain runs through a vector.
  if (!request.netlist.empty())
    text += fmt::format("splitnets\nwrite_verilog -noattr {}\n",
                        quoted(std::filesystem::absolute(request.netlist).string()));
  return text;
}

std::optional<Step> parse_step(std::string_view line) {
  if (!line.starts_with(StepMark) || line.size() != StepMark.size() + 1)
    return std::nullopt;
  const auto index = static_cast<size_t>(line.back() - '0');
  return index < Steps.size() ? std::optional(Steps[index]) : std::nullopt;
}

std::vector<std::string> yosys_options() {
  return {"-Q", "-T", "-q",
          // Short delay lines written as arrays are registers by intent.
          "-w", "Replacing memory .* with list of registers",
          // Yosys' own map of block RAM gives an address one bit more than the cell has.
          "-w", "Resizing cell port .*[.]ADDR(ARD|BWR)ADDR from 16 bits to 15 bits",
          // All other warnings.
          "-e", "."};
}

}  // namespace millrace::synth
