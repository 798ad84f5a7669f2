// SPDX-License-Identifier: Apache-2.0
// Where each element of a result comes from, for operations that move elements.
#pragma once

#include <cstddef>
#include <vector>

#include "millrace/graph/graph.h"

namespace millrace::emulator {

/// Stands for an element that is 0 and comes from nowhere.
inline constexpr size_t Nowhere = static_cast<size_t>(-1);

/// For each element of the result, of shape `y`, the number of x's element that it repeats.
std::vector<size_t> sources(const graph::Pad& pad, const Shape& x, const Shape& y);
std::vector<size_t> sources(const graph::Slice& slice, const Shape& x, const Shape& y);
std::vector<size_t> sources(const graph::Transpose& transpose, const Shape& x, const Shape& y);
std::vector<size_t> sources(const graph::Upsample& upsample, const Shape& x, const Shape& y);

/// A map of shape `stretched_shape()`, over which a convolution of stride 1 with the kernel turned
/// around gives what the transposed convolution gives: x's pixels a stride apart, zeros between.
Shape stretched_shape(const graph::ConvTranspose2D& conv, const Shape& x, const Shape& y);
std::vector<size_t> sources(const graph::ConvTranspose2D& conv, const Shape& x,
                            const Shape& stretched);

/// What the sum of each window position is divided by.
std::vector<int64_t> tap_counts(const graph::AvgPool& pool, const Shape& x, const Shape& y);

}  // namespace millrace::emulator
