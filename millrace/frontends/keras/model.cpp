// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/keras/model.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "millrace/frontends/keras/messages.h"
#include "millrace/support/names.h"

namespace millrace::frontends::keras {
namespace {

constexpr size_t MaxLayers = 100'000;

const Json* find(const Json& json, std::string_view key) {
  if (!json.is_object())
    return nullptr;
  const auto found = json.find(key);
  return found == json.end() || found->is_null() ? nullptr : &*found;
}

std::string text(const Json& json, std::string_view key) {
  const Json* found = find(json, key);
  return found && found->is_string() ? found->get<std::string>() : "";
}

/// True for the packages whose classes are known; anybody's class may be called Dense.
bool is_known_package(std::string_view name) {
  constexpr std::array<std::string_view, 7> Names = {"keras",    "tf_keras", "tensorflow", "qkeras",
                                                     "qkerasV3", "HGQ",      "hgq"};
  return std::ranges::find(Names, name) != Names.end();
}

/// The class without its package ("HGQ>FixedPointQuantizer", "qkeras.qlayers").
Result<std::string> read_class(const Json& json, const std::string& where) {
  std::string name = text(json, "class_name");
  std::string package = text(json, "module");
  package = package.substr(0, package.find('.'));
  for (const std::string& qualified : {name, text(json, "registered_name")})
    if (const size_t end = qualified.find('>'); end != std::string::npos)
      package = qualified.substr(0, end);
  if (const size_t end = name.find('>'); end != std::string::npos)
    name = name.substr(end + 1);
  if (!package.empty() && !is_known_package(package))
    return error(messages::UnknownLayer, where, printable(package + "." + name));
  // HGQ2 has classes of the names of QKeras'.
  return package == "hgq" ? "hgq>" + name : name;
}

bool is_model(std::string_view class_name) {
  return class_name == "Sequential" || class_name == "Functional" || class_name == "Model";
}

/// A reference as it stands in the file.
struct NamedRef {
  std::string layer;
  int64_t call = 0;
};

/// ["NAME", CALL, TENSOR] or ["NAME", CALL, TENSOR, {OPTIONS}].
std::optional<NamedRef> list_ref(const Json& json) {
  if (!json.is_array() || json.size() < 3 || !json[0].is_string() || !json[1].is_number_integer() ||
      json[2] != 0)
    return std::nullopt;
  if (json.size() > 3 && (!json[3].is_object() || !std::ranges::all_of(json[3], [](const Json& v) {
        return v.is_null() || v == false;
      })))
    return std::nullopt;
  return NamedRef{json[0].get<std::string>(), json[1].get<int64_t>()};
}

/// {"class_name": "__keras_tensor__", "config": {"keras_history": ["NAME", CALL, TENSOR]}}.
bool append_tensors(const Json& json, std::vector<NamedRef>& refs) {
  if (json.is_array())
    return std::ranges::all_of(json, [&](const Json& e) { return append_tensors(e, refs); });
  const Json* config = find(json, "config");
  const Json* history = config ? find(*config, "keras_history") : nullptr;
  const auto ref = history ? list_ref(*history) : std::nullopt;
  if (!ref || text(json, "class_name") != "__keras_tensor__")
    return false;
  refs.push_back(*ref);
  return true;
}

/// One call of a layer, in the form of Keras 3 (an object) or Keras 2 (a list of references).
std::optional<std::vector<NamedRef>> read_call(const Json& json) {
  std::vector<NamedRef> refs;
  if (json.is_object()) {
    const Json* arguments = find(json, "args");
    const Json* options = find(json, "kwargs");
    const bool is_plain =
        !options || (options->is_object() && std::ranges::all_of(*options, [](const Json& value) {
                       return value.is_null() || value == false;
                     }));
    if (!arguments || !is_plain || !append_tensors(*arguments, refs))
      return std::nullopt;
    return refs;
  }
  if (!json.is_array())
    return std::nullopt;
  if (const auto single = list_ref(json))
    return std::vector{*single};
  for (const Json& element : json) {
    const auto ref = list_ref(element);
    if (!ref)
      return std::nullopt;
    refs.push_back(*ref);
  }
  return refs;
}

/// The model's inputs or outputs: a list of references, one alone, or an object of them.
bool append_ports(const Json& json, std::vector<NamedRef>& refs) {
  if (const auto single = list_ref(json)) {
    refs.push_back(*single);
    return true;
  }
  return json.is_structured() &&
         std::ranges::all_of(json, [&](const Json& e) { return append_ports(e, refs); });
}

class Reader {
public:
  Reader(Model& model, const std::string& file) : model_(model), file_(file) {}

