// SPDX-License-Identifier: Apache-2.0
// The letter network from its text form to simulated circuits: the golden model's bits and the
// schedule's cycles, for numbers of lanes that divide a row and others that do not.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <string_view>

#include "tests/support/circuit_files.h"
#include "tests/support/random_graph.h"

#include "millrace/cosim/simulate.h"
#include "millrace/data/load.h"
#include "millrace/dataflow/circuit_json.h"
#include "millrace/dataflow/plan.h"
#include "millrace/dataflow/schedule.h"
#include "millrace/graph/text.h"
#include "millrace/reference/evaluate.h"
#include "millrace/support/files.h"
#include "millrace/verilog/emit.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

constexpr int64_t Rows = 28;
constexpr int64_t Pixels = Rows * Rows;
constexpr int64_t ImageCount = 20;
constexpr int64_t RandomCount = 4;

/// Where the network ends.
enum class Ending {
  Score,  ///< the whole network
  Sums,   ///< the last layer's sums, where a wrong bit in any layer shows
};

/// The weights are random, and the sums beyond what the logit can hold: with another binary point
/// of the logit (and the same width) scores differ from frame to frame.
constexpr std::string_view NarrowLogit = "tensor<1 x fixed<6,4>>";
constexpr std::string_view FittingLogit = "tensor<1 x fixed<6,6>>";

graph::Graph letters(Ending ending) {
  const fs::path path = fs::path(MILLRACE_SOURCE_DIR) / "tests/text/letters.mr";
  auto text = read_file(path);
  EXPECT_TRUE(text.has_value()) << text.error().to_string();
  const size_t logit = text->find("  %logit");
  if (ending == Ending::Sums)
    *text = text->substr(0, logit) + "  output %dense2\n}\n";
  else
    text->replace(text->find(NarrowLogit, logit), NarrowLogit.size(), FittingLogit);
  auto graph = graph::parse(*text, path.string());
  EXPECT_TRUE(graph.has_value()) << graph.error().to_string();
  return *std::move(graph);
}

/// Random frames, and handwritten images where there are any: half of them of each class.
cosim::Frames make_frames(const graph::TensorType& input) {
  std::mt19937_64 random(1);
  cosim::Frames frames;
  for (int64_t i = 0; i < RandomCount; ++i)
    frames.push_back({testing::random_tensor(random, input)});
  const fs::path folder = fs::path(MILLRACE_SOURCE_DIR) / "../shared/data/hasy-gamma-perp";
  if (!fs::is_directory(folder))
    return frames;
  const auto images = data::load_images(folder.string());
  EXPECT_TRUE(images.has_value()) << images.error().to_string();
  const data::ImageSet& test = images->test;
  for (int64_t i = 0; i < ImageCount; ++i) {
    const uint8_t* image = test.image(i * (test.count() - 1) / (ImageCount - 1));
    frames.push_back({{input.shape, {image, image + Pixels}}});
  }
  return frames;
}

/// A circuit of the letter network, written to a folder of its own.
class LettersCircuit {
public:
  LettersCircuit(Ending ending, int64_t lanes)
      : graph_(letters(ending)),
        scratch_((ending == Ending::Score ? "letters_score_" : "letters_sums_") +
                 std::to_string(lanes)) {
    auto circuit = dataflow::plan(graph_, {.lanes = lanes, .clock_ns = 5});
    EXPECT_TRUE(circuit.has_value()) << circuit.error().to_string();
    circuit_ = *std::move(circuit);
    schedule_ = dataflow::schedule(circuit_);
    design_ = testing::write_circuit(circuit_, schedule_, scratch_.path());
    frames_ = make_frames(graph_.type(graph_.inputs()[0]));
    std::set<int64_t> values;
    for (const std::vector<IntTensor>& frame : frames_) {
      expected_.push_back(reference::evaluate(graph_, frame));
      const std::vector<int64_t>& result = expected_.back()[0].data;
      values.insert(result.begin(), result.end());
    }
    EXPECT_GE(values.size(), ending == Ending::Score ? 3 : frames_.size())
        << "results that are all the same show nothing";
  }

  const dataflow::Schedule& schedule() const { return schedule_; }

