// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/onnx/layout.h"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>
#include <set>

#include "millrace/frontends/onnx/constant_value.h"
#include "millrace/support/check.h"

namespace millrace::frontends::onnx {
namespace {

/// Products of the last extents, the longest first: the numbers of elements at which an index's
/// digits are cut. 1, the shortest, is left out, and so is the number of all elements.
std::vector<int64_t> suffix_products(const Shape& extents) {
  std::vector<int64_t> products;
  int64_t product = 1;
  for (size_t i = extents.size(); i-- > 1;) {
    product *= extents[i];
    products.push_back(product);
  }
  std::ranges::reverse(products);
  return products;
}

}  // namespace

Layout::Layout(Shape factors, std::vector<size_t> order)
    : factors_(std::move(factors)), order_(std::move(order)) {
  check(factors_.size() == order_.size(), "an order of other factors");
}

std::string Layout::to_string() const {
  return is_plain() ? ""
                    : fmt::format("{}:{}", millrace::to_string(factors_), fmt::join(order_, "."));
}

Layout Layout::plain(const Shape& shape) {
  Layout layout;
  std::ranges::copy_if(shape, std::back_inserter(layout.factors_),
                       [](int64_t extent) { return extent != 1; });
  layout.order_.resize(layout.factors_.size());
  std::iota(layout.order_.begin(), layout.order_.end(), size_t{0});
  return layout;
}

Layout Layout::of_axes(const Shape& shape, std::span<const size_t> axes) {
  check(axes.size() == shape.size(), "an order of other axes");
  Layout layout = plain(shape);
  const auto runs = layout.runs(shape);
  layout.order_.clear();
  for (size_t axis : axes)
    for (size_t i = runs[axis].begin; i < runs[axis].end; ++i)
      layout.order_.push_back(i);
  return layout;
}

bool Layout::is_plain() const {
  return std::ranges::is_sorted(order_);
}

std::vector<Layout::Run> Layout::runs(const Shape& shape) const {
  std::vector<Run> runs;
  size_t next = 0;
  for (int64_t extent : shape) {
    const size_t begin = next;
    for (int64_t product = 1; product < extent; ++next) {
      check(next < factors_.size(), "a layout of another shape");
      product *= factors_[next];
      check(extent % product == 0, "a layout of another shape");
    }
    runs.push_back({begin, next});
  }
  check(next == factors_.size(), "a layout of another shape");
  return runs;
}

std::vector<int64_t> Layout::places() const {
  return suffix_products(factors_);
}

Layout Layout::merged() const {
  // A factor joins the one before it where it follows that in the graph too.
  std::vector<bool> joins(factors_.size(), false);
  for (size_t i = 1; i < order_.size(); ++i)
    joins[order_[i]] = order_[i] == order_[i - 1] + 1;
  Layout result;
  std::vector<size_t> index(factors_.size());
  for (size_t i = 0; i < factors_.size(); ++i) {
    if (joins[i])
      result.factors_.back() *= factors_[i];
    else
      result.factors_.push_back(factors_[i]);
    index[i] = result.factors_.size() - 1;
  }
  for (size_t factor : order_)
    if (!joins[factor])
      result.order_.push_back(index[factor]);
  return result;
}

std::optional<Layout> Layout::cut(const std::vector<int64_t>& places) const {
  std::vector<std::vector<size_t>> parts(factors_.size());  // in the result, of each factor
  Layout result;
  int64_t above = std::accumulate(factors_.begin(), factors_.end(), int64_t{1}, std::multiplies{});
  const std::set<int64_t, std::greater<>> sorted(places.begin(), places.end());
  for (size_t i = 0; i < factors_.size(); ++i) {
    const int64_t end = above / factors_[i];
    int64_t from = above;
    const auto add = [&](int64_t to) {
      if (from == to)
        return true;
      if (from % to != 0)
        return false;
      parts[i].push_back(result.factors_.size());
      result.factors_.push_back(from / to);
      from = to;
      return true;
    };
    for (int64_t place : sorted)
      if (place < above && place > end && !add(place))
        return std::nullopt;
    if (!add(end))
      return std::nullopt;
    above = end;
  }
  for (size_t factor : order_)
    result.order_.insert(result.order_.end(), parts[factor].begin(), parts[factor].end());
  return result;
}

std::optional<Layout> Layout::reshaped(const Shape& shape) const {
  return merged().cut(suffix_products(plain(shape).factors_));
}

std::optional<Layout> Layout::refined(const Layout& other) const {
  return cut(other.places());
}

Layout Layout::transposed(const Shape& shape, std::span<const int64_t> axes) const {
  const auto all = runs(shape);
  Layout result;
  std::vector<size_t> index(factors_.size());
  for (int64_t axis : axes) {
    const Run& run = all[static_cast<size_t>(axis)];
    for (size_t i = run.begin; i < run.end; ++i) {
      index[i] = result.factors_.size();
      result.factors_.push_back(factors_[i]);
    }
  }
  for (size_t factor : order_)
    result.order_.push_back(index[factor]);
  return result;
}

Layout Layout::restricted(const Shape& shape, std::span<const size_t> axes) const {
  const auto all = runs(shape);
  Layout result;
  std::vector<std::optional<size_t>> index(factors_.size());
  for (size_t axis : axes) {
    for (size_t i = all[axis].begin; i < all[axis].end; ++i) {
      index[i] = result.factors_.size();
      result.factors_.push_back(factors_[i]);
    }
  }
  for (size_t factor : order_)
    if (index[factor])
      result.order_.push_back(*index[factor]);
  return result;
}

Layout Layout::with_last(const Shape& shape, size_t axis, int64_t extent) const {
  const auto all = runs(shape);
  Layout result;
  std::vector<std::optional<size_t>> index(factors_.size());
  std::optional<size_t> last;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i == axis && extent != 1) {
      last = result.factors_.size();
      result.factors_.push_back(extent);
    }
    for (size_t f = all[i].begin; i != axis && f < all[i].end; ++f) {
      index[f] = result.factors_.size();
      result.factors_.push_back(factors_[f]);
    }
  }
  for (size_t factor : order_)
    if (index[factor])
      result.order_.push_back(*index[factor]);
  if (last)
    result.order_.push_back(*last);
  return result;
}

Layout Layout::reordered(std::vector<size_t> order) const {
  check(std::ranges::is_permutation(order, order_), "an order of other factors");
  Layout result = *this;
  result.order_ = std::move(order);
  return result;
}

FloatTensor Layout::arrange(const FloatTensor& in) const {
  if (is_plain())
    return in;
  const int64_t rows =
      std::accumulate(factors_.begin(), factors_.end(), int64_t{1}, std::multiplies{});
  check(!in.shape.empty() && in.shape[0] == rows, "rows of another tensor");
  FloatTensor digits = in;
  digits.shape = factors_;
  digits.shape.push_back(num_elements(in.shape) / rows);
  std::vector<int64_t> order(order_.begin(), order_.end());
  order.push_back(static_cast<int64_t>(order_.size()));
  FloatTensor out = transpose(digits, order);
  out.shape = in.shape;
  return out;
}

}  // namespace millrace::frontends::onnx
