// SPDX-License-Identifier: Apache-2.0
// CPU time of planning alone, without reading the model and emitting the circuit.
#include "millrace/dataflow/plan.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <exception>
#include <fmt/format.h>

#include "millrace/dataflow/schedule.h"
#include "millrace/graph/text.h"
#include "millrace/report/table.h"
#include "millrace/support/files.h"

namespace millrace::bench {
namespace {

double cpu_ms() {
  return 1000 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

/// The least of some runs: what the machine's other work adds is left out.
struct Times {
  double plan_ms = 1e9, schedule_ms = 1e9;
};

Times measure(const graph::Graph& graph, const dataflow::PlanOptions& options, int runs) {
  Times least;
  for (int run = 0; run < runs; ++run) {
    const double start = cpu_ms();
    const dataflow::Circuit circuit = dataflow::plan(graph, options).value();
    const double planned = cpu_ms();
    dataflow::schedule(circuit);
    least.plan_ms = std::min(least.plan_ms, planned - start);
    least.schedule_ms = std::min(least.schedule_ms, cpu_ms() - planned);
  }
  return least;
}

void run(const std::vector<std::string>& models, const std::vector<int64_t>& lanes, int runs) {
  report::Table table{.columns = {{"model"},
                                  {"lanes", true},
                                  {"effort", true},
                                  {"plan, ms", true},
                                  {"of which schedule, ms", true}}};
  for (const std::string& model : models) {
    const graph::Graph graph = graph::parse(read_file(model).value(), model).value();
    for (const int64_t count : lanes)
      for (const int effort : {0, 1}) {
        const Times times = measure(graph, {.lanes = count, .effort = effort}, runs);
        table.rows.push_back({model, std::to_string(count), std::to_string(effort),
                              fmt::format("{:.1f}", times.plan_ms),
                              fmt::format("{:.2f}", times.schedule_ms)});
      }
  }
  fmt::print("{}", table.to_text());
}

}  // namespace
}  // namespace millrace::bench

int main(int argc, char** argv) {
  try {
    CLI::App app("CPU time of planning alone: the least of some runs");
    std::vector<std::string> models = {MILLRACE_SOURCE_DIR "/tests/text/letters.mr"};
    std::vector<int64_t> lanes = {1, 28};
    int runs = 5;
    app.add_option("models", models, "Exact graphs (.mr)")->capture_default_str();
    app.add_option("--lanes", lanes, "Pixels a clock cycle")->delimiter(',')->capture_default_str();
    app.add_option("--runs", runs, "Of which the least counts")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    millrace::bench::run(models, lanes, runs);
  } catch (const std::exception& failure) {
    std::fputs(failure.what(), stderr);
    return 1;
  }
  return 0;
}
