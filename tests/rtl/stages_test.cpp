// SPDX-License-Identifier: Apache-2.0
// Stages on their own: relayouts and windows of several rows against index formulas, cycle for
// cycle. And buffers: each has the places that it needs and none more.
#include <algorithm>
#include <gtest/gtest.h>
#include <numeric>
#include <random>

#include "tests/support/circuit_files.h"
#include "tests/support/random_graph.h"

#include "millrace/cosim/simulate.h"
#include "millrace/dataflow/area_estimate.h"
#include "millrace/dataflow/plan.h"
#include "millrace/dataflow/relayout.h"
#include "millrace/dataflow/row_window_geometry.h"
#include "millrace/dataflow/schedule.h"
#include "millrace/graph/text.h"
#include "millrace/reference/evaluate.h"
#include "millrace/synth/synthesize.h"

namespace millrace {
namespace {

using dataflow::Circuit;
using dataflow::MapPlace;
using dataflow::StreamType;

constexpr int Frames = 4;
constexpr FixedType Byte{.is_signed = false, .width = 8, .frac_bits = 0};

int64_t drawn(std::mt19937_64& random, int64_t lo, int64_t hi) {
  return lo + static_cast<int64_t>(random() % static_cast<uint64_t>(hi - lo + 1));
}

/// A stream of whole bytes.
StreamType stream_of(int64_t height, int64_t width, int64_t channels, int64_t lanes,
                     int64_t rows = 1) {
  return {.height = height,
          .width = width,
          .channels = channels,
          .element = Byte,
          .lanes = lanes,
          .rows = rows};
}

/// A circuit of one stage. `output` describes its beats as a map of their elements.
Circuit circuit_of(dataflow::StageKind kind, const StreamType& input, const StreamType& output) {
  Circuit circuit;
  circuit.name = "alone";
  circuit.inputs.push_back({.name = "x", .stream = 0, .type = input});
  circuit.stages.push_back({.name = "stage",
                            .layers = {},
                            .kind = std::move(kind),
                            .inputs = {0},
                            .output = output,
                            .latency_cycles = 1});
  circuit.outputs.push_back({.name = "y", .stream = 1, .type = output});
  dataflow::size_buffers(circuit);
  return circuit;
}

cosim::Frames random_frames(const StreamType& stream, std::mt19937_64& random) {
  const graph::TensorType type{{stream.height, stream.width, stream.channels}, stream.element};
  cosim::Frames frames;
  for (int i = 0; i < Frames; ++i)
    frames.push_back({testing::random_tensor(random, type)});
  return frames;
}

/// Outputs as `expected`, under every pattern of arrival, in the cycles of the schedule.
void check_circuit(const Circuit& circuit, const cosim::Frames& frames,
                   const cosim::Frames& expected, const std::string& name) {
  const dataflow::Schedule schedule = dataflow::schedule(circuit);
  const testing::ScratchDirectory scratch(name);
  const auto simulation =
      cosim::Simulation::build(testing::write_circuit(circuit, schedule, scratch.path()),
                               cosim::Simulator::Verilator, scratch.path() / "sim");
  ASSERT_TRUE(simulation.has_value()) << simulation.error().to_string();
  for (const auto arrival :
       {cosim::Arrival::BackToBack, cosim::Arrival::RandomGaps, cosim::Arrival::Alone}) {
    SCOPED_TRACE("arrival " + std::to_string(static_cast<int>(arrival)));
    const auto measured = simulation->run(frames, arrival, 1);
    ASSERT_TRUE(measured.has_value()) << measured.error().to_string();
    for (size_t frame = 0; frame < frames.size(); ++frame)
      ASSERT_EQ(measured->outputs[frame][0].data, expected[frame][0].data) << "frame " << frame;
    if (arrival != cosim::Arrival::RandomGaps) {
      EXPECT_EQ(measured->latency_cycles(), schedule.latency_cycles);
    }
    if (arrival == cosim::Arrival::BackToBack) {
      EXPECT_EQ(measured->interval_cycles(), schedule.interval_cycles);
    }
  }
}

/// A relayout whose output element stands where `source` says.
void check_relayout(const StreamType& in, const StreamType& out, int64_t pace,
                    const std::function<MapPlace(const MapPlace&)>& source, uint64_t seed) {
  std::mt19937_64 random(seed);
  dataflow::RelayoutStage stage = make_relayout(in, out, source);
  stage.pace = pace;
  const Circuit circuit = circuit_of(stage, in, out);
  const cosim::Frames frames = random_frames(in, random);
  cosim::Frames expected;
  for (const std::vector<IntTensor>& frame : frames) {
    IntTensor y{{out.height, out.width, out.channels}, {}};
    for (int64_t row = 0; row < out.height; ++row)
      for (int64_t column = 0; column < out.width; ++column)
        for (int64_t channel = 0; channel < out.channels; ++channel) {
          const MapPlace from = source({row, column, channel});
          const int64_t index = (from.row * in.width + from.column) * in.channels + from.channel;
          y.data.push_back(from.row < 0 ? 0 : frame[0].data[static_cast<size_t>(index)]);
        }
    expected.push_back({std::move(y)});
  }
  check_circuit(circuit, frames, expected, "relayout_" + std::to_string(seed));
}

class Relayouts : public ::testing::TestWithParam<int> {};

TEST_P(Relayouts, PutPixelsIntoOtherBeats) {
  std::mt19937_64 random(static_cast<uint64_t>(GetParam()));
  const int64_t height = drawn(random, 1, 5), width = drawn(random, 1, 9);
  const int64_t channels = drawn(random, 1, 3);
  const auto lanes_of = [&] { return drawn(random, 1, width); };
  const StreamType in = stream_of(height, width, channels, lanes_of());
  const bool is_whole = drawn(random, 0, 3) == 0;
  const StreamType out =
      stream_of(height, width, channels, is_whole ? width : lanes_of(), is_whole ? height : 1);
  check_relayout(
      in, out, drawn(random, 1, 3), [](const MapPlace& place) { return place; },
      static_cast<uint64_t>(GetParam()));
}

TEST_P(Relayouts, TransposeMirrorAndPad) {
  std::mt19937_64 random(100 + static_cast<uint64_t>(GetParam()));
  const int64_t height = drawn(random, 1, 4), width = drawn(random, 1, 6);
  const int64_t channels = drawn(random, 1, 2);
  const StreamType in = stream_of(height, width, channels, drawn(random, 1, width));
  const StreamType transposed = stream_of(width, height, channels, drawn(random, 1, height));
  const StreamType padded = stream_of(height + 1, width + 1, channels, drawn(random, 1, width + 1));
  const auto seed = 100 + static_cast<uint64_t>(GetParam());
  if (GetParam() % 2 == 0)
    check_relayout(
        in, transposed, 1,
        [&](const MapPlace& place) {
          return MapPlace{height - 1 - place.column, place.row, place.channel};
        },
        seed);
  else
    check_relayout(
        in, padded, 2,
        [](const MapPlace& place) {
          return place.row == 0 || place.column == 0
                     ? MapPlace{-1, 0, 0}
                     : MapPlace{place.row - 1, place.column - 1, place.channel};
        },
        seed);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Relayouts, ::testing::Range(0, 10));

class RowWindows : public ::testing::TestWithParam<int> {};

TEST_P(RowWindows, HoldTheRowsThatTheirFormulaNames) {
  const auto seed = static_cast<uint64_t>(GetParam());
  std::mt19937_64 random(seed);
  // Drawn until the planner would use it, and no windows behind the map's end carry anything.
  std::optional<dataflow::RowWindowGeometry> geometry;
  StreamType in;
  while (!geometry || geometry->out_height % geometry->out_rows != 0) {
    const int64_t width = drawn(random, 1, 4);
    in = stream_of(drawn(random, 2, 9), width, drawn(random, 1, 2), width, 2);
    in.rows = drawn(random, 2, in.height);
    graph::Window window;
    window.kernel_h = drawn(random, 1, std::min<int64_t>(4, in.height));
    window.stride_h = drawn(random, 1, 3);
    window.pad_top = drawn(random, 0, window.kernel_h - 1);
    window.pad_bottom = drawn(random, 0, window.kernel_h - 1);
    const int64_t covered = in.height + window.pad_top + window.pad_bottom - window.kernel_h;
    geometry = row_window_geometry(in, window, covered / window.stride_h + 1, width);
  }
  const dataflow::RowWindowGeometry& g = *geometry;
  SCOPED_TRACE(::testing::Message()
               << "map " << in.height << "x" << in.width << ", rows " << in.rows << ", kernel "
               << g.window.kernel_h << ", stride " << g.window.stride_h << ", padding "
               << g.window.pad_top << " and " << g.window.pad_bottom);
  const StreamType out = stream_of(g.out_groups, 1, g.region_rows * in.width * in.channels, 1);
  const std::vector<int64_t> padding(static_cast<size_t>(in.channels), 3);
  const Circuit circuit = circuit_of(dataflow::RowWindowStage{g, padding}, in, out);
  const cosim::Frames frames = random_frames(in, random);
  cosim::Frames expected;
  for (const std::vector<IntTensor>& frame : frames) {
    IntTensor y{{out.height, 1, out.channels}, {}};
    for (int64_t group = 0; group < g.out_groups; ++group)
      for (int64_t i = 0; i < g.region_rows; ++i)
        for (int64_t element = 0; element < in.width * in.channels; ++element) {
          const int64_t row = group * g.row_advance() - g.window.pad_top + i;
          const bool is_inside = 0 <= row && row < in.height;
          y.data.push_back(
              is_inside ? frame[0].data[static_cast<size_t>(row * in.width * in.channels + element)]
                        : 3);
        }
    expected.push_back({std::move(y)});
  }
  check_circuit(circuit, frames, expected, "row_window_" + std::to_string(seed));
}

INSTANTIATE_TEST_SUITE_P(Seeds, RowWindows, ::testing::Range(0, 16));

/// A circuit of the graph with this text.
Circuit planned(const std::string& text, const dataflow::PlanOptions& options) {
  const auto graph = graph::parse(text, "stages_test.mr");
  EXPECT_TRUE(graph.has_value()) << graph.error().to_string();
  auto circuit = dataflow::plan(*graph, options);
  EXPECT_TRUE(circuit.has_value()) << circuit.error().to_string();
  return *std::move(circuit);
}

/// The same, simulated: reference = circuit, schedule = simulation.
Circuit check_planned(const std::string& text, const dataflow::PlanOptions& options,
                      const std::string& name) {
  Circuit circuit = planned(text, options);
  const auto graph = graph::parse(text, "stages_test.mr");
  std::mt19937_64 random(1);
  cosim::Frames frames;
  cosim::Frames expected;
  for (int frame = 0; frame < 12; ++frame) {
    frames.push_back({testing::random_tensor(random, graph->type(graph->inputs().front()))});
    expected.push_back(reference::evaluate(*graph, frames.back()));
  }
  check_circuit(circuit, frames, expected, name);
  return circuit;
}

// --- maps whose rows no number of lanes divides ------------------------------------------------

/// Rows and lanes of a beat.
class OddMaps : public ::testing::TestWithParam<std::pair<int64_t, int64_t>> {};

TEST_P(OddMaps, ArePooledWithoutTheirLastRowAndColumn) {
  const auto [rows, lanes] = GetParam();
  const Circuit circuit = planned(R"(graph @odd {
  %image = input : tensor<5x5x1 x ufixed<8,8>>
  %pool = max_pool %image {kernel = [2, 2], stride = [2, 2], padding = [0, 0, 0, 0]} : tensor<2x2x1 x ufixed<8,8>>
  output %pool
}
)",
                                  {.lanes = lanes, .rows = rows});
  std::mt19937_64 random(1);
  const cosim::Frames frames = random_frames(circuit.inputs[0].type, random);
  cosim::Frames expected;
  for (const std::vector<IntTensor>& frame : frames) {
    IntTensor y{{2, 2, 1}, {}};
    for (const size_t corner : {0, 2, 10, 12}) {
      const std::vector<int64_t>& x = frame[0].data;
      y.data.push_back(std::max({x[corner], x[corner + 1], x[corner + 5], x[corner + 6]}));
    }
    expected.push_back({std::move(y)});
  }
  check_circuit(circuit, frames, expected,
                "odd_" + std::to_string(rows) + "x" + std::to_string(lanes));
}

