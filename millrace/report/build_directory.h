// SPDX-License-Identifier: Apache-2.0
// What a build directory holds: `compile` makes it, the commands behind it add a record each.
#pragma once

#include <filesystem>
#include <optional>

#include "millrace/graph/graph.h"
#include "millrace/report/records.h"

namespace millrace::report {

/// File names inside a build directory.
inline constexpr const char* ModelFile = "model.mr";          ///< the exact graph as text
inline constexpr const char* SourceModelFile = "model.onnx";  ///< what it was compiled from
inline constexpr const char* PlanFile = "plan.json";          ///< marks a directory as a build
inline constexpr const char* RtlFolder = "rtl";               ///< the circuit's SystemVerilog
inline constexpr const char* FileList = "files.f";            ///< in RtlFolder: compilation order
inline constexpr const char* PageFile = "report.html";
inline constexpr const char* SummaryFile = "report.json";

/// Everything that a build directory says by now.
struct Build {
  NetworkRecord network = {};
  PlanRecord plan = {};
  std::optional<TrainingRecord> training = {};
  std::optional<EmulationRecord> emulation = {};
  std::optional<SimulationRecord> simulation = {};
  std::optional<SynthesisRecord> synthesis = {};
};

/// Reads the exact graph of a build directory.
/// Errors   not a build directory; a damaged model.mr.
Result<graph::Graph> read_model(const std::filesystem::path& directory);

/// Reads one record of a build directory, if it is there: "NAME.json".
/// Errors   not such a record.
template <class Record>
Result<std::optional<Record>> read_record(const std::filesystem::path& directory);

/// Adds or replaces a record: the file is complete or absent.
/// Errors   the directory is not writable.
template <class Record>
Status write_record(const std::filesystem::path& directory, const Record& record);

/// Reads all that is there.
/// Errors   not a build directory; a damaged file in it.
Result<Build> read_build(const std::filesystem::path& directory);

}  // namespace millrace::report
