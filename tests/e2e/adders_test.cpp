// SPDX-License-Identifier: Apache-2.0
// `millrace adders`: answers, what is wrong with its input, and what an interrupt leaves.
#include <gmock/gmock.h>
#include <numeric>
#include <random>

#include "millrace_program.h"

namespace millrace::e2e {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// A .npy file of eight-byte integers, lowest byte first.
std::string npy(const std::string& shape, const std::vector<int64_t>& entries,
                const std::string& type = "<i8") {
  std::string header =
      "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }";
  header.resize(117, ' ');
  header += '\n';
  std::string bytes = "\x93NUMPY\x01" + std::string("\0v\0", 3) + header;
  for (const int64_t entry : entries)
    for (int byte = 0; byte < 8; ++byte)
      bytes += static_cast<char>(static_cast<uint64_t>(entry) >> (8 * byte));
  return bytes;
}

class Adders : public ProgramTest {
protected:
  void SetUp() override { write("w.npy", npy("(4, 3)", {7, -3, 0, 0, 0, 0, 0, 8, 0, -5, 0, 3})); }

  /// The answer to `millrace adders w.npy --json` with more words.
  json answer(std::vector<std::string> words) const {
    words.insert(words.begin(), {"adders", "w.npy", "--json"});
    const Outcome run = run_program(words);
    EXPECT_EQ(run.exit_code, 0) << run.errors;
    return json::parse(run.output, nullptr, false);
  }
};

TEST_F(Adders, AnswersWithItsMeasures) {
  const json found = answer({});
  ASSERT_TRUE(found.is_object());
  EXPECT_EQ(found.at("rows"), 4);
  EXPECT_EQ(found.at("columns"), 3);
  EXPECT_EQ(found.at("nonzero_entries"), 5);
  // 7a, 3b, their difference; -5a + 3c: three more.
  EXPECT_LE(found.at("adders"), 7);
  EXPECT_GE(found.at("adders"), 5);
  EXPECT_GT(found.at("cost_bits"), 30);
  EXPECT_GE(found.at("depth"), found.at("minimum_depth"));
  EXPECT_EQ(found.at("minimum_depth"), 2);
  EXPECT_EQ(found.at("latency_cycles"), 0);
  EXPECT_EQ(found.at("flip_flops"), 0);
  EXPECT_EQ(found.at("certified"), true);
  EXPECT_GE(found.at("seconds"), 0.0);
  EXPECT_THAT(found.at("input_types"), ElementsAre("fixed<8,8>", "fixed<8,8>", "fixed<8,8>"));
  EXPECT_EQ(found.at("output_bits").size(), 4u);
  EXPECT_EQ(found.at("output_types").at(1), "ufixed<1,1>");  // zero
  EXPECT_EQ(found.at("output_types").at(2), "fixed<11,11>");
  EXPECT_EQ(files(), std::vector<std::string>{"w.npy"});
}

TEST_F(Adders, TheTextHasUnits) {
  const Outcome run = run_program({"adders", "w.npy", "--clock", "3ns"});
  EXPECT_EQ(run.exit_code, 0) << run.errors;
  for (const char* part : {"adders", "bits of carry chains", "cycles of 3 ns on xcku115",
                           "flip-flops", "Certified", "bits each"})
    EXPECT_THAT(run.output, HasSubstr(part));
}

TEST_F(Adders, AClockMakesAPipeline) {
  const json found = answer({"--clock", "2.5ns", "--verilog", "product.sv"});
  EXPECT_GT(found.at("latency_cycles"), 0);
  EXPECT_GT(found.at("flip_flops"), 0);
  EXPECT_LE(found.at("flip_flops"), found.at("flip_flops_asap"));
  EXPECT_EQ(found.at("clock_ns"), 2.5);
  EXPECT_EQ(found.at("module"), "product");
  const std::string text = read("product.sv");
  EXPECT_THAT(text, HasSubstr("module product ("));
  EXPECT_THAT(text, HasSubstr("clk_i"));
  EXPECT_THAT(text, HasSubstr("//   millrace adders w.npy --input-range -128,127"));
}

TEST_F(Adders, WithoutAClockTheModuleIsCombinational) {
  answer({"--verilog", "product.sv"});
  EXPECT_THAT(read("product.sv"), Not(HasSubstr("clk_i")));
}

TEST_F(Adders, TheSameCommandWritesTheSameModule) {
  answer({"--clock", "3ns", "--verilog", "a.sv"});
  const std::string first = read("a.sv");
  answer({"--clock", "3ns", "--verilog", "a.sv"});
  EXPECT_EQ(read("a.sv"), first);
  // Names that are no module names become some.
  EXPECT_EQ(answer({"--verilog", "module.sv"}).at("module"), "net_module");
}

TEST_F(Adders, DepthLimitsAreKept) {
  const json minimal = answer({"--extra-depth", "0"});
  EXPECT_EQ(minimal.at("depth"), minimal.at("minimum_depth"));
  EXPECT_LE(answer({"--max-depth", "3"}).at("depth"), 3);
}

TEST_F(Adders, RangesMayDifferFromInputToInput) {
  write("r.npy", npy("(3, 2)", {0, 255, -5, -5, 0, 0}));
  const json found = answer({"--input-ranges", "r.npy"});
  EXPECT_THAT(found.at("input_types"), ElementsAre("ufixed<8,8>", "fixed<4,4>", "ufixed<1,1>"));
  EXPECT_EQ(found.at("output_types").at(0), "ufixed<11,11>");  // 7a + 15
  EXPECT_EQ(answer({"--input-range", "0,1"}).at("input_types").at(0), "ufixed<1,1>");
}

TEST_F(Adders, BadMatrices) {
  write("empty.npy", npy("(0, 3)", {}));
  expect_refused({"adders", "empty.npy"}, "adders.empty_matrix");
  write("text.npy", "1 2\n3 4\n");
  expect_refused({"adders", "text.npy"}, "data.not_npy");
  write("ragged.npy", npy("(2,)", {1, 2}, "|O"));
  expect_refused({"adders", "ragged.npy"}, "data.npy_objects");
  write("real.npy", npy("(1, 1)", {0x3fe0000000000000}, "<f8"));  // 0.5
  expect_refused({"adders", "real.npy"}, "data.npy_not_integer");
  write("wide.npy", npy("(1, 1)", {int64_t{1} << 50}));
  expect_refused({"adders", "wide.npy"}, "adders.entry_too_wide");
  write("wider.npy", npy("(1, 1)", {-1}, "<u8"));
  expect_refused({"adders", "wider.npy"}, "data.npy_too_wide");
  write("flat.npy", npy("(3,)", {1, 2, 3}));
  expect_refused({"adders", "flat.npy"}, "data.npy_dimensions");
  write("cut.npy", npy("(2, 2)", {1, 2, 3}));
  expect_refused({"adders", "cut.npy"}, "data.wrong_size");
  expect_refused({"adders", "none.npy"}, "support.file_missing");
}

TEST_F(Adders, BadRanges) {
  expect_refused({"adders", "w.npy", "--input-range", "5,4"}, "adders.reversed_range");
  for (const char* range : {"", "5", "1,2,3", "a,b", "1,", ",1", "1.5,2", "0,99999999999999999999"})
    expect_refused({"adders", "w.npy", "--input-range", range}, "cli.bad_range");
  expect_refused({"adders", "w.npy", "--input-range", "0,4611686018427387904"},
                 "adders.sum_too_wide");
  write("two.npy", npy("(2, 2)", {0, 1, 0, 1}));
  expect_refused({"adders", "w.npy", "--input-ranges", "two.npy"}, "adders.wrong_number_of_ranges");
  write("reversed.npy", npy("(3, 2)", {0, 1, 1, 0, 0, 1}));
  expect_refused({"adders", "w.npy", "--input-ranges", "reversed.npy"}, "adders.reversed_range");
  expect_refused({"adders", "w.npy", "--input-ranges", "w.npy"}, "cli.ranges_shape");
}

TEST_F(Adders, BadLimits) {
  expect_refused({"adders", "w.npy", "--max-depth", "1"}, "adders.depth_below_minimum");
  expect_refused({"adders", "w.npy", "--extra-depth", "-1"}, "adders.depth_below_minimum");
  expect_refused({"adders", "w.npy", "--effort", "10"}, "adders.effort_out_of_range");
  expect_refused({"adders", "w.npy", "--clock", "soon"}, "cli.bad_clock");
  expect_refused({"adders", "w.npy", "--clock", "1e9ns"}, "dataflow.clock_out_of_range");
  expect_refused({"adders", "w.npy", "--clock", "0.7ns"}, "dataflow.clock_too_fast");
  expect_refused({"adders", "w.npy", "--part", "xcku116"}, "synth.unknown_part");
  expect_refused({"adders", "w.npy", "--verilog", "no/such/folder/out.sv"},
                 "support.file_not_writable");
}

TEST_F(Adders, AnInterruptedSearchLeavesNothingBehind) {
  std::mt19937_64 random(1);
  std::vector<int64_t> entries(64 * 512);
  for (int64_t& entry : entries)
    entry = static_cast<int64_t>(random() % 256) - 128;
  write("large.npy", npy("(64, 512)", entries));
  const std::vector<std::string> before = files();
  const Outcome run =
      run_program({"adders", "large.npy", "--effort", "9", "--verilog", "out.sv"},
                  {"timeout", "--foreground", "--preserve-status", "-s", "INT", "2"});
  EXPECT_EQ(run.exit_code, 130) << run.errors;
  EXPECT_THAT(run.errors, HasSubstr("[cli.interrupted]"));
  EXPECT_EQ(run.output, "");
  EXPECT_EQ(files(), before);
}

}  // namespace
}  // namespace millrace::e2e
