#pragma once
#include <Arduino.h>

enum { ESP_IO_CAP_NONE = 3 };

class String {
 public:
  String(const char *text);
};

class BLEUUID {};

class BLECharacteristic {
 public:
  void setValue(const uint8_t *data, size_t size);
  void setValue(const String &text);
  void notify();
};

class BLEService {
 public:
  BLEUUID getUUID();
};

class BLEAdvertising {
 public:
  void setAppearance(uint16_t appearance);
  void addServiceUUID(BLEUUID uuid);
  bool start();
};

class BLEServer;

class BLEServerCallbacks {
 public:
  virtual void onConnect(BLEServer *server);
  virtual void onDisconnect(BLEServer *server);
};

class BLEServer {
 public:
  void setCallbacks(BLEServerCallbacks *callbacks);
  BLEAdvertising *getAdvertising();
};

class BLESecurity {
 public:
  BLESecurity();
  static void setAuthenticationMode(uint8_t request);
  static void setAuthenticationMode(bool bonding, bool mitm, bool sc);
  static void setCapability(uint8_t capability);
};

class BLEDevice {
 public:
  static bool init(String name);
  static BLEServer *createServer();
  static void startAdvertising();
};
