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

struct InspectOptions {
  std::filesystem::path model = {};
  std::filesystem::path weights = {};  ///< of a .json model; empty: beside it
};

struct CompileOptions {
  std::filesystem::path model = {};
  std::filesystem::path weights = {};  ///< as of InspectOptions
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

struct EmulateOptions {
  std::filesystem::path model = {};
  std::filesystem::path weights = {};  ///< as of InspectOptions
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

using Command =
    std::variant<TrainOptions, InspectOptions, CompileOptions, EmulateOptions, SimulateOptions,
                 SynthOptions, ReportOptions, ReproduceOptions, AddersOptions>;

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
