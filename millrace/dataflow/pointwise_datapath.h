// SPDX-License-Identifier: Apache-2.0
// Lowers operations on single elements, on pairs of them and on the channels of a pixel to nodes of
// a datapath.
#pragma once

#include <cstdint>
#include <vector>

#include "millrace/dataflow/datapath.h"
#include "millrace/graph/op.h"

namespace millrace::dataflow {

/// A node and the fraction bits of its raw integers.
struct FixedNode {
  NodeId id = 0;
  int frac_bits = 0;
};

/// x * 2^shift, which takes no logic.
NodeId append_shift(Datapath& path, NodeId x, int shift);

/// x * factor, as adders of shifted x by the factor's signed digits.
NodeId append_scaled(Datapath& path, NodeId x, Int128 factor);

/// a * b.
NodeId append_product(Datapath& path, NodeId a, NodeId b);

/// A function of two elements, in the fraction bits of the operation's result.
NodeId append_binary(Datapath& path, graph::BinaryFunction function, const FixedNode& a,
                     const FixedNode& b, int frac_bits);

/// x where x >= 0, else alpha * x.
NodeId append_prelu(Datapath& path, const FixedNode& x, const FixedNode& alpha, int frac_bits);

NodeId append_exact(Datapath& path, graph::ExactFunction function, NodeId x);

/// The largest element, or the sum of all.
NodeId append_reduction(Datapath& path, graph::ReduceFunction function, std::vector<NodeId> level);

/// The indices of the k largest elements, the largest one's first; of equal ones the lower first.
///
/// Complexity  n - 1 comparisons for k = 1, else n (n - 1) / 2.
std::vector<NodeId> append_top_k(Datapath& path, const std::vector<NodeId>& x, int64_t k);

/// sum / count, rounded and limited: the exact quotient, as millrace::requantize_quotient().
///
/// Source   Granlund and Montgomery, Division by invariant integers using multiplication, PLDI
/// 1994:
///          floor(n / d) as a product with a rounded-up reciprocal, wide enough for every n of the
///          sum's range.
NodeId append_quotient(Datapath& path, const FixedNode& sum, int64_t count, const Quantizer& to);

}  // namespace millrace::dataflow
