// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/adder_datapath.h"

#include "millrace/support/check.h"

namespace millrace::dataflow {

std::vector<NodeId> append_adder_graph(Datapath& path, std::span<const NodeId> inputs,
                                       const adders::AdderGraph& graph) {
  check(inputs.size() == static_cast<size_t>(graph.num_inputs), "one node for each input");
  std::vector<NodeId> values(inputs.begin(), inputs.end());
  std::vector<adders::Range> ranges;
  for (const NodeId input : inputs)
    ranges.push_back({path.node(input).lo, path.node(input).hi});
  ranges = adders::value_ranges(graph, ranges);
  for (const adders::Adder& adder : graph.adders) {
    const adders::Range& range = ranges[values.size()];
    values.push_back(path.add({.a = values[static_cast<size_t>(adder.a)],
                               .b = values[static_cast<size_t>(adder.b)],
                               .shift_a = adder.shift_a,
                               .shift_b = adder.shift_b,
                               .subtract = adder.subtract}));
    path.narrow(values.back(), range.lo, range.hi);
  }
  std::vector<NodeId> results;
  for (const adders::RowSum& row : graph.rows) {
    if (row.value == adders::RowSum::Zero) {
      results.push_back(path.constant(0));
      continue;
    }
    const NodeId value = values[static_cast<size_t>(row.value)];
    if (row.shift == 0 && !row.negate)
      results.push_back(value);
    else
      results.push_back(path.add({.a = path.constant(0),
                                  .b = value,
                                  .shift_a = 0,
                                  .shift_b = row.shift,
                                  .subtract = row.negate}));
  }
  return results;
}

Datapath adder_datapath(const adders::AdderGraph& graph, std::span<const adders::Range> inputs) {
  Datapath path;
  std::vector<NodeId> nodes;
  for (const adders::Range& range : inputs)
    nodes.push_back(path.input(range.lo, range.hi));
  for (const NodeId row : append_adder_graph(path, nodes, graph))
    path.outputs.push_back({.node = row, .type = path.node(row).type()});
  return path;
}

}  // namespace millrace::dataflow
