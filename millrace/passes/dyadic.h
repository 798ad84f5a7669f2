// SPDX-License-Identifier: Apache-2.0
// Constants as exact numbers m * 2^-frac: every fixed-point number and every double is one.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "millrace/graph/ops/constant.h"

namespace millrace::passes {

/// A tensor's elements as integers over one power of two.
struct Dyadic {
  std::vector<Int128> raw;  ///< each below 2^100 in magnitude
  int frac_bits = 0;
};

/// The exact values of a constant, with the fewest fraction bits that they allow. No value when
/// they span too many bits for one frac_bits.
std::optional<Dyadic> exact_values(const graph::Constant& constant);

/// The narrowest fixed-point type that holds these numbers exactly; no value where it is wider than
/// `max_width` bits, or where there is none. Finds out at the first number that is too much.
/// Range    1 <= max_width <= 53.
std::optional<FixedType> exact_type(std::span<const double> numbers, int max_width);

/// The narrowest fixed-point constant of these exact values: no fraction bit, no integer bit and no
/// sign that they do not need. No value when it takes more bits than a tensor type allows.
std::optional<graph::Constant> narrowest_constant(Shape shape, Dyadic values);

/// scale[c] * x[i] + offset[c], where c is i modulo the number of channels: exact. No value when a
/// result spans too many bits.
std::optional<Dyadic> scale_and_shift(const Dyadic& x, const Dyadic& scale, const Dyadic& offset);

}  // namespace millrace::passes
