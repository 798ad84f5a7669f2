// SPDX-License-Identifier: Apache-2.0
// Exact numbers of any size: products and quotients of scales.
#pragma once

#include <boost/multiprecision/cpp_int.hpp>
#include <optional>
#include <vector>

#include "millrace/graph/ops/constant.h"
#include "millrace/passes/dyadic.h"

namespace millrace::passes {

using Integer = boost::multiprecision::cpp_int;
using Rational = boost::multiprecision::cpp_rational;

/// raw * 2^-frac_bits
Rational rational(Int128 raw, int frac_bits);
/// Of a finite double: exact.
Rational rational(double number);
/// The elements of a constant.
std::vector<Rational> rationals(const graph::Constant& constant);

/// The largest integer that is not above a number, and the smallest that is not below it.
Integer floor(const Rational& number);
Integer ceil(const Rational& number);

/// Numbers as integers over one power of two. No value where one of them is none, or they span 100
/// bits or more.
std::optional<Dyadic> dyadic(const std::vector<Rational>& numbers);

/// The narrowest fixed-point vector of these numbers. No value where they are no binary fractions,
/// or 64 bits are not enough.
std::optional<graph::Constant> exact_vector(const std::vector<Rational>& numbers);

}  // namespace millrace::passes
