// SPDX-License-Identifier: Apache-2.0
#include "millrace/emulator/pointwise_steps.h"

#include <limits>

#include "millrace/emulator/conversion.h"
#include "millrace/emulator/kernels.h"
#include "millrace/emulator/pointwise_kernels.h"
#include "millrace/support/check.h"

namespace millrace::emulator {

using graph::BinaryFunction;
using graph::Broadcast;
using graph::ExactFunction;

namespace {

/// 2^shift; 0 where only 0 can be shifted so far without leaving what type inference accepts.
Int128 factor_of(int shift) {
  check(shift >= 0, "a result has fewer fraction bits than what it follows from");
  return shift > 100 ? Int128{0} : Int128{1} << shift;
}

template <class W>
bool fits(const ShiftedOperand& operand) {
  constexpr W Min = std::numeric_limits<W>::min();
  constexpr W Max = std::numeric_limits<W>::max();
  const auto [lo, hi] = operand.range;
  if (lo == 0 && hi == 0)
    return true;
  if (operand.shift > 62)
    return false;
  const Int128 factor = factor_of(operand.shift);
  return factor <= Max && lo * factor >= Min && hi * factor <= Max;
}

/// A step on two operands, computed in W: compute(pairing, a, b, y, number of elements).
template <class W, class A, class B, class Y, class Compute>
Step pair_step_in(const ShiftedOperand& a, const ShiftedOperand& b, const Broadcast& repeat,
                  const Buffer& y, Compute compute) {
  const Pairing<W> pairing{repeat, static_cast<W>(factor_of(a.shift)),
                           static_cast<W>(factor_of(b.shift))};
  return [=, from = a.buffer, other = b.buffer](Workspace& workspace) {
    compute(pairing, workspace.at<A>(from), workspace.at<B>(other), workspace.at<Y>(y),
            y.num_elements);
  };
}

template <class Compute>
Step pair_step(const ShiftedOperand& a, const ShiftedOperand& b, const Broadcast& repeat,
               const Buffer& y, Compute compute) {
  const bool is_narrow = a.buffer.storage == Storage::Int32 && b.buffer.storage == Storage::Int32 &&
                         y.storage == Storage::Int32 && fits<int32_t>(a) && fits<int32_t>(b);
  if (is_narrow)
    return pair_step_in<int32_t, int32_t, int32_t, int32_t>(a, b, repeat, y, compute);
  const bool is_wide = !fits<int64_t>(a) || !fits<int64_t>(b);
  return with_storage(a.buffer.storage, [&]<class A>(A) {
    return with_storage(b.buffer.storage, [&]<class B>(B) {
      return with_storage(y.storage, [&]<class Y>(Y) {
        return is_wide ? pair_step_in<Int128, A, B, Y>(a, b, repeat, y, compute)
                       : pair_step_in<int64_t, A, B, Y>(a, b, repeat, y, compute);
      });
    });
  });
}

/// A step on one operand: compute(x, y).
template <class Compute>
Step unary_step(const Buffer& x, const Buffer& y, Compute compute) {
  return with_storage(x.storage, [&]<class X>(X) {
    return with_storage(y.storage, [&]<class Y>(Y) -> Step {
      return [=](Workspace& workspace) { compute(workspace.at<X>(x), workspace.at<Y>(y)); };
    });
  });
}

/// What becomes of one channel or element: its own type, then the common fraction bits.
struct ElementConversion {
  Quantizer to;
  std::optional<Conversion<int64_t>> conversion;
  int shift = 0;
};

}  // namespace

Step binary_step(BinaryFunction function, const ShiftedOperand& a, const ShiftedOperand& b,
                 const Broadcast& repeat, const Buffer& y) {
  return pair_step(
      a, b, repeat, y,
      [function](const auto& pairing, const auto* from, const auto* other, auto* to, size_t count) {
        compute_binary(function, pairing, from, other, to, count);
      });
}

Step prelu_step(const ShiftedOperand& x, const ShiftedOperand& alpha, const Broadcast& repeat,
                const Buffer& y) {
  return pair_step(x, alpha, repeat, y,
                   [](const auto& pairing, const auto* from, const auto* other, auto* to,
                      size_t count) { compute_prelu(pairing, from, other, to, count); });
}

Step exact_step(ExactFunction function, const Buffer& x, const Buffer& y) {
  return unary_step(
      x, y, [=](const auto* from, auto* to) { compute_exact(function, from, to, y.num_elements); });
}

Step top_k_step(size_t channels, size_t k, const Buffer& x, const Buffer& y) {
  return unary_step(x, y, [=](const auto* from, auto* to) {
    compute_top_k(channels, k, from, to, y.num_elements / k);
  });
}

Step requantize_step(const graph::Requantize& requantize, const FixedType& from, const Buffer& x,
                     const Buffer& y) {
  std::vector<ElementConversion> elements;
  for (size_t i = 0; i < requantize.types.size(); ++i) {
    const Quantizer to = requantize.at(i);
    elements.push_back(
        {to, make_conversion<int64_t>(from, to), requantize.to.type.frac_bits - to.type.frac_bits});
  }
  return unary_step(x, y, [=]<class X, class Y>(const X* source, Y* target) {
    for (size_t i = 0; i < y.num_elements; ++i, source += BlockSize, target += BlockSize) {
      const ElementConversion& element = elements[i % elements.size()];
      int64_t own[BlockSize];
      if (element.conversion)
        convert(*element.conversion, source, own, 1);
      else
        convert_slowly(from.frac_bits, element.to, source, own, 1);
      for (size_t n = 0; n < BlockSize; ++n)
        target[n] = static_cast<Y>(static_cast<uint64_t>(own[n]) << element.shift);
    }
  });
}

}  // namespace millrace::emulator
