// SPDX-License-Identifier: Apache-2.0
// Labelled images on their way into a model.
#pragma once

#include <filesystem>
#include <vector>

#include "millrace/cli/options.h"
#include "millrace/data/image_set.h"
#include "millrace/graph/ops/input.h"
#include "millrace/report/records.h"

namespace millrace::cli {

/// How a pixel becomes an input, in the words of plan.json; where "input_steps" has the input, in
/// its steps.
inline constexpr const char* Preprocessing = "pixel / 256, RND_CONV, SAT";

/// The images asked for; where none were, those that the build's model was trained with.
/// Errors   cli.no_images; a damaged train.json.
Result<report::DataRecord> image_source(const ImageOptions& options,
                                        const std::filesystem::path& model);

/// Loads them.
/// Errors   data.*
Result<data::DataSet> load_images(const report::DataRecord& source);

/// Raw integers of the model's input for the first `count` images, one after another.
///
/// Semantics    pixel p stands for p / 256, requantised with RND_CONV and SAT, in the input's steps
/// Errors       images of another size than the model's input
Result<std::vector<int64_t>> quantise_images(const data::ImageSet& images, int64_t count,
                                             const graph::Input& input);

}  // namespace millrace::cli
