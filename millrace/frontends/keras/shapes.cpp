// SPDX-License-Identifier: Apache-2.0
// Layers that move, drop or repeat elements, and layers that do nothing at inference.
#include <algorithm>
#include <array>
#include <numeric>

#include "millrace/frontends/keras/layers.h"
#include "millrace/frontends/keras/messages.h"

namespace millrace::frontends::keras {
namespace {

int dimensions_of(const LayerCall& call) {
  return call.class_name().ends_with("1D") ? 1 : 2;
}

Status check_rank(const LayerCall& call) {
  const int dimensions = dimensions_of(call);
  if (call.x().shape.size() != static_cast<size_t>(dimensions) + 1)
    return error(messages::Rank, call.where(), to_string(call.x().shape),
                 dimensions == 1 ? "steps x channels" : "rows x columns x channels");
  return {};
}

/// Dropout, noise and penalties act in training only.
Result<Value> nothing(LayerCall& call) {
  call.config.ignore({"rate", "noise_shape", "seed", "stddev", "l1", "l2", "data_format"});
  return call.x();
}

Result<Value> flatten(LayerCall& call) {
  MR_TRY_STATUS(check_data_format(call));
  const Value& x = call.x();
  if (x.shape.size() == 1)
    return x;
  return call.add("", graph::Flatten{}, {x.id}, {num_elements(x.shape)});
}

Result<Value> reshape(LayerCall& call) {
  const Value& x = call.x();
  const Json* target = call.config.get("target_shape");
  if (!target || !target->is_array() || target->empty() || target->size() > 3)
    return call.config.bad("target_shape", "one to three extents");
  MR_TRY(Shape shape, call.config.integers("target_shape", target->size()));
  const int64_t wanted = num_elements(x.shape);
  int64_t known = 1;
  std::optional<size_t> free;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == -1 && !free) {
      free = i;
    } else if (shape[i] < 1 || known > wanted / shape[i]) {
      return error(messages::Shapes, call.where(), to_string(x.shape), target->dump());
    } else {
      known *= shape[i];
    }
  }
  if (free && wanted % known == 0)
    shape[*free] = wanted / known;
  else if (free || known != wanted)
    return error(messages::Shapes, call.where(), to_string(x.shape), target->dump());
  const Shape from = graph_shape(x.shape), to = graph_shape(shape);
  if (from == to)
    return Value{x.id, std::move(shape)};
  if (to.size() == 1)
    return call.add("", graph::Flatten{}, {x.id}, std::move(shape));
  return call.add("", graph::Reshape{to}, {x.id}, std::move(shape));
}

/// dims counts from 1, behind the batch.
Result<Value> permute(LayerCall& call) {
  const Value& x = call.x();
  const size_t rank = x.shape.size();
  MR_TRY(const auto dims, call.config.integers("dims", rank));
  std::vector<int64_t> sorted = dims;
  std::ranges::sort(sorted);
  for (size_t i = 0; i < rank; ++i)
    if (sorted[i] != static_cast<int64_t>(i) + 1)
      return call.config.bad("dims", "a permutation");
  if (std::ranges::is_sorted(dims))
    return x;
  Shape shape;
  for (const int64_t dim : dims)
    shape.push_back(x.shape[static_cast<size_t>(dim) - 1]);
  graph::Transpose op;
  if (rank == 2)
    op.permutation = {0, dims[0], dims[1]};
  else
    op.permutation = {dims[0] - 1, dims[1] - 1, dims[2] - 1};
  return call.add("", op, {x.id}, std::move(shape));
}

/// Numbers of rows or columns at each edge.
struct Edges {
  int64_t top = 0, bottom = 0, left = 0, right = 0;
};

/// Reads N, [N, N], [ROWS, COLUMNS] or [[TOP, BOTTOM], [LEFT, RIGHT]].
Result<Edges> read_edges(LayerCall& call, std::string_view key) {
  Config& config = call.config;
  Edges edges;
  const bool is_sequence = dimensions_of(call) == 1;
  const Json* json = config.get(key);
  const bool is_nested =
      !is_sequence && json && json->is_array() && json->size() == 2 && (*json)[0].is_array();
  if (is_nested) {
    const Json nested{{"rows", (*json)[0]}, {"columns", (*json)[1]}};
    Config sides(nested, config.where());
    MR_TRY(const auto rows, sides.integers("rows", 2));
    MR_TRY(const auto columns, sides.integers("columns", 2));
    edges = {rows[0], rows[1], columns[0], columns[1]};
  } else {
    MR_TRY(const auto numbers, config.integers(key, 2, std::vector<int64_t>{1, 1}));
    edges = is_sequence ? Edges{0, 0, numbers[0], numbers[1]}
                        : Edges{numbers[0], numbers[0], numbers[1], numbers[1]};
  }
  for (const int64_t edge : {edges.top, edges.bottom, edges.left, edges.right})
    if (edge < 0 || edge > graph::Window::Limit)
      return config.bad(key, "at least 0");
  return edges;
}

