// SPDX-License-Identifier: Apache-2.0
// The exceptions of yaml-cpp end here.
#include "millrace/cli/overrides.h"

#include <algorithm>
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "millrace/cli/messages.h"
#include "millrace/cli/wishes.h"
#include "millrace/cli/yaml_place.h"
#include "millrace/support/files.h"
#include "millrace/support/names.h"

namespace millrace::cli {
namespace {

using dataflow::LayerOptions;
using Names = std::vector<std::string>;

const Names Keys = {"adders", "dsp", "effort", "lanes", "phases"};
const Names AdderKinds = {"two-input", "three-input"};
const Names BlockUses = {"never", "auto", "prefer"};

class Reader {
public:
  Reader(std::string where, const graph::Graph& model) : where_(std::move(where)) {
    for (const graph::Op& op : model.ops())
      if (!op.as<graph::Input>() && !op.as<graph::Constant>())
        layers_.push_back(op.name);
  }

  Result<std::map<std::string, LayerOptions>> read(const YAML::Node& root) {
    std::map<std::string, LayerOptions> result;
    if (!root.IsMap())
      return error(messages::BadOverrides, place(root), "a map with the key 'layers' is expected");
    for (const auto& entry : root) {
      if (const auto key = known_name(entry.first, "key", {"layers"}); !key)
        return tl::unexpected(key.error());
      if (!entry.second.IsMap())
        return error(messages::BadOverrides, place(entry.second), "layers are a map by name");
      for (const auto& layer : entry.second) {
        MR_TRY(const std::string name, known_name(layer.first, "layer", layers_));
        MR_TRY(const LayerOptions options, read_layer(layer.second));
        if (!result.emplace(name, options).second)
          return error(messages::BadOverrides, place(layer.first), "the layer is there twice");
      }
    }
    return result;
  }

private:
  std::string place(const YAML::Node& node) const { return place_in(where_, node.Mark()); }

  Result<std::string> known_name(const YAML::Node& node, const char* what,
                                 const Names& known) const {
    if (!node.IsScalar())
      return error(messages::BadOverrides, place(node), "a name is expected");
    const std::string& name = node.Scalar();
    if (std::find(known.begin(), known.end(), name) == known.end())
      return error(messages::UnknownOverride, place(node), what, name, nearest_name(name, known));
    return name;
  }

  template <class Number>
  Status read_number(const YAML::Node& node, const std::string& key,
                     std::optional<Number>& number) const {
    Number value{};
    if (!node.IsScalar() || !YAML::convert<Number>::decode(node, value))
      return error(messages::BadOverrides, place(node), "'" + key + "' is an integer");
    number = value;
    return {};
  }

  Result<LayerOptions> read_layer(const YAML::Node& node) const {
    LayerOptions options;
    if (!node.IsMap())
      return error(messages::BadOverrides, place(node), "a layer has a map of options");
    for (const auto& entry : node) {
      MR_TRY(const std::string key, known_name(entry.first, "key", Keys));
      if (key == "effort")
        MR_TRY_STATUS(read_number(entry.second, key, options.effort));
      if (key == "phases")
        MR_TRY_STATUS(read_number(entry.second, key, options.phases));
      if (key == "lanes")
        MR_TRY_STATUS(read_number(entry.second, key, options.lanes));
      if (key == "adders") {
        MR_TRY(const std::string kind, known_name(entry.second, "kind of adders", AdderKinds));
        options.three_input_adders = kind == "three-input";
      }
      if (key == "dsp") {
        MR_TRY(const std::string use, known_name(entry.second, "use of DSP blocks", BlockUses));
        options.dsp = parse_block_use(use);
      }
    }
    return options;
  }

  std::string where_;
  Names layers_;
};

}  // namespace

Result<std::map<std::string, LayerOptions>> parse_overrides(const std::string& text,
                                                            const std::string& where,
                                                            const graph::Graph& model) {
  try {
    return Reader(where, model).read(YAML::Load(text));
  } catch (const YAML::Exception& problem) {
    return error(messages::BadOverrides, place_in(where, problem.mark), problem.msg);
  }
}

Result<std::map<std::string, LayerOptions>> read_overrides(const std::filesystem::path& file,
                                                           const graph::Graph& model) {
  MR_TRY(const std::string text, read_file(file));
  return parse_overrides(text, file.string(), model);
}

}  // namespace millrace::cli
