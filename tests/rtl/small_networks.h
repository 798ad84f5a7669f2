// SPDX-License-Identifier: Apache-2.0
// Sequential networks of a few layers, their weights drawn by seed, for tests of the hardware.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "millrace/graph/graph.h"
#include "millrace/graph/op.h"

namespace millrace::testing {

/// A network under construction: each call appends a layer to the last one.
class SmallNetwork {
public:
  /// Starts with an input of that shape and type; the circuit is called `name`.
  SmallNetwork(const std::string& name, const Shape& shape, const FixedType& type, uint64_t seed);

  SmallNetwork& conv(const graph::Window& window, int64_t filters);
  SmallNetwork& max_pool(const graph::Window& window);
  SmallNetwork& relu();
  /// RND_CONV and SAT.
  SmallNetwork& requantize(const FixedType& type);
  SmallNetwork& flatten();
  SmallNetwork& dense(int64_t neurons);

  /// The finished network; the last call.
  graph::Graph finish();

private:
  /// Any weight but 0, so that every input matters.
  graph::ValueId weights(const std::string& name, const Shape& shape);
  SmallNetwork& add(const std::string& name, const graph::OpKind& kind,
                    std::vector<graph::ValueId> more_operands = {});

  std::mt19937_64 random_;
  graph::Builder builder_;
  graph::ValueId value_ = 0;
};

/// Inputs of a network, and what the golden model says of them, by example and by the number of the
/// input or output.
struct Examples {
  std::vector<std::vector<IntTensor>> inputs;
  std::vector<std::vector<IntTensor>> outputs;
};
/// `count` random inputs, by seed.
Examples random_examples(const graph::Graph& graph, int64_t count, uint64_t seed);

}  // namespace millrace::testing
