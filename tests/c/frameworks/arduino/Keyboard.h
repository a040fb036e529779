#pragma once
#include <Arduino.h>

class Keyboard_ {
 public:
  void begin();
  size_t write(uint8_t key);
};
extern Keyboard_ Keyboard;
