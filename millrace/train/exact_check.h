// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "millrace/data/image_set.h"
#include "millrace/support/diagnostics.h"

namespace millrace::train {

/// The logits of a QONNX model as the compiler will see it: imported, lowered to the exact graph
/// and evaluated by the golden model on every image.
/// Units    real numbers: the raw results times 2^-frac_bits.
/// Errors   what import and lowering refuse.
Result<std::vector<double>> exact_logits(std::string_view qonnx, const data::ImageSet& images);

/// Compares what LibTorch computed with the exact graph: every logit, and so every decision.
/// Errors   InternalError that names the first image on which they differ.
void check_equal(const std::vector<double>& trained, const std::vector<double>& exact);

}  // namespace millrace::train
