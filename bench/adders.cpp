// SPDX-License-Identifier: Apache-2.0
// How few adders the search finds, and in what time, beside its peers; see
// docs/rationale/adder-search.md. One thread; times are CPU times of this process.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fmt/format.h>
#include <fstream>
#include <malloc.h>
#include <nlohmann/json.hpp>

#include "bench/adders_cases.h"
#include "bench/adders_lines.h"

#include "millrace/adders/certificate.h"
#include "millrace/adders/multiply_matrix.h"
#include "millrace/support/check.h"

namespace millrace::bench {
namespace {

using adders::AdderGraph;
using adders::Matrix;
using adders::Range;

struct Options {
  std::vector<std::string> cases;
  std::vector<int> efforts;  ///< empty: each case's own
  int draws = 0;             ///< 0: each case's own
  std::filesystem::path peers;
  std::filesystem::path matrices;  ///< write them there, measure nothing
  bool json = false;
};

double cpu_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

/// Lets peak_megabytes() begin at what is in use now.
void forget_peak_memory() {
  malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << 5;  // see proc(5)
}

/// The most memory that was resident at once, the program itself included.
double peak_megabytes() {
  std::ifstream status("/proc/self/status");
  std::string word;
  double kibibytes = 0;
  while (status >> word)
    if (word == "VmHWM:")
      status >> kibibytes;
  check(kibibytes > 0, "the system tells the peak memory");
  return kibibytes * 1024 / 1e6;
}

/// The bits as da4ml counts them: the low bits of a subtrahend are taken for wires.
int64_t da4ml_bits(const AdderGraph& graph, const std::vector<Range>& inputs) {
  const std::vector<Range> ranges = value_ranges(graph, inputs);
  int64_t bits = 0;
  for (adders::Adder adder : graph.adders) {
    adder.subtract = false;
    bits += chain_bits(adder, ranges[static_cast<size_t>(adder.a)],
                       ranges[static_cast<size_t>(adder.b)]);
  }
  for (const adders::RowSum& row : graph.rows)
    if (row.negate)
      bits += width(ranges[static_cast<size_t>(row.value)]);
  return bits;
}

void add(std::optional<double>& sum, double value) {
  sum = sum.value_or(0) + value;
}

/// Searches for one matrix and adds what it measures to the line's sums.
void measure(const Case& task, const Matrix& matrix, int effort, Line& line) {
  const std::vector<Range> inputs(static_cast<size_t>(matrix.columns), InputRange);
  forget_peak_memory();
  const double begin = cpu_seconds();
  const Result<AdderGraph> graph = multiply_matrix(
      matrix, inputs, {.max_depth = {}, .extra_depth = task.extra_depth, .effort = effort});
  const double end = cpu_seconds();
  if (!graph)
    throw std::runtime_error(graph.error().to_string());
  line.megabytes = std::max(line.megabytes.value_or(0), peak_megabytes());
  const double proof_begin = cpu_seconds();
  check(certify(*graph, matrix, inputs).holds(), "the graph is certified");
  add(line.proof_seconds, cpu_seconds() - proof_begin);
  const adders::Cost cost = adders::cost(*graph, inputs);
  line.adders += static_cast<double>(cost.adders);
  add(line.bits, static_cast<double>(cost.bits));
  add(line.da4ml_bits, static_cast<double>(da4ml_bits(*graph, inputs)));
  add(line.depth, cost.depth);
  add(line.seconds, end - begin);
}

Line measure(const Case& task, const std::vector<Matrix>& matrices, int effort) {
  Line line{
      .name = task.name, .by = fmt::format("effort {}", effort), .checksum = checksum(matrices)};
  for (const Matrix& matrix : matrices)
    measure(task, matrix, effort, line);
  const auto draws = static_cast<double>(matrices.size());
  line.adders /= draws;
  for (auto* sum : {&line.bits, &line.da4ml_bits, &line.depth, &line.seconds, &line.proof_seconds})
    **sum /= draws;
  return line;
}

std::vector<Matrix> matrices_of(const Case& task) {
  std::vector<Matrix> matrices;
  for (int i = 0; i < task.set.draws; ++i)
    matrices.push_back(draw(task.set, i));
  return matrices;
}

/// What the peers are known to reach: measured, where there are figures of a peer, else published.
std::vector<Line> peer_lines(const Case& task, const std::vector<Line>& measured,
                             uint32_t checksum) {
  std::vector<Line> lines;
  for (const Line& line : measured) {
    if (line.name != task.name)
      continue;
    if (line.checksum != checksum)
      throw std::runtime_error("the peers' figures for " + task.name + " are of other matrices");
    lines.push_back(line);
  }
  for (const Line& line : published_lines(task)) {
    const std::string peer = line.by.substr(0, line.by.find(' '));
    const auto is_same = [&](const Line& other) { return other.by.starts_with(peer); };
    if (std::none_of(lines.begin(), lines.end(), is_same))
      lines.push_back(line);
  }
  return lines;
}

/// Writes a matrix as a .npy file of format 1.0: 64-bit integers, C order.
void write_npy(const std::filesystem::path& path, const Matrix& matrix) {
  constexpr size_t HeaderEnd = 128, Preamble = 10;
  std::string header =
      fmt::format("{{'descr': '<i8', 'fortran_order': False, 'shape': ({}, {}), }}", matrix.rows,
                  matrix.columns);
  header.resize(HeaderEnd - Preamble - 1, ' ');
  std::ofstream file(path, std::ios::binary);
  file << "\x93NUMPY\x01" << '\0' << static_cast<char>(header.size() + 1) << '\0' << header << '\n';
  for (const int64_t entry : matrix.entries)
    for (int shift = 0; shift < 64; shift += 8)
      file << static_cast<char>(static_cast<uint64_t>(entry) >> shift);
  if (!file)
    throw std::runtime_error(path.string() + " cannot be written");
}

/// Writes the matrices of all cases, and cases.json, which lists them.
void write_matrices(const std::vector<Case>& cases, const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Case& task : cases) {
    const std::vector<Matrix> matrices = matrices_of(task);
    std::vector<std::string> files;
    for (size_t i = 0; i < matrices.size(); ++i) {
      files.push_back(fmt::format("{}-{}.npy", task.set.name, i));
      write_npy(folder / files.back(), matrices[i]);
    }
    list.push_back({{"case", task.name},
                    {"files", files},
                    {"checksum", checksum(matrices)},
                    {"input_range", {int64_t{InputRange.lo}, int64_t{InputRange.hi}}},
                    {"extra_depth", nullptr}});
    if (task.extra_depth)
      list.back()["extra_depth"] = *task.extra_depth;
  }
  std::ofstream(folder / "cases.json") << list.dump(2) << '\n';
}

std::vector<Case> chosen_cases(const Options& options) {
  std::vector<Case> chosen;
  for (Case& task : all_cases()) {
    if (!options.cases.empty() &&
        std::find(options.cases.begin(), options.cases.end(), task.name) == options.cases.end())
      continue;
    if (options.draws > 0)
      task.set.draws = options.draws;
    if (!options.efforts.empty())
      task.efforts = options.efforts;
    chosen.push_back(std::move(task));
  }
  return chosen;
}

void run(const Options& options) {
  const std::vector<Case> cases = chosen_cases(options);
  if (!options.matrices.empty())
    return write_matrices(cases, options.matrices);
#ifndef NDEBUG
  fmt::print(stderr, "This is not a Release build: the times mean little.\n");
#endif
  const std::vector<Line> peers =
      options.peers.empty() ? std::vector<Line>{} : read_lines(options.peers);
  std::vector<Line> lines;
  for (const Case& task : cases) {
    const std::vector<Matrix> matrices = matrices_of(task);
    for (const Line& line : peer_lines(task, peers, checksum(matrices)))
      lines.push_back(line);
    for (const int effort : task.efforts) {
      fmt::print(stderr, "{} effort {}\n", task.name, effort);
      lines.push_back(measure(task, matrices, effort));
    }
  }
  fmt::print("{}", options.json ? to_json(cases, lines) : to_text(cases, lines));
}

}  // namespace
}  // namespace millrace::bench

int main(int argc, char** argv) {
  using namespace millrace::bench;
  std::vector<std::string> names;
  for (const Case& task : all_cases())
    names.push_back(task.name);
  Options options;
  CLI::App app("Measures the search for adder graphs beside its peers.");
  app.add_option("--cases", options.cases, "Only these, inputs x outputs, + extra depth")
      ->delimiter(',')
      ->check(CLI::IsMember(names));
  app.add_option("--efforts", options.efforts, "Instead of each case's own")
      ->delimiter(',')
      ->check(CLI::Range(0, millrace::adders::SearchOptions::MaxEffort));
  app.add_option("--draws", options.draws, "Instead of each case's own")
      ->check(CLI::PositiveNumber);
  app.add_option("--peers", options.peers, "Figures that bench/peers/adders.py wrote")
      ->check(CLI::ExistingFile);
  app.add_option("--write-matrices", options.matrices,
                 "Write the matrices into this folder, for the peers, and end");
  app.add_flag("--json", options.json, "Print JSON instead of a table");
  CLI11_PARSE(app, argc, argv);
  try {
    run(options);
  } catch (const std::exception& failure) {
    fmt::print(stderr, "{}\n", failure.what());
    return 1;
  }
  return 0;
}