INSTANTIATE_TEST_SUITE_P(Beats, OddMaps,
                         ::testing::Values(std::pair(1, 2), std::pair(1, 4), std::pair(2, 5),
                                           std::pair(4, 5)));

TEST(CountedMean, DividesByThePixelsOfTheMapAlsoWhereABeatHoldsItWhole) {
  const Circuit circuit = planned(R"(graph @counted {
  %image = input : tensor<1x2x1 x ufixed<8,8>>
  %mean = avg_pool %image {kernel = [1, 2], stride = [1, 1], padding = [0, 1, 0, 0], include_padding = 0, rounding = TRN, overflow = WRAP} : tensor<1x2x1 x ufixed<8,8>>
  output %mean
}
)",
                                  {.lanes = 2});
  std::mt19937_64 random(1);
  const cosim::Frames frames = random_frames(circuit.inputs[0].type, random);
  cosim::Frames expected;
  for (const std::vector<IntTensor>& frame : frames) {
    const std::vector<int64_t>& x = frame[0].data;
    expected.push_back({{{1, 2, 1}, {x[0], (x[0] + x[1]) / 2}}});
  }
  check_circuit(circuit, frames, expected, "counted_mean");
}

// --- windows of few rows -----------------------------------------------------------------------

// The last windows reach into the padding as far as the next frame's first row of windows: they
// leave while its rows above that come in.
TEST(FlushedWindows, LeaveBeforeTheNextFramesFirst) {
  const std::string text = R"(graph @flushed {
  %image = input : tensor<4x3x1 x ufixed<4,4>>
  %pool = max_pool %image {kernel = [2, 1], stride = [2, 1], padding = [2, 0, 3, 0], dilation = [3, 1]} : tensor<3x3x1 x ufixed<4,4>>
  output %pool
}
)";
  check_planned(text, {.lanes = 1}, "flushed");
}

