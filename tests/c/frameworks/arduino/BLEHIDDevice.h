#pragma once
#include <BLEDevice.h>

#define HID_KEYBOARD 0x03C1

class BLEHIDDevice {
 public:
  BLEHIDDevice(BLEServer *server);
  void reportMap(uint8_t *map, uint16_t size);
  void startServices();
  BLEService *hidService();
  BLECharacteristic *manufacturer();
  void pnp(uint8_t sig, uint16_t vid, uint16_t pid, uint16_t version);
  void hidInfo(uint8_t country, uint8_t flags);
  BLECharacteristic *inputReport(uint8_t report);
  BLECharacteristic *outputReport(uint8_t report);
};
