// SPDX-License-Identifier: Apache-2.0
// What a beat's windows cost together, against lanes times one window; see
// docs/rationale/shared-windows.md. One thread; times are CPU times of this process.
#include "millrace/dataflow/shared_windows.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <ctime>
#include <fmt/format.h>
#include <random>

#include "millrace/adders/multiply_matrix.h"
#include "millrace/dataflow/layer_datapath.h"
#include "millrace/graph/text.h"
#include "millrace/report/table.h"
#include "millrace/support/check.h"
#include "millrace/support/files.h"

namespace millrace::bench {
namespace {

using adders::Range;
using dataflow::BeatWindows;
using dataflow::LinearMap;

/// A convolution of stride 1.
struct Kernel {
  std::string name;
  LinearMap map;        ///< of one lane
  BeatWindows windows;  ///< of one lane
  Range input = {0, 255};
};

struct Measured {
  adders::Cost cost;
  double seconds = 0;
};

double cpu_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

/// What the planner makes of a beat, without a limit on the depth.
Measured measure(const Kernel& kernel, int64_t lanes, const adders::SearchOptions& options) {
  const BeatWindows windows = kernel.windows.first(1, lanes);
  std::vector<Range> ranges(static_cast<size_t>(windows.num_elements()), kernel.input);
  const double start = cpu_seconds();
  const auto beat = multiply_beat(kernel.map, windows, ranges, options);
  const double seconds = cpu_seconds() - start;
  check(beat.has_value(), beat ? "" : beat.error().to_string());
  for (const Int128 constant : beat->constants)
    ranges.push_back({constant, constant});
  return {cost(beat->graph, ranges), seconds};
}

/// A 3x3 kernel without bias whose weights are uniform in [-limit, limit], without 0 unless asked.
Kernel random_kernel(const std::string& name, int64_t limit, bool with_zero, int inputs,
                     int outputs) {
  std::mt19937_64 random(1);
  Kernel kernel{.name = fmt::format("{} {}->{}", name, inputs, outputs),
                .map = {.rows = outputs,
                        .columns = 9 * inputs,
                        .entries = {},
                        .bias = std::vector<Int128>(static_cast<size_t>(outputs), 0)},
                .windows = {.channels = inputs, .kernel_h = 3, .kernel_w = 3}};
  while (std::ssize(kernel.map.entries) < int64_t{outputs} * kernel.map.columns) {
    const int64_t weight =
        static_cast<int64_t>(random() % static_cast<uint64_t>(2 * limit + 1)) - limit;
    if (weight != 0 || with_zero)
      kernel.map.entries.push_back(weight);
  }
  return kernel;
}

/// Kernels of one channel that people write by hand.
std::vector<Kernel> known_kernels() {
  const auto kernel = [](const std::string& name, std::vector<int64_t> weights) {
    const auto outputs = static_cast<int>(weights.size() / 9);
    return Kernel{.name = fmt::format("{} 1->{}", name, outputs),
                  .map = {.rows = outputs,
                          .columns = 9,
                          .entries = std::move(weights),
                          .bias = std::vector<Int128>(static_cast<size_t>(outputs), 0)},
                  .windows = {.kernel_h = 3, .kernel_w = 3}};
  };
  return {kernel("mean", {1, 1, 1, 1, 1, 1, 1, 1, 1}), kernel("Gauss", {1, 2, 1, 2, 4, 2, 1, 2, 1}),
          kernel("Sobel", {-1, 0, 1, -2, 0, 2, -1, 0, 1, -1, -2, -1, 0, 0, 0, 1, 2, 1})};
}

/// The convolutions of stride 1 of a model.
std::vector<Kernel> kernels_of(const std::string& path) {
  const auto text = read_file(path);
  check(text.has_value(), text ? "" : text.error().to_string());
  const auto parsed = graph::parse(*text, path);
  check(parsed.has_value(), parsed ? "" : parsed.error().to_string());
  const graph::Graph& graph = *parsed;
  std::vector<Kernel> kernels;
  for (const graph::Op& op : graph.ops()) {
    const auto* conv = op.as<graph::Conv2D>();
    if (conv == nullptr || conv->window.stride_w != 1)
      continue;
    const graph::TensorType& input = graph.type(op.operands[0]);
    kernels.push_back({.name = op.name,
                       .map = dataflow::linear_map(graph, op),
                       .windows = {.channels = input.shape[2],
                                   .kernel_h = conv->window.kernel_h,
                                   .kernel_w = conv->window.kernel_w},
                       .input = {input.fixed().min_raw(), input.fixed().max_raw()}});
  }
  return kernels;
}

std::string percent(int64_t part, int64_t whole) {
  return fmt::format("{:.0f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

void add_rows(report::Table& table, const Kernel& kernel, const adders::SearchOptions& options) {
  const Measured one = measure(kernel, 1, options);
  for (const int64_t lanes : {4, 14, 28}) {
    const Measured all = measure(kernel, lanes, options);
    table.rows.push_back(
        {kernel.name, fmt::format("{}", lanes), fmt::format("{}", lanes * one.cost.adders),
         fmt::format("{}", all.cost.adders), percent(all.cost.adders, lanes * one.cost.adders),
         fmt::format("{}", lanes * one.cost.bits), fmt::format("{}", all.cost.bits),
         percent(all.cost.bits, lanes * one.cost.bits), fmt::format("{:.2f}", all.seconds)});
  }
}

void run(const std::string& model, const adders::SearchOptions& options) {
  std::vector<Kernel> kernels = known_kernels();
  for (const auto& [inputs, outputs] : {std::pair{1, 1}, std::pair{1, 4}, std::pair{4, 4}}) {
    kernels.push_back(random_kernel("ternary", 1, true, inputs, outputs));
    kernels.push_back(random_kernel("4 bits", 7, false, inputs, outputs));
    kernels.push_back(random_kernel("6 bits", 31, false, inputs, outputs));
    kernels.push_back(random_kernel("8 bits", 127, false, inputs, outputs));
  }
  for (Kernel& kernel : kernels_of(model))
    kernels.push_back(std::move(kernel));
  report::Table table{.columns = {{"kernel"},
                                  {"lanes", true},
                                  {"adders apart", true},
                                  {"together", true},
                                  {"", true},
                                  {"bits apart", true},
                                  {"together", true},
                                  {"", true},
                                  {"s", true}}};
  for (const Kernel& kernel : kernels)
    add_rows(table, kernel, options);
  fmt::print("{}", table.to_text());
}

}  // namespace
}  // namespace millrace::bench

int main(int argc, char** argv) {
  try {
    CLI::App app("What a beat's windows cost together, against each on its own");
    std::string model = MILLRACE_SOURCE_DIR "/tests/text/letters.mr";
    millrace::adders::SearchOptions options;
    app.add_option("model", model, "Model whose convolutions are measured too (.mr)")
        ->capture_default_str();
    app.add_option("--effort", options.effort, "Of the search, 0 to 9")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    millrace::bench::run(model, options);
  } catch (const std::exception& failure) {
    std::fputs(failure.what(), stderr);
    return 1;
  }
  return 0;
}