  Status read(const Json& json) {
    const std::string class_name = text(json, "class_name");
    const Json* config = find(json, "config");
    if (!is_model(class_name) || !config)
      return error(messages::NotModel, file_, printable(class_name));
    model_.name = text(*config, "name");
    const Json* layers = config->is_array() ? config : find(*config, "layers");
    if (!layers || !layers->is_array() || layers->empty())
      return error(messages::NoLayers, file_);
    if (layers->size() > MaxLayers)
      return error(messages::TooLarge, file_, "the model", fmt::format("{} layers", MaxLayers));
    for (const Json& layer : *layers)
      MR_TRY_STATUS(read_layer(layer));
    MR_TRY_STATUS(class_name == "Sequential" ? connect_in_a_row(*config)
                                             : connect(*config, *layers));
    find_dialect();
    return sort();
  }

private:
  Status read_layer(const Json& json) {
    const Json* config = find(json, "config");
    Layer layer;
    layer.name = text(json, "name");
    if (layer.name.empty() && config)
      layer.name = text(*config, "name");
    layer.where = fmt::format("{}: layer '{}' ({})", file_, printable(layer.name),
                              printable(text(json, "class_name")));
    MR_TRY(layer.class_name, read_class(json, layer.where));
    if (layer.class_name.empty() || layer.name.empty() || !config)
      return error(messages::LayerForm, layer.where);
    if (is_model(layer.class_name))
      return error(messages::ModelWithin, layer.where);
    layer.config = *config;
    if (!index_.emplace(layer.name, model_.layers.size()).second)
      return error(messages::DuplicateLayer, layer.where);
    model_.layers.push_back(std::move(layer));
    return {};
  }

  // A model without an InputLayer has its input's shape in the first layer, or with the model.
  Status connect_in_a_row(const Json& config) {
    if (model_.layers.front().class_name != "InputLayer") {
      const Json& first = model_.layers.front().config;
      const Json* shape = nullptr;
      for (const std::string_view key : {"batch_input_shape", "batch_shape"})
        if (!shape)
          shape = find(first, key);
      if (!shape)
        shape = find(config, "build_input_shape");
      if (!shape)
        return error(messages::NoInput, file_);
      Layer input;
      input.class_name = "InputLayer";
      input.name = model_.layers.front().name + "_input";
      input.where = fmt::format("{}: layer '{}' (InputLayer)", file_, printable(input.name));
      input.config["batch_input_shape"] = *shape;
      model_.layers.insert(model_.layers.begin(), std::move(input));
      has_added_input_ = true;
    }
    model_.layers.front().calls = {{}};
    for (size_t i = 1; i < model_.layers.size(); ++i) {
      if (model_.layers[i].class_name == "InputLayer")
        return error(messages::NoInput, model_.layers[i].where);
      model_.layers[i].calls = {{CallRef{i - 1, 0}}};
    }
    model_.inputs = {CallRef{0, 0}};
    model_.outputs = {CallRef{model_.layers.size() - 1, 0}};
    return {};
  }

