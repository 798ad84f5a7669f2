// SPDX-License-Identifier: Apache-2.0
// rtl/mr_requantize.sv against millrace::requantize(): thousands of parameter sets side by side in
// one module, all fed the same numbers.
#include "millrace/fixed/requantize.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <iterator>
#include <numeric>
#include <random>

#include "tests/support/circuit_files.h"

#include "millrace/cosim/beat.h"
#include "millrace/cosim/simulate.h"
#include "millrace/support/check.h"
#include "millrace/support/files.h"
#include "millrace/synth/synthesize.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

constexpr int WordBits = 64;

/// One instance of mr_requantize. It reads the low bits of the input.
struct ParameterSet {
  FixedType in;
  int shift = 0;
  Quantizer out;

  std::string to_string() const {
    return fmt::format("{} bits {}, shift {}, to {} bits {}, {} {}", in.width,
                       in.is_signed ? "signed" : "unsigned", shift, out.type.width,
                       out.type.is_signed ? "signed" : "unsigned",
                       millrace::to_string(out.rounding), millrace::to_string(out.overflow));
  }
  /// What the golden model says, as the bits of the result.
  uint64_t expected(uint64_t input) const {
    const int unused = WordBits - in.width;
    const Int128 raw = in.is_signed ? Int128{static_cast<int64_t>(input << unused) >> unused}
                                    : Int128{input << unused >> unused};
    const Int128 result = requantize(raw, shift + out.type.frac_bits, out);
    return static_cast<uint64_t>(result) << (WordBits - out.type.width) >>
           (WordBits - out.type.width);
  }
};

using ParameterSets = std::vector<ParameterSet>;

/// All signs for these widths and shifts; all modes, or one after the other.
void add_sets(ParameterSets& sets, int in_width, int out_width, const std::vector<int>& shifts,
              bool all_modes) {
  for (const int shift : shifts)
    for (const bool in_signed : {false, true})
      for (const bool out_signed : {false, true}) {
        const size_t num_modes = AllRoundings.size() * AllOverflows.size();
        const size_t first = all_modes ? 0 : sets.size() % num_modes;
        for (size_t mode = first; mode < (all_modes ? num_modes : first + 1); ++mode)
          sets.push_back({{in_signed, in_width, 0},
                          shift,
                          {{out_signed, out_width, 0},
                           AllRoundings[mode % AllRoundings.size()],
                           AllOverflows[mode / AllRoundings.size()]}});
      }
}

/// Every mode and shift on small widths; a selection on other widths, up to the widest.
ParameterSets make_parameter_sets() {
  ParameterSets sets;
  add_sets(sets, 4, 3, {-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6}, true);
  for (const int in_width : {1, 2, 5, 6})
    for (const int out_width : {1, 2, 5})
      add_sets(sets, in_width, out_width, {-2, 0, 1, 2, 3, 7}, false);
  for (const int in_width : {64, 40})
    for (const int out_width : {64, 33, 9})
      add_sets(sets, in_width, out_width, {-1000, -65, -24, 0, 1, 31, 39, 63, 64, 65, 1000}, false);
  return sets;
}

/// Every number of 6 bits, then extreme, half-way and random ones of 64 bits.
std::vector<uint64_t> make_inputs() {
  std::vector<uint64_t> inputs;
  for (uint64_t code = 0; code < 64; ++code)
    inputs.push_back(code);
  for (int bit = 6; bit < WordBits; ++bit)
    for (const uint64_t around : {-1, 0, 1})
      for (const uint64_t above : {uint64_t{0}, ~uint64_t{0} << bit})
        inputs.push_back((above ^ uint64_t{1} << bit) + around);
  std::mt19937_64 random(1);
  for (int i = 0; i < 200; ++i) {
    const uint64_t low_zeros = random() % WordBits;
    inputs.push_back(random() >> random() % WordBits << low_zeros);
  }
  return inputs;
}

int64_t count_bits(const ParameterSets& sets) {
  int64_t num_bits = 0;
  for (const ParameterSet& set : sets)
    num_bits += set.out.type.width;
  return num_bits;
}