/// The shape of a map that grows by so much at each edge.
Shape grown(const Shape& shape, const Edges& edges, int64_t sign) {
  Shape result = shape;
  result[result.size() - 2] += sign * (edges.left + edges.right);
  if (result.size() == 3)
    result[0] += sign * (edges.top + edges.bottom);
  return result;
}

Result<Value> zero_padding(LayerCall& call) {
  MR_TRY_STATUS(check_rank(call));
  MR_TRY_STATUS(check_data_format(call));
  MR_TRY(const Edges edges, read_edges(call, "padding"));
  const Value& x = call.x();
  return call.add("", graph::Pad{edges.top, edges.left, edges.bottom, edges.right}, {x.id},
                  grown(x.shape, edges, 1));
}

Result<Value> cropping(LayerCall& call) {
  MR_TRY_STATUS(check_rank(call));
  MR_TRY_STATUS(check_data_format(call));
  MR_TRY(const Edges edges, read_edges(call, "cropping"));
  const Value& x = call.x();
  Shape shape = grown(x.shape, edges, -1);
  if (std::ranges::any_of(shape, [](int64_t extent) { return extent < 1; }))
    return call.config.bad("cropping", "something left of " + to_string(x.shape));
  const graph::Slice op{{edges.top, edges.left, 0}, graph_shape(shape)};
  return call.add("", op, {x.id}, std::move(shape));
}

Result<Value> up_sampling(LayerCall& call) {
  MR_TRY_STATUS(check_rank(call));
  MR_TRY_STATUS(check_data_format(call));
  const auto count = static_cast<size_t>(dimensions_of(call));
  MR_TRY(const auto size, call.config.integers("size", count, std::vector<int64_t>(count, 2)));
  MR_TRY(const std::string interpolation, call.config.text("interpolation", "nearest"));
  if (interpolation != "nearest")
    return call.config.bad("interpolation", "'nearest'");
  for (const int64_t factor : size)
    if (factor < 1 || factor > graph::Window::Limit)
      return call.config.bad("size", "at least 1");
  const Value& x = call.x();
  Shape shape = x.shape;
  for (size_t i = 0; i < count; ++i)
    shape[i] *= size[i];
  return call.add("", graph::Upsample{count == 1 ? 1 : size[0], size.back()}, {x.id},
                  std::move(shape));
}

/// N numbers to `n` rows of them.
Result<Value> repeat_vector(LayerCall& call) {
  const Value& x = call.x();
  MR_TRY(const int64_t n, call.config.integer("n"));
  if (x.shape.size() != 1)
    return error(messages::Rank, call.where(), to_string(x.shape), "a vector");
  if (n < 1 || n > graph::Window::Limit)
    return call.config.bad("n", "at least 1");
  MR_TRY(const Value row,
         call.add("row", graph::Reshape{{1, 1, x.channels()}}, {x.id}, {1, x.channels()}));
  return call.add("", graph::Upsample{1, n}, {row.id}, {n, x.channels()});
}

}  // namespace

std::span<const LayerRule> shape_layers() {
  static constexpr LayerRule Rules[] = {
      {"Dropout", &nothing},
      {"SpatialDropout1D", &nothing},
      {"SpatialDropout2D", &nothing},
      {"GaussianNoise", &nothing},
      {"GaussianDropout", &nothing},
      {"AlphaDropout", &nothing},
      {"ActivityRegularization", &nothing},
      {"Identity", &nothing},
      {"Flatten", &flatten},
      {"Reshape", &reshape},
      {"Permute", &permute},
      {"RepeatVector", &repeat_vector},
      {"ZeroPadding1D", &zero_padding},
      {"ZeroPadding2D", &zero_padding},
      {"Cropping1D", &cropping},
      {"Cropping2D", &cropping},
      {"UpSampling1D", &up_sampling},
      {"UpSampling2D", &up_sampling},
  };
  return Rules;
}

}  // namespace millrace::frontends::keras
