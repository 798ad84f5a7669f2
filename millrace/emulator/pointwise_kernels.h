// SPDX-License-Identifier: Apache-2.0
// The inner loops of operations element by element and along the channels, on blocks as in
// kernels.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "millrace/graph/ops/binary.h"
#include "millrace/graph/ops/broadcast.h"
#include "millrace/graph/ops/exact.h"

namespace millrace::emulator {

/// What brings two operands to the fraction bits of the result, and together.
template <class W>
struct Pairing {
  graph::Broadcast repeat;  ///< of b
  W a_factor = 1;
  W b_factor = 1;
};

/// y[i] = function(a[i] * a_factor, b[repeat(i)] * b_factor), computing in W, which holds both.
template <class W, class A, class B, class Y>
void compute_binary(graph::BinaryFunction function, const Pairing<W>& pairing, const A* a,
                    const B* b, Y* y, size_t num_elements);

/// y[i] = x[i] * (x[i] >= 0 ? a_factor : alpha[repeat(i)] * b_factor), computing in W.
template <class W, class A, class B, class Y>
void compute_prelu(const Pairing<W>& pairing, const A* x, const B* alpha, Y* y,
                   size_t num_elements);

/// y[i] = function(x[i]).
template <class X, class Y>
void compute_exact(graph::ExactFunction function, const X* x, Y* y, size_t num_elements);

/// The channels of the k largest numbers of each of `num_places` places.
template <class X, class Y>
void compute_top_k(size_t channels, size_t k, const X* x, Y* y, size_t num_places);

}  // namespace millrace::emulator
