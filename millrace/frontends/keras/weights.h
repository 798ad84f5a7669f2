// SPDX-License-Identifier: Apache-2.0
// The numbers of a model's layers, whatever way the HDF5 file stores them.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/frontends/keras/hdf5_file.h"
#include "millrace/frontends/keras/model.h"

namespace millrace::frontends::keras {

/// A weight that a layer has.
struct WeightSpec {
  std::string_view name;  ///< "kernel", "moving_mean"
  Shape shape;            ///< as the configuration wants it
  /// Of the inner layer that owns it, "" for the layer itself ("batchnorm" of QConv2DBatchnorm).
  std::string_view owner = {};
  std::string_view other_name = {};  ///< which other versions of Keras give it
  bool has_any_shape = false;
  bool is_unused = false;  ///< of training: not read
};

/// Finds weights in one of three forms:
///
///   NAMES      group LAYER (or model_weights/LAYER), whose attribute weight_names lists arrays
///              such as LAYER/kernel:0, found by the last part of the name (Keras 2, and .h5)
///   VARIABLES  group layers/NAME/vars or _layer_checkpoint_dependencies/NAME/vars with arrays 0,
///              1, ... in the order of the layer's class (.keras, .weights.h5). NAME is the layer's
///              if the attribute `name` of vars says so, or if all groups are named so; else the
///              class in snake case with a counter, as Keras does it.
class Weights {
public:
  /// Errors   the file has none of these forms.
  static Result<Weights> open(Hdf5File file, const Model& model);

  /// All weights of a layer, by name.
  /// Errors   one is missing, has another shape, or there is one that is not in the list.
  Result<std::map<std::string, FloatTensor, std::less<>>> read(
      const Layer& layer, const std::vector<WeightSpec>& specs) const;

private:
  enum class Form { Names, Variables };
  Weights(Hdf5File file, Form form, std::string root)
      : file_(std::move(file)), form_(form), root_(std::move(root)) {}

  void name_groups(const Model& model);
  Result<std::map<std::string, std::string, std::less<>>> find_by_name(
      const Layer& layer, const std::vector<WeightSpec>& specs) const;
  Result<std::map<std::string, std::string, std::less<>>> find_by_number(
      const Layer& layer, const std::vector<WeightSpec>& specs) const;

  Hdf5File file_;
  Form form_;
  std::string root_;                           // the group of the layers' groups, "" or "GROUP/"
  std::map<std::string, std::string> groups_;  // Variables: by the layer's name
};

/// "QConv2D" as "q_conv2d": how Keras names the groups of a class.
std::string snake_case(std::string_view class_name);

}  // namespace millrace::frontends::keras