// --- windows behind strides --------------------------------------------------------------------

// The windows of a folded layer whose input beats come two cycles apart or more: also the steps
// behind the last row and column, which no input beat makes, keep that distance.
TEST(PacedWindows, StepBehindTheMapAtTheInputsDistance) {
  const std::string text = R"(graph @paced {
  %image = input : tensor<10x10x1 x ufixed<4,4>>
  %v = constant {value = [1, -2]} : tensor<1x1x1x2 x fixed<3,3>>
  %c = constant {value = [1, 2]} : tensor<2 x fixed<3,3>>
  %strided = conv2d %image, %v, %c {kernel = [1, 1], stride = [2, 2], padding = [0, 0, 0, 0]} : tensor<5x5x2 x fixed<6,6>>
  %w = constant {value = [1, -1, 2, 3, -2, 1, 1, 2, 3, -1, 1, -3, 2, 1, -1, 1, 2, 3]} : tensor<3x3x2x1 x fixed<3,3>>
  %b = constant {value = [1]} : tensor<1 x fixed<3,3>>
  %folded = conv2d %strided, %w, %b {kernel = [3, 3], stride = [1, 1], padding = [1, 1, 1, 1]} : tensor<5x5x1 x fixed<11,11>>
  output %folded
}
)";
  dataflow::PlanOptions options{.effort = 0};
  options.layers["folded"].phases = 2;
  const Circuit circuit = check_planned(text, options, "paced_windows");
  const auto is_paced = [](const dataflow::Stage& stage) {
    const auto* const window = std::get_if<dataflow::WindowStage>(&stage.kind);
    return window && window->geometry.pace > 1 && window->geometry.flush_rows > 0 &&
           window->geometry.tail_steps > 0;
  };
  EXPECT_TRUE(std::any_of(circuit.stages.begin(), circuit.stages.end(), is_paced));
}

