// SPDX-License-Identifier: Apache-2.0
// Draws of operations on maps, for networks made by seed.
#pragma once

#include "tests/support/draw.h"

#include "millrace/graph/graph.h"

namespace millrace::testing {

/// A window of at most 3 x 3 taps, perhaps dilated, strided and padded, each of whose positions on
/// the map has a tap inside it. No extent of the result exceeds max_extent, nor does the map's.
graph::Window draw_window(Draw& draw, const Shape& map, int64_t max_extent);

/// A transposed convolution of at most 3 x 3 taps, with or without output padding. No extent of the
/// result exceeds max_extent, nor does the map's.
graph::ConvTranspose2D draw_conv_transpose(Draw& draw, const Shape& map, int64_t max_extent);

/// More than half of each extent, or all of it.
graph::Slice draw_slice(Draw& draw, const Shape& shape);

/// Any permutation, the identity too.
graph::Transpose draw_transpose(Draw& draw);

/// A divisor of the number of channels.
int64_t draw_groups(Draw& draw, int64_t channels);

}  // namespace millrace::testing