  Status connect(const Json& config, const Json& layers) {
    // Calls are counted first, so that references can be checked against them.
    std::vector<std::vector<std::vector<NamedRef>>> named(model_.layers.size());
    for (size_t i = 0; i < model_.layers.size(); ++i) {
      Layer& layer = model_.layers[i];
      const Json* nodes = find(layers[i], "inbound_nodes");
      if (!nodes || !nodes->is_array())
        return error(messages::LayerForm, layer.where);
      for (const Json& node : *nodes) {
        auto refs = read_call(node);
        if (!refs)
          return error(messages::CallForm, layer.where);
        named[i].push_back(*std::move(refs));
      }
      if (nodes->empty())
        named[i].emplace_back();
    }
    const auto resolve = [&](const NamedRef& ref, const std::string& where) -> Result<CallRef> {
      const auto found = index_.find(ref.layer);
      if (found == index_.end() || ref.call < 0 ||
          std::cmp_greater_equal(ref.call, named[found->second].size()))
        return error(messages::MissingCall, where, printable(ref.layer), ref.call);
      return CallRef{found->second, static_cast<size_t>(ref.call)};
    };
    for (size_t i = 0; i < model_.layers.size(); ++i)
      for (const auto& refs : named[i]) {
        auto& call = model_.layers[i].calls.emplace_back();
        for (const NamedRef& ref : refs) {
          MR_TRY(const CallRef operand, resolve(ref, model_.layers[i].where));
          call.push_back(operand);
        }
      }
    for (const auto& [key, ports] :
         {std::pair{"input_layers", &model_.inputs}, std::pair{"output_layers", &model_.outputs}}) {
      const Json* json = find(config, key);
      std::vector<NamedRef> refs;
      if (!json || !append_ports(*json, refs) || refs.empty())
        return error(messages::Ports, file_, key);
      for (const NamedRef& ref : refs) {
        MR_TRY(const CallRef port, resolve(ref, file_));
        ports->push_back(port);
      }
    }
    return {};
  }

  // Keras 3 writes batch_shape where Keras 2 writes batch_input_shape.
  void find_dialect() {
    if (model_.dialect != Dialect::Unknown)
      return;
    for (const Layer& layer : model_.layers) {
      if (layer.class_name != "InputLayer")
        continue;
      if (find(layer.config, "batch_shape"))
        model_.dialect = Dialect::Keras3;
      else if (find(layer.config, "batch_input_shape") && !has_added_input_)
        model_.dialect = Dialect::Keras2;
    }
  }

  /// Puts each call behind those that it reads; keeps the file's order where that allows it.
  Status sort() {
    std::map<CallRef, std::vector<CallRef>> users;
    std::map<CallRef, size_t> missing;
    for (size_t i = 0; i < model_.layers.size(); ++i)
      for (size_t call = 0; call < model_.layers[i].calls.size(); ++call) {
        const CallRef here{i, call};
        missing[here] = model_.layers[i].calls[call].size();
        for (const CallRef& operand : model_.layers[i].calls[call])
          users[operand].push_back(here);
      }
    std::set<CallRef> ready;
    for (const auto& [call, count] : missing)
      if (count == 0)
        ready.insert(call);
    while (!ready.empty()) {
      const CallRef next = *ready.begin();
      ready.erase(ready.begin());
      model_.order.push_back(next);
      for (const CallRef& user : users[next])
        if (--missing[user] == 0)
          ready.insert(user);
    }
    for (const auto& [call, count] : missing)
      if (count > 0)
        return error(messages::Cycle, model_.layers[call.layer].where);
    return {};
  }

  Model& model_;
  const std::string& file_;
  std::map<std::string, size_t, std::less<>> index_;
  bool has_added_input_ = false;
};

}  // namespace

Dialect dialect_of(std::string_view keras_version) {
  if (keras_version.starts_with("2."))
    return Dialect::Keras2;
  if (keras_version.starts_with("3."))
    return Dialect::Keras3;
  return Dialect::Unknown;
}

Result<Model> read_model(const Json& json, Dialect dialect, const std::string& file) {
  Model model;
  model.dialect = dialect;
  const Json* version = find(json, "keras_version");
  if (dialect == Dialect::Unknown && version && version->is_string())
    model.dialect = dialect_of(version->get<std::string>());
  MR_TRY_STATUS(Reader(model, file).read(json));
  return model;
}

}  // namespace millrace::frontends::keras
