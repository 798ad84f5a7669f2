// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/delay_model.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "millrace/dataflow/messages.h"
#include "millrace/support/files.h"

namespace millrace::dataflow {

Result<DelayModel> load_delay_model(const std::string& family) {
  MR_TRY(const std::filesystem::path folder, find_data_dir("delays"));
  const std::filesystem::path path = folder / (family + ".json");
  if (family.empty() || family.find('/') != std::string::npos || !std::filesystem::exists(path))
    return error(messages::DelayModelMissing, "--part", family);
  MR_TRY(const std::string text, read_file(path));

  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  DelayModel model{.family = family};
  const std::array fields = {std::pair{"register_ps", &model.register_ps},
                             std::pair{"lut_ps", &model.lut_ps},
                             std::pair{"adder_base_ps", &model.adder_base_ps},
                             std::pair{"adder_per_bit_ps", &model.adder_per_bit_ps},
                             std::pair{"memory_read_ps", &model.memory_read_ps}};
  for (const auto& [name, value] : fields) {
    if (!json.is_object() || !json.contains(name) || !json[name].is_number() ||
        json[name].get<double>() <= 0)
      return error(messages::DelayModelInvalid, path.string(), name);
    *value = json[name].get<double>();
  }
  return model;
}

Status check_clock(double clock_ns, const std::string& where) {
  if (!(clock_ns >= 0.5 && clock_ns <= 1000))
    return error(messages::ClockOutOfRange, where, clock_ns);
  return {};
}

}  // namespace millrace::dataflow
