#include "lss/second_place/uuid.h"

#include <random>

namespace lss {

Uuid DrawUuid() {
  std::random_device random;
  Uuid uuid;
  for (uint8_t& byte : uuid) {
    byte = static_cast<uint8_t>(random());
  }
  return uuid;
}

std::string UuidText(const Uuid& uuid) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : uuid) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

bool ParseUuid(const std::string& text, Uuid* uuid) {
  if (text.size() != 2 * uuid->size() ||
      text.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return false;
  }
  for (size_t i = 0; i < uuid->size(); ++i) {
    (*uuid)[i] = static_cast<uint8_t>(std::stoul(text.substr(2 * i, 2), nullptr, 16));
  }
  return true;
}

}  // namespace lss
