// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "millrace/cli/console.h"
#include "millrace/cli/options.h"
#include "millrace/report/records.h"

namespace millrace::cli {

/// Where the record of a model's training lies: letters.train.json beside letters.onnx.
std::filesystem::path training_record_path(const std::filesystem::path& model);

/// The checksum by which a training record knows its model.
/// Errors   as read_file.
Result<std::string> checksum_of(const std::filesystem::path& model);

/// Trains, writes the model and, beside it, its record.
Result<report::TrainingRecord> train_model(const TrainOptions& options, Console& console);

}  // namespace millrace::cli
