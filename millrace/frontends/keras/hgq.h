// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "millrace/frontends/keras/layer_call.h"

namespace millrace::frontends::keras {

/// A fixed-point quantiser whose types differ from element to element. The numbers have `shape`,
/// the batch included, and are repeated along extents of 1.
struct FixedParameters {
  Shape shape;
  std::vector<double> keep_negative;  ///< 1: signed
  std::vector<double> bits;           ///< the sign included; 0: the element is 0
  std::vector<double> integers;       ///< of those, left of the point, the sign included
  Rounding rounding = Rounding::Floor;
  Overflow overflow = Overflow::Wrap;
};

/// Quantises x.
/// Errors   a shape that does not fit x; types of no bits or too many.
Result<Value> quantize_fixed(LayerCall& call, const std::string& suffix, const Value& x,
                             const FixedParameters& parameters);

/// Reads a mode by ap_fixed's name.
Result<Rounding> read_rounding(Config& config, std::string_view key);
Result<Overflow> read_overflow(Config& config, std::string_view key);

}  // namespace millrace::frontends::keras
