// SPDX-License-Identifier: Apache-2.0
// Handwritten-looking glyphs from a seed: a data set that needs no download.
#pragma once

#include <cstdint>

#include "millrace/data/image_set.h"

namespace millrace::data {

/// How many glyphs, and which.
struct GlyphOptions {
  uint64_t seed = 1;
  int64_t train_count = 2000;
  int64_t test_count = 800;
};

/// Draws 28 x 28 images of Γ (signal) against ⊥ (background), half each: curved strokes of varying
/// width, slanted, turned, shifted, partly missing, blurred and noisy, so that no classifier tells
/// all of them apart.
///
/// The bytes depend on the options alone: std::mt19937_64 and arithmetic that IEEE 754 defines to
/// the last bit (no libm functions but sqrt, no fused multiply-add).
DataSet make_glyphs(const GlyphOptions& options = {});

}  // namespace millrace::data
