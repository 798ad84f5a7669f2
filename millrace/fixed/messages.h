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
inline constexpr Message QuantizerSyntax{
    "fixed.quantizer_syntax", "'{}' is not a fixed-point type with its modes",
    "write fixed<W,I>, fixed<W,I,ROUNDING,OVERFLOW> or int<W>, each with or without ap_ and u, for "
    "instance ufixed<8,0,RND_CONV,SAT>"};
inline constexpr Message UnknownMode{
    "fixed.unknown_mode", "'{}': {} is no {} mode of fixed-point types",
    "use TRN, TRN_ZERO, RND, RND_ZERO, RND_MIN_INF, RND_INF or RND_CONV, and WRAP, SAT, SAT_ZERO, "
    "SAT_SYM or WRAP_SM"};

}  // namespace millrace::fixed::messages
