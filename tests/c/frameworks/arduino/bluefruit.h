#pragma once
#include <Arduino.h>

enum { BLE_GAP_ADV_FLAGS_LE_ONLY_GENERAL_DISC_MODE = 6, BLE_APPEARANCE_HID_KEYBOARD = 961 };

class BLEHidAdafruit {
 public:
  virtual int begin();
  bool keyPress(char key);
  bool keyRelease();
};

class BLEAdvertising {
 public:
  bool addFlags(uint8_t flags);
  bool addAppearance(uint16_t appearance);
  bool addService(BLEHidAdafruit &service);
  bool addName();
  bool start(uint16_t timeout);
};

class AdafruitBluefruit {
 public:
  bool begin();
  void setName(const char *name);
  bool connected();
  BLEAdvertising Advertising;
};
extern AdafruitBluefruit Bluefruit;
