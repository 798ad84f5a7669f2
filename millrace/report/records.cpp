// SPDX-License-Identifier: Apache-2.0
#include "millrace/report/records.h"

#include <nlohmann/json.hpp>

#include "millrace/report/messages.h"
#include "millrace/report/published.h"

namespace millrace::report {
namespace {

using Json = nlohmann::ordered_json;

template <class T>
concept IsRecord = requires(T record, int& visitor) { &T::template visit<int>; };

struct Writer {
  Json json = Json::object();

  template <class T>
  void operator()(const char* key, T& value) {
    json[key] = convert(value);
  }

private:
  template <class T>
  static Json convert(T& value) {
    if constexpr (IsRecord<T>) {
      Writer writer;
      value.visit(writer);
      return std::move(writer.json);
    } else {
      return value;
    }
  }
  template <class T>
  static Json convert(std::vector<T>& values) {
    Json list = Json::array();
    for (T& value : values)
      list.push_back(convert(value));
    return list;
  }
};

class Reader {
public:
  // Throws nlohmann's type error when `json` is not an object; `json` outlives the reader.
  explicit Reader(const Json& json) : json_(json) {
    static_cast<void>(json.get_ref<const Json::object_t&>());
  }

  template <class T>
  void operator()(const char* key, T& value) {
    if (const auto found = json_.find(key); found != json_.end())
      convert(*found, value);
  }

private:
  template <class T>
  static void convert(const Json& from, T& value) {
    if constexpr (IsRecord<T>) {
      Reader reader(from);
      value.visit(reader);
    } else {
      from.get_to(value);
    }
  }
  template <class T>
  static void convert(const Json& from, std::vector<T>& values) {
    values.clear();
    for (const Json& element : from.get_ref<const Json::array_t&>())
      convert(element, values.emplace_back());
  }

  const Json& json_;
};

}  // namespace

template <class Record>
std::string to_json(const Record& record) {
  Record copy = record;  // fields are listed for reading and writing at once
  Writer writer;
  copy.visit(writer);
  return writer.json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

template <class Record>
Result<Record> parse_json(std::string_view json, const std::string& where) {
  Record record;
  try {
    const Json parsed = Json::parse(json);
    Reader reader(parsed);
    record.visit(reader);
  } catch (const Json::exception& problem) {
    return error(messages::BadRecord, where, Record::Name, problem.what());
  }
  return record;
}

#define MR_INSTANTIATE(Record)                         \
  template std::string to_json<Record>(const Record&); \
  template Result<Record> parse_json<Record>(std::string_view, const std::string&);
MR_INSTANTIATE(TrainingRecord)
MR_INSTANTIATE(NetworkRecord)
MR_INSTANTIATE(PlanRecord)
MR_INSTANTIATE(EmulationRecord)
MR_INSTANTIATE(SimulationRecord)
MR_INSTANTIATE(SynthesisRecord)
MR_INSTANTIATE(Published)
#undef MR_INSTANTIATE

}  // namespace millrace::report
