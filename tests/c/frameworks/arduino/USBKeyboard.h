#pragma once

class USBKeyboard {
 public:
  USBKeyboard(bool connect_blocking = true);
  virtual int _putc(int key);
};
