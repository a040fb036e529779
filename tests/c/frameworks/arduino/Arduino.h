#pragma once
#include <stddef.h>
#include <stdint.h>

class Print {
 public:
  size_t write(uint8_t byte);
  size_t write(const uint8_t *bytes, size_t size);
  size_t print(const char *text);
  size_t print(char letter);
  size_t println(const char *text);
  size_t println();
};

class Stream : public Print {
 public:
  void begin(unsigned long baud);
  int available();
  int read();
};

extern Stream Serial;
void delay(unsigned long ms);