// --- line buffers in block RAM -------------------------------------------------------------------

TEST(BlockRam, IsMadeOfLineBuffersAndCountedAsYosysCountsIt) {
  const std::string text = R"(graph @lines {
  %image = input : tensor<6x100x5 x ufixed<8,8>>
  %pool = max_pool %image {kernel = [3, 1], stride = [1, 1], padding = [0, 0, 0, 0]} : tensor<4x100x5 x ufixed<8,8>>
  output %pool
}
)";
  const Circuit circuit = planned(text, {.lanes = 1, .bram = dataflow::BlockUse::Prefer});
  const testing::ScratchDirectory scratch("block_ram");
  const cosim::Design design =
      testing::write_circuit(circuit, dataflow::schedule(circuit), scratch.path());
  const auto area = synth::synthesize({.sources = design.sources,
                                       .include_dirs = design.include_dirs,
                                       .top = design.top,
                                       .part = synth::find_part("xcku115").value(),
                                       .netlist = {},
                                       .work_dir = scratch.path() / "synth"});
  ASSERT_TRUE(area.has_value()) << area.error().to_string();
  // Two lines of 100 words of 40 bits: each two blocks of 36 bits.
  EXPECT_EQ(area->bram18, 4);
  EXPECT_EQ(estimate_area(circuit).bram18, 4);
  EXPECT_EQ(estimate_area(planned(text, {.lanes = 1})).bram18, 0);
}