  Result<cosim::Simulation> build(cosim::Simulator simulator) const {
    return cosim::Simulation::build(design_, simulator, scratch_.path());
  }

  /// Feeds the first frames, or all; compares every bit, and the cycles where they are promised.
  void check(const cosim::Simulation& simulation, cosim::Arrival arrival,
             size_t max_frames = SIZE_MAX) const {
    SCOPED_TRACE("arrival " + std::to_string(static_cast<int>(arrival)));
    const size_t count = std::min(max_frames, frames_.size());
    const auto measured = simulation.run(
        {frames_.begin(), frames_.begin() + static_cast<ptrdiff_t>(count)}, arrival, 1);
    ASSERT_TRUE(measured.has_value()) << measured.error().to_string();
    for (size_t i = 0; i < count; ++i)
      ASSERT_EQ(measured->outputs[i][0].data, expected_[i][0].data) << "frame " << i;
    if (arrival == cosim::Arrival::RandomGaps)
      return;
    EXPECT_EQ(measured->latency_cycles(), schedule_.latency_cycles);
    if (arrival == cosim::Arrival::BackToBack) {
      EXPECT_EQ(measured->interval_cycles(), schedule_.interval_cycles);
    }
  }

private:
  graph::Graph graph_;
  testing::ScratchDirectory scratch_;
  dataflow::Circuit circuit_;
  dataflow::Schedule schedule_;
  cosim::Design design_;
  cosim::Frames frames_;
  cosim::Frames expected_;
};

void check_circuit(Ending ending, int64_t lanes) {
  const LettersCircuit circuit(ending, lanes);
  if (::testing::Test::HasFailure())
    return;
  const int64_t beats = (Rows + lanes - 1) / lanes;
  EXPECT_EQ(circuit.schedule().interval_cycles, Rows * beats);
  if (Rows % lanes == 0) {
    EXPECT_LE(circuit.schedule().latency_cycles, Pixels / lanes + 40);
  }

  const auto simulation = circuit.build(cosim::Simulator::Verilator);
  ASSERT_TRUE(simulation.has_value()) << simulation.error().to_string();
  for (const auto arrival :
       {cosim::Arrival::BackToBack, cosim::Arrival::RandomGaps, cosim::Arrival::Alone})
    circuit.check(*simulation, arrival);
}

class Letters : public ::testing::TestWithParam<int64_t> {};

TEST_P(Letters, CircuitEqualsReferenceAndSchedule) {
  check_circuit(Ending::Score, GetParam());
}

TEST_P(Letters, EveryBitOfTheSumsIsRight) {
  check_circuit(Ending::Sums, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Lanes, Letters, ::testing::Values(1, 3, 4, 7, 28),
                         ::testing::PrintToStringParamName());

TEST(LettersIcarus, CircuitEqualsReferenceInIcarusToo) {
  const LettersCircuit circuit(Ending::Sums, 28);
  if (HasFailure())
    return;
  const auto simulation = circuit.build(cosim::Simulator::Icarus);
  ASSERT_TRUE(simulation.has_value()) << simulation.error().to_string();
  circuit.check(*simulation, cosim::Arrival::BackToBack, 2);
}

/// Everything that a compilation writes, as one text.
std::string compile_to_text(int64_t lanes) {
  const graph::Graph graph = letters(Ending::Score);
  const auto circuit = dataflow::plan(graph, {.lanes = lanes, .clock_ns = 5});
  EXPECT_TRUE(circuit.has_value()) << circuit.error().to_string();
  const dataflow::Schedule schedule = dataflow::schedule(*circuit);
  std::string text = graph::print(graph) + dataflow::to_json(*circuit, schedule).dump(2);
  for (const verilog::SourceFile& file : verilog::emit(*circuit, schedule))
    text += "\n// " + file.name + '\n' + file.text;
  return text;
}

TEST(LettersText, IsTheSameByteForByteWhenCompiledTwice) {
  for (const int64_t lanes : {1, 3, 28}) {
    const std::string first = compile_to_text(lanes);
    EXPECT_NE(first.find("module letters_axis"), std::string::npos);
    // Compared here, so that a failure does not print the texts.
    EXPECT_TRUE(first == compile_to_text(lanes)) << lanes << " lanes";
  }
}

}  // namespace
}  // namespace millrace
