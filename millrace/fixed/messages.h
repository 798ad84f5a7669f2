// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "millrace/support/diagnostics.h"

namespace millrace::fixed::messages {

inline constexpr Message TypeSyntax{"fixed.type_syntax", "'{}' is not a fixed-point type",
                                    "write fixed<W,I> or ufixed<W,I>: W bits in all, of which I "
                                    "integer bits, the sign included"};
inline constexpr Message WidthOutOfRange{"fixed.width_out_of_range",
                                         "'{}' is {} bits wide; 1 to {} bits are possible",
                                         "choose a width in that range"};
inline constexpr Message FractionOutOfRange{"fixed.fraction_out_of_range",
                                            "'{}' has {} fraction bits; -{} to {} are possible",
                                            "choose fewer integer or fraction bits"};

}  // namespace millrace::fixed::messages
