// SPDX-License-Identifier: Apache-2.0
// rtl/mr_requantize.sv against millrace::requantize(): thousands of parameter sets side by side in
// one module, all fed the same numbers.
#include "millrace/fixed/requantize.h"

#include <algorithm>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <iterator>
#include <random>

#include "tests/support/circuit_files.h"

#include "millrace/cosim/beat.h"
#include "millrace/cosim/simulate.h"
#include "millrace/support/files.h"

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
  for (const int in_width : {64, 63, 40})
    for (const int out_width : {64, 33, 9})
      add_sets(sets, in_width, out_width, {-1000, -65, -24, -1, 0, 1, 7, 31, 39, 63, 64, 65, 1000},
               false);
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

/// The module that holds them all; results stand one after the other.
std::string make_module(const ParameterSets& sets, int64_t num_bits) {
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
      "  assign out_valid_o = in_valid_i;\n",
      num_bits - 1);
  int64_t lsb = 0;
  for (const ParameterSet& set : sets) {
    fmt::format_to(std::back_inserter(text),
                   "  mr_requantize #(.InWidth({}), .InSigned({:d}), .Shift({}), .OutWidth({}), "
                   ".OutSigned({:d}), .Rounding({}), .Overflow({}))\n"
                   "    u_{} (.in_data_i(in_data_i[{}:0]), .out_data_o(out_data_o[{} +: {}]));\n",
                   set.in.width, set.in.is_signed, set.shift, set.out.type.width,
                   set.out.type.is_signed, static_cast<int>(set.out.rounding),
                   static_cast<int>(set.out.overflow), lsb, set.in.width - 1, lsb,
                   set.out.type.width);
    lsb += set.out.type.width;
  }
  if (lsb < num_bits)
    fmt::format_to(std::back_inserter(text), "  assign out_data_o[{}:{}] = '0;\n", num_bits - 1,
                   lsb);
  return text + "endmodule\n`default_nettype wire\n";
}

TEST(MrRequantize, AgreesWithTheGoldenModelForEveryModeSignAndShift) {
  const ParameterSets sets = make_parameter_sets();
  int64_t num_bits = 0;
  for (const ParameterSet& set : sets)
    num_bits += set.out.type.width;
  const int64_t num_words = (num_bits + WordBits - 1) / WordBits;

  const std::vector<uint64_t> inputs = make_inputs();
  IntTensor frame{{std::ssize(inputs), 1, 1}, {}};
  for (const uint64_t input : inputs)
    frame.data.push_back(static_cast<int64_t>(input));

  const testing::ScratchDirectory scratch("mr_requantize");
  const fs::path library = fs::path(MILLRACE_SOURCE_DIR) / "rtl";
  const fs::path module = scratch.path() / "requantize_sets.sv";
  ASSERT_TRUE(write_file(module, make_module(sets, num_words * WordBits)));
  const cosim::Design design{
      .sources = {library / "mr_overflow.sv", library / "mr_requantize.sv", module},
      .include_dirs = {library},
      .top = "requantize_sets",
      .input = {std::ssize(inputs), 1, 1, {true, WordBits, 0}, 1},
      .output = {std::ssize(inputs), 1, num_words, {true, WordBits, 0}, 1}};
  const auto simulation =
      cosim::Simulation::build(design, cosim::Simulator::Verilator, scratch.path());
  ASSERT_TRUE(simulation.has_value()) << simulation.error().to_string();
  const auto measured = simulation->run({frame}, cosim::Arrival::BackToBack, 1);
  ASSERT_TRUE(measured.has_value()) << measured.error().to_string();

  int mismatches = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    cosim::Beat results(num_words * WordBits);
    for (int64_t word = 0; word < num_words; ++word)
      results.set(word * WordBits, WordBits,
                  static_cast<uint64_t>(measured->outputs[0].data[static_cast<size_t>(
                      static_cast<int64_t>(i) * num_words + word)]));
    int64_t lsb = 0;
    for (const ParameterSet& set : sets) {
      const uint64_t actual = results.get(lsb, set.out.type.width);
      lsb += set.out.type.width;
      if (actual == set.expected(inputs[i]))
        continue;
      ADD_FAILURE() << set.to_string()
                    << fmt::format(": {:#x} gives {:#x}, not {:#x}", inputs[i], actual,
                                   set.expected(inputs[i]));
      ASSERT_LT(++mismatches, 20) << "and perhaps more";
    }
  }
}

}  // namespace
}  // namespace millrace
