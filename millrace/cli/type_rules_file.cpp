// SPDX-License-Identifier: Apache-2.0
// The exceptions of yaml-cpp end here.
#include "millrace/cli/type_rules_file.h"

#include <algorithm>
#include <set>

#include "millrace/cli/messages.h"
#include "millrace/cli/yaml_place.h"
#include "millrace/fixed/quantizer_text.h"
#include "millrace/support/files.h"
#include "millrace/support/names.h"

namespace millrace::cli {
namespace {

using quantize::Precision;
using quantize::Role;
using quantize::TypeRules;
using Names = std::vector<std::string>;

/// What hls4ml's files hold around HLSConfig.
const Names FileKeys = {
    "HLSConfig",    "Backend",     "Board",      "ClockPeriod",     "ClockUncertainty",
    "InputData",    "InputType",   "IOType",     "InterfaceType",   "KerasH5",
    "KerasJson",    "KerasModel",  "OnnxModel",  "OutputDir",       "OutputPredictions",
    "Part",         "ProjectName", "Stamp",      "TensorFlowModel", "Version",
    "WriterConfig", "XilinxPart",  "ProjectDir", "PytorchModel",    "InputShape",
    "ClockUnit"};
const Names ConfigKeys = {"Model",          "LayerType", "LayerName",  "Optimizers",
                          "SkipOptimizers", "Flows",     "Compression"};
/// What hls4ml says of a layer beside its precision; names that end in "_t" are types of its
/// tables.
const Names LayerKeys = {"Precision",
                         "ReuseFactor",
                         "Strategy",
                         "Trace",
                         "TraceOutput",
                         "table_size",
                         "TableSize",
                         "TargetCycles",
                         "ParallelizationFactor",
                         "ConvImplementation",
                         "Compression",
                         "BramFactor",
                         "Skip",
                         "skip",
                         "PartitionFactor",
                         "StreamDepth",
                         "MergeFactor",
                         "Implementation",
                         "ChannelsLastConversion",
                         "TransposeOutputs",
                         "InputsChannelLast",
                         "parallelization_factor",
                         "n_partitions",
                         "implementation",
                         "use_static",
                         "table_t",
                         "exp_table_t",
                         "inv_table_t",
                         "inv_inp_t",
                         "inp_norm_t"};
/// The values of layers that have no number format of their own here; those of tables do not have
/// one in hls4ml either, which reads table_t and the like beside Precision.
const Names IgnoredRoles = {"table",           "exp_table",        "inv_table",
                            "inv_inp",         "inp_norm",         "accum_t",
                            "depthwise_accum", "depthwise_result", "pointwise_result"};
const std::map<std::string, Role> Roles = {
    {"weight", Role::Weights}, {"depthwise", Role::Weights}, {"pointwise", Role::Weights},
    {"scale", Role::Weights},  {"alpha", Role::Weights},     {"param", Role::Weights},
    {"bias", Role::Bias},      {"accum", Role::Accumulator}, {"pointwise_accum", Role::Accumulator},
    {"result", Role::Result}};
/// The types of tables.
const std::map<std::string, std::optional<Quantizer> quantize::TableRules::*> TableTypes = {
    {"table_t", &quantize::TableRules::table},
    {"exp_table_t", &quantize::TableRules::exp_table},
    {"inv_table_t", &quantize::TableRules::inv_table},
    {"inv_inp_t", &quantize::TableRules::inv_inp},
    {"inp_norm_t", &quantize::TableRules::inp_norm}};

class Reader {
public:
  explicit Reader(std::string where) : where_(std::move(where)) {}

  Result<TypeRules> read(const YAML::Node& root) const {
    if (!root.IsMap())
      return error(messages::BadTypeRules, place(root), "a map with the key 'Model' is expected");
    YAML::Node config = root;
    if (root["HLSConfig"]) {
      MR_TRY_STATUS(check_keys(root, FileKeys));
      config.reset(root["HLSConfig"]);
      if (!config.IsMap())
        return error(messages::BadTypeRules, place(config), "HLSConfig is a map");
    }
    MR_TRY_STATUS(check_keys(config, ConfigKeys));
    TypeRules rules;
    if (config["Model"]) {
      MR_TRY(rules.model, read_layer(config["Model"]));
    }
    MR_TRY(rules.layer_type, read_layers(config["LayerType"]));
    MR_TRY(rules.layer_name, read_layers(config["LayerName"]));
    for (const auto& [name, precision] : rules.layer_type)
      if (!quantize::is_class_name(name))
        return error(messages::BadTypeRules, precision.place,
                     "'" + name + "' is no class of layers");
    return rules;
  }

private:
  std::string place(const YAML::Node& node) const { return place_in(where_, node.Mark()); }

