// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/closure.h"

#include <boost/graph/boykov_kolmogorov_max_flow.hpp>
#include <boost/graph/compressed_sparse_row_graph.hpp>
#include <boost/property_map/property_map.hpp>
#include <limits>

namespace millrace::dataflow {
namespace {

using Graph = boost::compressed_sparse_row_graph<boost::directedS>;
using Edge = Graph::edge_descriptor;

/// Every edge of a flow network has a reverse edge beside it.
class FlowNetwork {
public:
  explicit FlowNetwork(size_t num_vertices) : num_vertices_(num_vertices) {}

  void add(int from, int to, int64_t capacity) { arcs_.push_back({from, to, capacity}); }

  /// Vertices that the source still reaches when the flow is at its maximum.
  std::vector<bool> source_side(int source, int sink);

private:
  struct Arc {
    int from = 0, to = 0;
    int64_t capacity = 0;
  };
  size_t num_vertices_;
  std::vector<Arc> arcs_;
};

std::vector<bool> FlowNetwork::source_side(int source, int sink) {
  // Edge 2i runs forward along arc i, edge 2i + 1 back; the sparse graph sorts them by origin.
  std::vector<std::pair<size_t, size_t>> ends;
  ends.reserve(2 * arcs_.size());
  std::vector<size_t> first(num_vertices_ + 1, 0);
  for (const Arc& arc : arcs_) {
    ++first[static_cast<size_t>(arc.from) + 1];
    ++first[static_cast<size_t>(arc.to) + 1];
  }
  for (size_t i = 0; i < num_vertices_; ++i)
    first[i + 1] += first[i];
  const size_t num_edges = 2 * arcs_.size();
  ends.resize(num_edges);
  std::vector<int64_t> capacities(num_edges, 0);
  std::vector<Edge> reverse(num_edges);
  for (const Arc& arc : arcs_) {
    const auto from = static_cast<size_t>(arc.from);
    const auto to = static_cast<size_t>(arc.to);
    const size_t forward = first[from]++;
    const size_t back = first[to]++;
    ends[forward] = {from, to};
    ends[back] = {to, from};
    capacities[forward] = arc.capacity;
    reverse[forward] = Edge(to, back);
    reverse[back] = Edge(from, forward);
  }
  const Graph graph(boost::edges_are_sorted, ends.begin(), ends.end(), num_vertices_);

  const auto edge_index = get(boost::edge_index, graph);
  const auto vertex_index = get(boost::vertex_index, graph);
  std::vector<int64_t> residual(num_edges, 0);
  std::vector<Edge> predecessors(num_vertices_);
  std::vector<boost::default_color_type> colors(num_vertices_);
  std::vector<int64_t> distances(num_vertices_);
  boost::boykov_kolmogorov_max_flow(
      graph, boost::make_iterator_property_map(capacities.begin(), edge_index),
      boost::make_iterator_property_map(residual.begin(), edge_index),
      boost::make_iterator_property_map(reverse.begin(), edge_index),
      boost::make_iterator_property_map(predecessors.begin(), vertex_index),
      boost::make_iterator_property_map(colors.begin(), vertex_index),
      boost::make_iterator_property_map(distances.begin(), vertex_index), vertex_index,
      static_cast<size_t>(source), static_cast<size_t>(sink));
  std::vector<bool> reached(num_vertices_);
  for (size_t i = 0; i < num_vertices_; ++i)
    reached[i] = colors[i] == boost::black_color;
  return reached;
}

}  // namespace

int Closure::add_item(int64_t gain) {
  gains_.push_back(gain);
  return static_cast<int>(gains_.size()) - 1;
}

std::vector<bool> Closure::best() const {
  const int num_items = static_cast<int>(gains_.size());
  const int source = num_items;
  const int sink = num_items + 1;
  FlowNetwork network(gains_.size() + 2);
  int64_t total = 1;
  for (int item = 0; item < num_items; ++item) {
    const int64_t gain = gains_[static_cast<size_t>(item)];
    if (gain > 0)
      network.add(source, item, gain);
    else if (gain < 0)
      network.add(item, sink, -gain);
    total += std::max<int64_t>(0, gain);
  }
  for (const auto& [item, other] : requirements_)
    network.add(item, other, total);  // more than any cut worth making
  std::vector<bool> chosen = network.source_side(source, sink);
  chosen.resize(gains_.size());
  return chosen;
}

}  // namespace millrace::dataflow