// --- buffers -----------------------------------------------------------------------------------

// Frames of one beat, several of which are on their way at a time: the shorter way keeps them all.
TEST(Buffers, HoldEveryFrameOnItsWay) {
  const std::string text = R"(graph @short {
  %x = input : tensor<1 x ufixed<6,6>>
  %s = square %x : tensor<1 x ufixed<12,12>>
  %t = square %s : tensor<1 x ufixed<24,24>>
  %sum = add %t, %x : tensor<1 x ufixed<25,25>>
  output %sum
}
)";
  const Circuit circuit = check_planned(text, {.clock_ns = 2.0}, "short");
  EXPECT_EQ(circuit.interval_cycles, 1);
  int64_t deepest = 0;
  for (const dataflow::Stage& stage : circuit.stages)
    for (const dataflow::JoinBuffer& buffer : stage.buffers)
      deepest = std::max(deepest, buffer.depth);
  EXPECT_GT(deepest, 4);
}

/// Bursts that a buffer evens out, and two ways of different length that meet again.
constexpr const char* Residual = R"(graph @residual {
  %image = input : tensor<12x12x2 x ufixed<4,0>>
  %w = constant {value = [1, -1, 2, 3, -2, 1, 1, 2, 3, -1, 1, -3, 2, 1, -1, 1, 2, 3]} : tensor<3x3x2x1 x fixed<3,3>>
  %b = constant {value = [1]} : tensor<1 x fixed<3,3>>
  %conv = conv2d %image, %w, %b {kernel = [3, 3], stride = [1, 1], padding = [1, 1, 1, 1]} : tensor<12x12x1 x fixed<10,6>>
  %last = slice %image {begin = [0, 0, 1], size = [12, 12, 1]} : tensor<12x12x1 x ufixed<4,0>>
  %sum = add %conv, %last : tensor<12x12x1 x fixed<11,7>>
  %v = constant {value = [1, -1, 2, 3]} : tensor<2x2x1x1 x fixed<3,3>>
  %fold = conv2d %sum, %v, %b {kernel = [2, 2], stride = [2, 2], padding = [0, 0, 0, 0]} : tensor<6x6x1 x fixed<14,10>>
  output %fold
}
)";

TEST(Buffers, OnePlaceLessIsTooFew) {
  dataflow::PlanOptions options{.effort = 0};
  options.layers["fold"].phases = 3;
  const Circuit whole = planned(Residual, options);
  std::mt19937_64 random(1);
  const cosim::Frames frames = random_frames(whole.inputs[0].type, random);
  const auto survives = [&](const Circuit& circuit, const std::string& name) {
    const testing::ScratchDirectory scratch(name);
    const cosim::Design design =
        testing::write_circuit(circuit, dataflow::schedule(whole), scratch.path());
    const auto simulation =
        cosim::Simulation::build(design, cosim::Simulator::Verilator, scratch.path() / "sim");
    EXPECT_TRUE(simulation.has_value()) << simulation.error().to_string();
    return simulation && simulation->run(frames, cosim::Arrival::BackToBack, 1).has_value();
  };
  EXPECT_TRUE(survives(whole, "buffers"));
  int tried = 0;
  for (size_t i = 0; i < whole.stages.size(); ++i) {
    const dataflow::Stage& stage = whole.stages[i];
    for (size_t side = 0; side < stage.buffers.size(); ++side) {
      if (stage.buffers[side].depth == 0)
        continue;
      Circuit fewer = whole;
      dataflow::JoinBuffer& buffer = fewer.stages[i].buffers[side];
      --buffer.depth;
      buffer.bypass = buffer.bypass || buffer.depth == 0;
      EXPECT_FALSE(survives(fewer, "buffers_less")) << stage.name << ", side " << side;
      ++tried;
    }
    if (const auto* relayout = std::get_if<dataflow::RelayoutStage>(&stage.kind);
        relayout && relayout->depth > 1) {
      Circuit fewer = whole;
      --std::get<dataflow::RelayoutStage>(fewer.stages[i].kind).depth;
      EXPECT_FALSE(survives(fewer, "buffers_less")) << stage.name;
      ++tried;
    }
  }
  EXPECT_GE(tried, 2);
}

}  // namespace
}  // namespace millrace