/// Calls `line(i)` for the numbers below `count` and joins the texts.
template <class Line>
std::string join_lines(int64_t count, const char* separator, Line line) {
  std::string text;
  for (int64_t i = 0; i < count; ++i)
    text += (i == 0 ? "" : separator) + line(i);
  return text;
}

/// The module that holds the sets, with a port for each bit of each result: in a netlist the bits
/// of a vector may be made from one another, which Verilator takes for a loop.
std::string make_core(const ParameterSets& sets) {
  std::string text = fmt::format(
      "`default_nettype none\nmodule requantize_core (\n  input wire [63:0] in_data_i,\n{});\n",
      join_lines(count_bits(sets), ",\n",
                 [](int64_t bit) { return fmt::format("  output logic bit_{}", bit); }));
  int64_t lsb = 0;
  for (const ParameterSet& set : sets) {
    const int width = set.out.type.width;
    fmt::format_to(std::back_inserter(text),
                   "  mr_requantize #(.InWidth({}), .InSigned({:d}), .Shift({}), .OutWidth({}), "
                   ".OutSigned({:d}), .Rounding({}), .Overflow({}))\n"
                   "    u_{} (.in_data_i(in_data_i[{}:0]), .out_data_o({{{}}}));\n",
                   set.in.width, set.in.is_signed, set.shift, width, set.out.type.is_signed,
                   static_cast<int>(set.out.rounding), static_cast<int>(set.out.overflow), lsb,
                   set.in.width - 1, join_lines(width, ", ", [&](int64_t bit) {
                     return fmt::format("bit_{}", lsb + width - 1 - bit);
                   }));
    lsb += width;
  }
  return text + "endmodule\n`default_nettype wire\n";
}

/// The module that cosim/ drives: the results stand one after the other.
std::string make_top(int64_t num_bits, int64_t num_words) {
  const int64_t top_bit = num_words * WordBits - 1;
  std::string text = fmt::format(
      "`default_nettype none\n"
      "module requantize_sets (\n"
      "  input  wire          clk_i,\n"
      "  input  wire          rst_i,\n"
      "  input  wire          in_valid_i,\n"
      "  input  wire  [63:0]  in_data_i,\n"
      "  output logic         out_valid_o,\n"
      "  output logic [{}:0]  out_data_o\n"
      ");\n"
      "  logic unused;\n"
      "  assign unused      = clk_i ^ rst_i;\n"
      "  assign out_valid_o = in_valid_i;\n"
      "  requantize_core u_core (.in_data_i,\n{});\n",
      top_bit, join_lines(num_bits, ",\n", [](int64_t bit) {
        return fmt::format("    .bit_{}(out_data_o[{}])", bit, bit);
      }));
  if (num_bits <= top_bit)
    text += fmt::format("  assign out_data_o[{}:{}] = '0;\n", top_bit, num_bits);
  return text + "endmodule\n`default_nettype wire\n";
}

int64_t count_words(const ParameterSets& sets) {
  return (count_bits(sets) + WordBits - 1) / WordBits;
}

void write_text(const fs::path& path, const std::string& text) {
  const Status written = write_file(path, text);
  check(written.has_value(), "a test's file cannot be written");
}

/// Writes the modules of these sets; they are to be fed `num_inputs` inputs as one frame. The last
/// source is the top module.
cosim::Design write_design(const ParameterSets& sets, int64_t num_inputs, const fs::path& folder) {
  const int64_t num_words = count_words(sets);
  const fs::path library = fs::path(MILLRACE_SOURCE_DIR) / "rtl";
  write_text(folder / "requantize_core.sv", make_core(sets));
  write_text(folder / "requantize_sets.sv", make_top(count_bits(sets), num_words));
  return {.sources = {library / "mr_overflow.sv", library / "mr_requantize.sv",
                      folder / "requantize_core.sv", folder / "requantize_sets.sv"},
          .include_dirs = {library},
          .top = "requantize_sets",
          .inputs = {{"in", {num_inputs, 1, 1, {true, WordBits, 0}, 1}}},
          .outputs = {{"out", {num_inputs, 1, num_words, {true, WordBits, 0}, 1}}}};
}

