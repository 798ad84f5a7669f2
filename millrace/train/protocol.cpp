// SPDX-License-Identifier: Apache-2.0
#include "millrace/train/protocol.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <type_traits>
#include <utility>

#include "millrace/train/messages.h"

namespace millrace::train {
namespace {

using Json = nlohmann::ordered_json;

/// Calls `visit(name, member)` for every member, so that writing and reading cannot differ.
template <class Request, class Visitor>
void visit_request(Request& request, Visitor&& visit) {
  visit("network", request.network);
  visit("data", request.data);
  visit("signal", request.signal);
  visit("background", request.background);
  visit("glyph_seed", request.glyph_seed);
  visit("train_glyphs", request.train_glyphs);
  visit("test_glyphs", request.test_glyphs);
  visit("quantizer", request.quantizer);
  visit("seed", request.seed);
  visit("epochs", request.epochs);
  visit("sparsity", request.sparsity);
}

template <class Outcome, class Visitor>
void visit_result(Outcome& result, Visitor&& visit) {
  visit("network", result.network);
  visit("data", result.data);
  visit("signal", result.signal);
  visit("background", result.background);
  visit("quantizer", result.quantizer);
  visit("output", result.output);
  visit("auc", result.auc);
  visit("accuracy", result.accuracy);
  visit("float_auc", result.float_auc);
  visit("float_accuracy", result.float_accuracy);
  visit("parameters", result.parameters);
  visit("train_images", result.train_images);
  visit("test_images", result.test_images);
  visit("compared_images", result.compared_images);
  visit("seed", result.seed);
  visit("epochs", result.epochs);
  visit("sparsity", result.sparsity);
  visit("weights", result.weights);
  visit("seconds", result.seconds);
  visit("roc", result.roc);
  visit("float_roc", result.float_roc);
}

template <class Layer, class Visitor>
void visit_weights(Layer& layer, Visitor&& visit) {
  visit("name", layer.name);
  visit("count", layer.count);
  visit("zeros", layer.zeros);
  visit("signed_digits", layer.signed_digits);
}

struct Writer {
  Json& json;
  template <class T>
  void operator()(const char* name, const T& value) {
    json[name] = value;
  }
  void operator()(const char* name, const std::vector<data::RocPoint>& curve) {
    // [threshold, false positive rate, true positive rate]; JSON has no infinity: null.
    Json points = Json::array();
    for (const data::RocPoint& point : curve)
      points.push_back({std::isinf(point.threshold) ? Json() : Json(point.threshold),
                        point.false_positive_rate, point.true_positive_rate});
    json[name] = std::move(points);
  }
  void operator()(const char* name, const std::vector<WeightDigits>& layers) {
    Json objects = Json::array();
    for (const WeightDigits& layer : layers)
      visit_weights(layer, Writer{objects.emplace_back(Json::object())});
    json[name] = std::move(objects);
  }
};

/// Throws nlohmann's exceptions.
struct Reader {
  const Json& json;
  template <class T>
  void operator()(const char* name, T& value) {
    json.at(name).get_to(value);
  }
  void operator()(const char* name, std::vector<data::RocPoint>& curve) {
    for (const Json& point : json.at(name))
      curve.push_back({point.at(0).is_null() ? std::numeric_limits<double>::infinity()
                                             : point.at(0).get<double>(),
                       point.at(1).get<double>(), point.at(2).get<double>()});
  }
  void operator()(const char* name, std::vector<WeightDigits>& layers) {
    for (const Json& object : json.at(name))
      visit_weights(layers.emplace_back(), Reader{object});
  }
};

/// Assigns a member of a request if the value is of its type and in its range.
template <class T>
bool assign(const Json& value, T& member) {
  if constexpr (std::is_same_v<T, std::string>) {
    if (!value.is_string())
      return false;
  } else if constexpr (std::is_floating_point_v<T>) {
    if (!value.is_number())
      return false;
  } else {
    if (!value.is_number_integer())
      return false;
    const bool is_wide =
        value.is_number_unsigned() && !std::in_range<T>(value.template get<uint64_t>());
    const bool is_narrow =
        !value.is_number_unsigned() && !std::in_range<T>(value.template get<int64_t>());
    if (is_wide || is_narrow)
      return false;
  }
  value.get_to(member);
  return true;
}

std::string dump(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

Json to_object(const TrainResult& result) {
  Json json = Json::object();
  visit_result(result, Writer{json});
  return json;
}

Event read_event(const Json& json) {
  const std::string kind = json.at("event");
  if (kind == "progress")
    return ProgressEvent{json.at("phase"), json.at("epoch"), json.at("epochs"),
                         json.at("validation_auc")};
  if (kind == "error")
    return Diagnostic{json.at("code"), json.at("message"), json.at("where"), json.at("help")};
  if (kind == "internal_error")
    return InternalErrorEvent{json.at("what")};
  TrainResult result;
  visit_result(result, Reader{json});
  return result;
}

}  // namespace

std::string to_json(const TrainResult& result) {
  return dump(to_object(result), 2);
}

std::string format_request(const TrainRequest& request) {
  Json json = Json::object();
  visit_request(request, Writer{json});
  json["output"] = request.output.string();
  return dump(json, -1);
}

Result<TrainRequest> parse_request(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object())
    return error(messages::BadRequest, {}, "it is not a JSON object");
  TrainRequest request;
  std::string output;
  for (const auto& [name, value] : json.items()) {
    bool is_known = false, is_good = false;
    const auto try_member = [&, &key = name, &given = value](const char* member, auto& target) {
      if (key == member) {
        is_known = true;
        is_good = assign(given, target);
      }
    };
    visit_request(request, try_member);
    try_member("output", output);
    if (!is_known)
      return error(messages::BadRequest, {}, "there is no member '" + name + "'");
    if (!is_good)
      return error(messages::BadRequest, {}, "'" + name + "' cannot be " + dump(value, -1));
  }
  request.output = output;
  return request;
}

std::string format_event(const Event& event) {
  Json json = Json::object();
  if (const auto* progress = std::get_if<ProgressEvent>(&event))
    json = {{"event", "progress"},
            {"phase", progress->phase},
            {"epoch", progress->epoch},
            {"epochs", progress->epochs},
            {"validation_auc", progress->validation_auc}};
  else if (const auto* diagnostic = std::get_if<Diagnostic>(&event))
    json = {{"event", "error"},
            {"code", diagnostic->code},
            {"message", diagnostic->message},
            {"where", diagnostic->where},
            {"help", diagnostic->help}};
  else if (const auto* internal = std::get_if<InternalErrorEvent>(&event))
    json = {{"event", "internal_error"}, {"what", internal->what}};
  else {
    json["event"] = "result";
    json.update(to_object(std::get<TrainResult>(event)));
  }
  return dump(json, -1);
}

std::optional<Event> parse_event(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains("event"))
    return std::nullopt;
  try {
    return read_event(json);
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace millrace::train