  Result<std::string> key_of(const YAML::Node& node) const {
    if (!node.IsScalar())
      return error(messages::BadTypeRules, place(node), "a name is expected");
    return node.Scalar();
  }

  Status check_keys(const YAML::Node& map, const Names& known) const {
    for (const auto& entry : map) {
      MR_TRY(const std::string key, key_of(entry.first));
      if (std::find(known.begin(), known.end(), key) == known.end())
        return error(messages::UnknownOverride, place(entry.first), "key", key,
                     nearest_name(key, known));
    }
    return {};
  }

  Result<std::map<std::string, Precision>> read_layers(const YAML::Node& node) const {
    std::map<std::string, Precision> layers;
    if (!node || node.IsNull())
      return layers;
    if (!node.IsMap())
      return error(messages::BadTypeRules, place(node), "layers are a map by name");
    for (const auto& entry : node) {
      MR_TRY(const std::string name, key_of(entry.first));
      MR_TRY(Precision precision, read_layer(entry.second));
      if (!layers.emplace(name, std::move(precision)).second)
        return error(messages::BadTypeRules, place(entry.first), "'" + name + "' is there twice");
    }
    return layers;
  }

  Result<Precision> read_layer(const YAML::Node& node) const {
    if (!node.IsMap())
      return error(messages::BadTypeRules, place(node), "a layer has a map of options");
    MR_TRY_STATUS(check_keys(node, LayerKeys));
    const YAML::Node precision = node["Precision"];
    Precision result;
    result.place = place(precision ? precision : node);
    MR_TRY(result.tables, read_tables(node));
    if (!precision)
      return result;
    if (precision.IsScalar()) {
      MR_TRY(result.by_default, read_type(precision));
      return result;
    }
    if (!precision.IsMap())
      return error(messages::BadTypeRules, place(precision), "a precision is a type, or a map");
    for (const auto& entry : precision) {
      MR_TRY(const std::string role, key_of(entry.first));
      MR_TRY(const Precision::Entry type, read_type(entry.second));
      if (role == "default") {
        result.by_default = type;
      } else if (const auto found = Roles.find(role); found != Roles.end()) {
        result.by_role[found->second] = type;
      } else if (std::find(IgnoredRoles.begin(), IgnoredRoles.end(), role) == IgnoredRoles.end()) {
        Names known = {"default"};
        for (const auto& [name, unused] : Roles)
          known.push_back(name);
        return error(messages::UnknownOverride, place(entry.first), "value of a layer", role,
                     nearest_name(role, known));
      }
    }
    return result;
  }

  Result<quantize::TableRules> read_tables(const YAML::Node& layer) const {
    quantize::TableRules tables;
    for (const auto& entry : layer) {
      MR_TRY(const std::string key, key_of(entry.first));
      if (const auto found = TableTypes.find(key); found != TableTypes.end()) {
        MR_TRY(tables.*(found->second), read_type(entry.second));
      } else if (key == "table_size" || key == "TableSize") {
        int64_t size = 0;
        if (!YAML::convert<int64_t>::decode(entry.second, size))
          return error(messages::BadTypeRules, place(entry.second),
                       "the size of a table is a number");
        tables.size = size;
      } else if (key == "implementation" || key == "Implementation") {
        MR_TRY(tables.implementation, key_of(entry.second));
      }
    }
    return tables;
  }

  Result<Precision::Entry> read_type(const YAML::Node& node) const {
    if (!node.IsScalar())
      return error(messages::BadTypeRules, place(node),
                   "a type such as ap_fixed<16,6> is expected");
    if (node.Scalar() == "auto")
      return Precision::Entry(std::nullopt);
    MR_TRY(const Quantizer quantizer, parse_quantizer(node.Scalar(), place(node)));
    return Precision::Entry(quantizer);
  }

  std::string where_;
};

}  // namespace

Result<TypeRules> parse_type_rules(const std::string& text, const std::string& where) {
  try {
    return Reader(where).read(YAML::Load(text));
  } catch (const YAML::Exception& problem) {
    return error(messages::BadTypeRules, place_in(where, problem.mark), problem.msg);
  }
}

Result<TypeRules> read_type_rules(const std::filesystem::path& file) {
  MR_TRY(const std::string text, read_file(file, uint64_t{1} << 24));
  return parse_type_rules(text, file.string());
}

}  // namespace millrace::cli