/// Feeds the inputs to every set and compares the results with the golden model's.
void check_results(const cosim::Design& design, cosim::Simulator simulator,
                   const ParameterSets& sets, const std::vector<uint64_t>& inputs,
                   const fs::path& folder) {
  const auto simulation = cosim::Simulation::build(design, simulator, folder);
  ASSERT_TRUE(simulation.has_value()) << simulation.error().to_string();
  IntTensor frame{{std::ssize(inputs), 1, 1}, {}};
  for (const uint64_t input : inputs)
    frame.data.push_back(static_cast<int64_t>(input));
  const auto measured = simulation->run({{frame}}, cosim::Arrival::BackToBack, 1);
  ASSERT_TRUE(measured.has_value()) << measured.error().to_string();

  int mismatches = 0;
  const int64_t num_words = count_words(sets);
  auto word = measured->outputs[0][0].data.begin();
  for (const uint64_t input : inputs) {
    cosim::Beat results(num_words * WordBits);
    for (int64_t i = 0; i < num_words; ++i)
      results.set(i * WordBits, WordBits, static_cast<uint64_t>(*word++));
    int64_t lsb = 0;
    for (const ParameterSet& set : sets) {
      const uint64_t actual = results.get(lsb, set.out.type.width);
      lsb += set.out.type.width;
      if (actual == set.expected(input))
        continue;
      ADD_FAILURE() << set.to_string()
                    << fmt::format(": {:#x} gives {:#x}, not {:#x}", input, actual,
                                   set.expected(input));
      ASSERT_LT(++mismatches, 20) << "and perhaps more";
    }
  }
}

TEST(MrRequantize, AgreesWithTheGoldenModelForEveryModeSignAndShift) {
  const testing::ScratchDirectory scratch("mr_requantize");
  const ParameterSets sets = make_parameter_sets();
  const std::vector<uint64_t> inputs = make_inputs();
  const cosim::Design design = write_design(sets, std::ssize(inputs), scratch.path());
  check_results(design, cosim::Simulator::Verilator, sets, inputs, scratch.path());
}

/// Every mode and sign, at few shifts: Icarus and Yosys read the language in their own ways.
ParameterSets make_fewer_parameter_sets() {
  ParameterSets sets;
  add_sets(sets, 4, 3, {-1, 0, 2}, true);
  add_sets(sets, 6, 2, {-2, 1, 7}, false);
  return sets;
}

std::vector<uint64_t> make_small_inputs() {
  std::vector<uint64_t> inputs(64);
  std::iota(inputs.begin(), inputs.end(), 0);
  return inputs;
}

TEST(MrRequantize, AgreesWithTheGoldenModelInIcarus) {
  const testing::ScratchDirectory scratch("mr_requantize_icarus");
  const ParameterSets sets = make_fewer_parameter_sets();
  const std::vector<uint64_t> inputs = make_small_inputs();
  const cosim::Design design = write_design(sets, std::ssize(inputs), scratch.path());
  check_results(design, cosim::Simulator::Icarus, sets, inputs, scratch.path());
}

TEST(MrRequantize, AgreesWithTheGoldenModelAfterSynthesis) {
  const testing::ScratchDirectory scratch("mr_requantize_synthesis");
  const ParameterSets sets = make_fewer_parameter_sets();
  const std::vector<uint64_t> inputs = make_small_inputs();
  const cosim::Design design = write_design(sets, std::ssize(inputs), scratch.path());
  const auto& sources = design.sources;
  const auto part = synth::find_part("xcku115");
  ASSERT_TRUE(part.has_value()) << part.error().to_string();
  const fs::path netlist = scratch.path() / "netlist.v";
  const auto area = synth::synthesize({.sources = {sources.begin(), sources.end() - 1},
                                       .include_dirs = design.include_dirs,
                                       .top = "requantize_core",
                                       .part = *part,
                                       .netlist = netlist,
                                       .work_dir = scratch.path() / "synth"});
  ASSERT_TRUE(area.has_value()) << area.error().to_string();
  const auto models = synth::find_cell_models();
  ASSERT_TRUE(models.has_value()) << models.error().to_string();
  cosim::Design mapped = cosim::netlist_design(design, netlist, *models);
  mapped.sources.push_back(sources.back());
  check_results(mapped, cosim::Simulator::Verilator, sets, inputs, scratch.path());
}

}  // namespace
}  // namespace millrace
