// SPDX-License-Identifier: Apache-2.0
#include "millrace/quantize/hls4ml_types.h"

#include <algorithm>
#include <bit>

namespace millrace::quantize {
namespace {

FixedType fixed(bool is_signed, int int_bits, int frac_bits) {
  return {.is_signed = is_signed, .width = int_bits + frac_bits, .frac_bits = frac_bits};
}

int ceil_log2(int64_t number) {
  return static_cast<int>(std::bit_width(static_cast<uint64_t>(number - 1)));
}

// The integer bits of both, in a type that has a sign where either has one.
int common_int_bits(const FixedType& a, const FixedType& b) {
  const bool is_signed = a.is_signed || b.is_signed;
  return std::max(a.int_bits() + (is_signed && !a.is_signed ? 1 : 0),
                  b.int_bits() + (is_signed && !b.is_signed ? 1 : 0));
}

FixedType sum(const FixedType& a, const FixedType& b) {
  return fixed(a.is_signed || b.is_signed, common_int_bits(a, b) + 1,
               std::max(a.frac_bits, b.frac_bits));
}

FixedType product(const FixedType& a, const FixedType& b) {
  return fixed(a.is_signed || b.is_signed, a.int_bits() + b.int_bits(), a.frac_bits + b.frac_bits);
}

}  // namespace

FixedType hls4ml_sum_type(const FixedType& x, const FixedType& w, const FixedType& bias,
                          int64_t terms) {
  FixedType products = product(x, w);
  products.width += ceil_log2(terms);
  return sum(products, bias);
}

FixedType hls4ml_affine_type(const FixedType& x, const FixedType& scale, const FixedType& bias) {
  return sum(product(x, scale), bias);
}

FixedType hls4ml_mean_accumulator(const FixedType& x, int64_t taps) {
  const int growth = ceil_log2(taps);
  return fixed(x.is_signed, x.int_bits() + growth, x.frac_bits + growth);
}

FixedType hls4ml_concat_type(const FixedType& a, const FixedType& b) {
  return fixed(a.is_signed || b.is_signed, common_int_bits(a, b),
               std::max(a.frac_bits, b.frac_bits));
}

FixedType hls4ml_binary_type(graph::BinaryFunction function, const FixedType& a,
                             const FixedType& b) {
  switch (function) {
    case graph::BinaryFunction::Add:
      return sum(a, b);
    case graph::BinaryFunction::Sub: {
      FixedType difference = sum(a, b);
      difference.is_signed = true;
      return difference;
    }
    case graph::BinaryFunction::Mul:
      return product(a, b);
    case graph::BinaryFunction::Maximum:
    case graph::BinaryFunction::Minimum:
      break;
  }
  return hls4ml_concat_type(a, b);
}

}  // namespace millrace::quantize
