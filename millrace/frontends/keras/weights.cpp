// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/keras/weights.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <set>

#include "millrace/frontends/keras/messages.h"
#include "millrace/support/names.h"

namespace millrace::frontends::keras {
namespace {

/// Weights that only training reads: the counter of QKeras' folded layers.
constexpr std::array<std::string_view, 1> TrainingWeights = {"iteration"};

bool is_training_weight(std::string_view name) {
  return std::ranges::find(TrainingWeights, name) != TrainingWeights.end();
}

/// The last part of "conv/kernel:0": "kernel".
std::string_view base_name(std::string_view name) {
  const size_t slash = name.rfind('/');
  if (slash != std::string_view::npos)
    name.remove_prefix(slash + 1);
  return name.substr(0, name.find(':'));
}

bool is_upper(char c) {
  return std::isupper(static_cast<unsigned char>(c)) != 0;
}
bool is_lower(char c) {
  return std::islower(static_cast<unsigned char>(c)) != 0;
}

}  // namespace

// Keras puts "_" before a capital that a small letter follows, then between a small letter and a
// capital.
std::string snake_case(std::string_view class_name) {
  std::string text;
  for (size_t i = 0; i < class_name.size(); ++i) {
    const char c = class_name[i];
    const bool starts_word =
        i > 0 && is_upper(c) && i + 1 < class_name.size() && is_lower(class_name[i + 1]);
    const bool follows_small = i > 0 && is_upper(c) && is_lower(class_name[i - 1]);
    if (starts_word || follows_small)
      text += '_';
    text += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return text;
}

Result<Weights> Weights::open(Hdf5File file, const Model& model) {
  for (const std::string root : {"model_weights", ""}) {
    MR_TRY(const auto names, file.texts(root, "layer_names"));
    if (names)
      return Weights(std::move(file), Form::Names, root.empty() ? root : root + "/");
  }
  for (const std::string root : {"layers", "_layer_checkpoint_dependencies"})
    if (file.has_group(root)) {
      Weights weights(std::move(file), Form::Variables, root + "/");
      weights.name_groups(model);
      return weights;
    }
  return error(messages::NoWeights, file.file());
}

void Weights::name_groups(const Model& model) {
  std::map<std::string, std::string> by_attribute, by_counter, by_name;
  const auto groups = file_.names_in(root_);
  for (const std::string& group : groups) {
    const auto name = file_.text(root_ + group + "/vars", "name");
    if (name && *name)
      by_attribute.emplace(**name, group);
  }
  std::map<std::string, int> counters;
  std::set<std::string> counted;
  for (const Layer& layer : model.layers) {
    const size_t package = layer.class_name.find('>');
    const std::string base =
        snake_case(std::string_view(layer.class_name).substr(package + 1));  // npos + 1 is 0
    const int count = counters[base]++;
    const std::string group = count == 0 ? base : fmt::format("{}_{}", base, count);
    counted.insert(group);
    by_counter.emplace(layer.name, group);
    by_name.emplace(layer.name, layer.name);
  }
  const bool has_attributes = std::ranges::any_of(
      model.layers, [&](const Layer& layer) { return by_attribute.contains(layer.name); });
  const auto are_all_in = [&](const auto& names) {
    return std::ranges::all_of(groups,
                               [&](const std::string& group) { return names.contains(group); });
  };
  const bool are_names = !are_all_in(counted) && are_all_in(by_name);
  groups_ = has_attributes ? by_attribute : are_names ? by_name : by_counter;
}

Result<std::map<std::string, std::string, std::less<>>> Weights::find_by_name(
    const Layer& layer, const std::vector<WeightSpec>& specs) const {
  const std::string group = root_ + layer.name;
  const std::string where = layer.where;
  std::map<std::string, std::string, std::less<>> paths;
  MR_TRY(const auto names, file_.texts(group, "weight_names"));
  for (const std::string& name : names.value_or(std::vector<std::string>{})) {
    const std::string_view base = base_name(name);
    if (is_training_weight(base))
      continue;
    const auto spec = std::ranges::find_if(specs, [&](const WeightSpec& candidate) {
      return candidate.name == base || (!base.empty() && candidate.other_name == base);
    });
    if (spec == specs.end())
      return error(messages::ExtraWeight, where, printable(name), file_.file());
    if (!paths.emplace(spec->name, fmt::format("{}/{}", group, name)).second)
      return error(messages::DuplicateWeight, where, spec->name, file_.file());
  }
  return paths;
}

Result<std::map<std::string, std::string, std::less<>>> Weights::find_by_number(
    const Layer& layer, const std::vector<WeightSpec>& specs) const {
  std::map<std::string, std::string, std::less<>> paths;
  const auto group = groups_.find(layer.name);
  if (group == groups_.end())
    return paths;
  std::map<std::string_view, size_t> counts;
  for (const WeightSpec& spec : specs) {
    const std::string owner = spec.owner.empty() ? "" : std::string(spec.owner) + "/";
    paths.emplace(spec.name,
                  fmt::format("{}{}/{}vars/{}", root_, group->second, owner, counts[spec.owner]++));
  }
  // Folded layers count their steps behind their own weights.
  const bool has_counter =
      layer.class_name.ends_with("Batchnorm") && !layer.class_name.starts_with("hgq>");
  for (const auto& [owner, count] : counts) {
    const std::string vars =
        fmt::format("{}{}/{}{}vars", root_, group->second, owner, owner.empty() ? "" : "/");
    const size_t allowed = count + (has_counter && owner.empty() ? 1 : 0);
    for (const std::string& name : file_.names_in(vars)) {
      const bool is_number = !name.empty() && name.size() < 6 &&
                             std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
      if (!is_number || std::stoul(name) >= allowed)
        return error(messages::ExtraWeight, layer.where,
                     printable(fmt::format("{}/{}", vars, name)), file_.file());
    }
  }
  return paths;
}

Result<std::map<std::string, FloatTensor, std::less<>>> Weights::read(
    const Layer& layer, const std::vector<WeightSpec>& specs) const {
  MR_TRY(const auto paths,
         form_ == Form::Names ? find_by_name(layer, specs) : find_by_number(layer, specs));
  std::map<std::string, FloatTensor, std::less<>> weights;
  for (const WeightSpec& spec : specs) {
    if (spec.is_unused)
      continue;
    const auto path = paths.find(spec.name);
    if (path == paths.end() || !file_.has_array(path->second))
      return error(messages::MissingWeight, layer.where, spec.name, file_.file());
    MR_TRY(FloatTensor value, file_.array(path->second));
    if (!spec.has_any_shape && value.shape != spec.shape)
      return error(messages::WeightShape, layer.where, spec.name, to_string(value.shape),
                   to_string(spec.shape));
    weights.emplace(spec.name, std::move(value));
  }
  return weights;
}

}  // namespace millrace::frontends::keras
