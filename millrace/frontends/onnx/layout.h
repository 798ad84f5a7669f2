// SPDX-License-Identifier: Apache-2.0
// How the elements of an ONNX tensor lie in a value of the graph.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "millrace/support/shape.h"

namespace millrace::frontends::onnx {

/// The order of a tensor's elements in the graph, as a permutation of factors of its shape.
///
/// A tensor's row-major index is a number with one digit for each *factor*; the extent of each axis
/// is a product of consecutive factors. The graph holds the elements with the digits in another
/// order: a 1xCxHxW map that the graph holds as HxWxC has the factors C, H, W in the order H, W, C,
/// and so has the vector that ONNX flattens it to. Reshaping and transposing a tensor change its
/// layout, not the graph's value. Factors of 1 are left out.
class Layout {
public:
  Layout() = default;
  /// Factors in ONNX's order, and which of them each position of the graph's order has.
  Layout(Shape factors, std::vector<size_t> order);
  /// The order that ONNX has too.
  static Layout plain(const Shape& shape);
  /// The axes of `shape` in the order given, outermost first.
  static Layout of_axes(const Shape& shape, std::span<const size_t> axes);

  /// True where the graph's order is ONNX's.
  bool is_plain() const;
  /// Extents of the factors, in ONNX's order.
  const Shape& factors() const { return factors_; }
  /// Which factor each position of the graph's order has, outermost first.
  const std::vector<size_t>& order() const { return order_; }
  /// For each axis of `shape` its factors: [first, one behind the last].
  /// Errors   InternalError where the factors do not make up the shape.
  struct Run {
    size_t begin = 0, end = 0;
    bool empty() const { return begin == end; }
  };
  std::vector<Run> runs(const Shape& shape) const;

  /// The same elements seen as a tensor of another shape; none where an axis of it is not a product
  /// of factors, or of parts of them that lie together in the graph.
  std::optional<Layout> reshaped(const Shape& shape) const;
  /// The layout of a transposed tensor: its axis i is axis axes[i] of this one's `shape`.
  Layout transposed(const Shape& shape, std::span<const int64_t> axes) const;
  /// Of the axes given alone, in the relative order that they have in the graph.
  Layout restricted(const Shape& shape, std::span<const size_t> axes) const;
  /// With one axis of `shape` made another extent, the last one in the graph's order.
  Layout with_last(const Shape& shape, size_t axis, int64_t extent) const;
  /// The same factors in another order.
  Layout reordered(std::vector<size_t> order) const;
  /// With the factors cut where those of another layout of the same shape are cut; none where the
  /// two have no common factors.
  std::optional<Layout> refined(const Layout& other) const;

  /// Puts the elements of a tensor, its first extent as this layout's elements, into the graph's
  /// order. What is behind the first extent moves along.
  FloatTensor arrange(const FloatTensor& in) const;

  /// "2x3x4:120": factors and order; "" where the order is ONNX's.
  std::string to_string() const;

  friend bool operator==(const Layout&, const Layout&) = default;

private:
  /// Cuts the factors at further places; suffix products, each a number of elements.
  std::optional<Layout> cut(const std::vector<int64_t>& places) const;
  /// Factors that follow each other in both orders made one.
  Layout merged() const;
  std::vector<int64_t> places() const;

  Shape factors_;
  std::vector<size_t> order_;
};

}  // namespace millrace::frontends::onnx
