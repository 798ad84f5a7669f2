// SPDX-License-Identifier: Apache-2.0
// What the user asked for: one struct a command. How it is written on the command line is
// options.cpp's business alone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "millrace/train/trainer.h"

namespace millrace::cli {

/// Labelled images: where from, and which classes. Empty: what the command falls back on.
struct ImageOptions {
  std::string data;
  std::string signal, background;
  uint64_t data_seed = 1;  ///< of generated glyphs
};

struct TrainOptions {
  std::string network = {};
  ImageOptions images = {};
  std::string quantizer = "fixed<9,5>";
  uint64_t seed = 1;
  int epochs = 0;  ///< 0: the trainer's own choice
  double sparsity = train::DefaultSparsity;
  std::filesystem::path output = "letters.onnx";
};

/// How a model's real numbers get types; all empty: they do not.
struct TypeOptions {
  std::string quantize = {};             ///< "fixed<16,6>", or a file with hls4ml's keys
  std::string input_type = {};           ///< of the inputs alone
  std::string accumulators = "exact";    ///< or "hls4ml": types and sums as in its circuits
  std::filesystem::path weights = {};    ///< of a Keras model in JSON; empty: found beside it
  std::filesystem::path calibrate = {};  ///< samples of the model's input
  int width = 16;                        ///< of calibrated types, in bits
  std::optional<double> error_budget = {};
};

struct InspectOptions {
  std::filesystem::path model = {};
  TypeOptions types = {};
};

struct CompileOptions {
  std::filesystem::path model = {};
  TypeOptions types = {};
  std::string part = "xcku115-flvb2104-2-i";
  std::string clock = "5ns";
  std::string lanes = {};                   ///< "4", "4x28", "all"; empty: chosen
  std::string latency = {}, interval = {};  ///< at most, as a time or in cycles; empty: any
  std::optional<int64_t> max_lut = {};
  int effort = 1;
  std::string adders = "auto";  ///< or "two-input", "three-input"
  std::string dsp = "never";    ///< or "auto", "prefer"
  std::string bram = "auto";
  std::filesystem::path overrides = {};  ///< options of single layers; empty: none
  bool logits = false;
  std::filesystem::path output = "out";
};

struct RunOptions {
  std::filesystem::path model = {};
  TypeOptions types = {};
  std::vector<std::filesystem::path> inputs = {};
  std::vector<std::filesystem::path> outputs = {};  ///< empty: numbers are printed
  std::string layout = "auto";                      ///< or "hwc", "chw"
  bool raw = false;                                 ///< outputs as integers
  bool as_float = false;                            ///< the imported graph, in double
};

struct ConvertOptions {
  std::filesystem::path model = {};
  TypeOptions types = {};
  std::filesystem::path output = {};
};

struct EmulateOptions {
  std::filesystem::path model = {};
  TypeOptions types = {};
  ImageOptions images = {};
};

struct SimulateOptions {
  std::filesystem::path build = {};
  ImageOptions images = {};
  int64_t frames = 200;  ///< 0: all test images
  std::vector<std::string> arrivals = {"back-to-back"};
  std::string simulator = "verilator";
  uint64_t seed = 1;  ///< of gaps and random frames
};

struct SynthOptions {
  std::filesystem::path build = {};
};

struct ReportOptions {
  std::filesystem::path build = {};
};

struct AddersOptions {
  std::filesystem::path matrix = {};
  std::string input_range = "-128,127";     ///< of every input
  std::filesystem::path input_ranges = {};  ///< one a column; empty: input_range
  std::optional<int> max_depth = {}, extra_depth = {};
  int effort = 1;
  uint64_t seed = 1;
  std::string clock = {};  ///< empty: no registers
  std::string part = "xcku115-flvb2104-2-i";
  std::string adders = "two-input";    ///< as of CompileOptions
  std::filesystem::path verilog = {};  ///< empty: none is written
};

struct ReproduceOptions {
  TrainOptions train = {};
  CompileOptions compile = {};
  int64_t frames = 200;
};

using Command = std::variant<TrainOptions, InspectOptions, CompileOptions, EmulateOptions,
                             SimulateOptions, SynthOptions, ReportOptions, ReproduceOptions,
                             AddersOptions, RunOptions, ConvertOptions>;

/// A command line that makes sense.
struct CommandLine {
  bool json = false;
  Command command;
};

/// A command line that asks for nothing to be done: --help, --version, or wrong usage.
struct EarlyExit {
  int exit_code = 0;
  std::string output;  ///< for standard output
  std::string errors;  ///< for standard error
};

/// Reads the command line.
std::variant<CommandLine, EarlyExit> parse_command_line(int argc, const char* const* argv);

}  // namespace millrace::cli
