#pragma once
#include "freertos/FreeRTOS.h"

#define ESP_HID_APPEARANCE_KEYBOARD 0x03C1
typedef const char *esp_event_base_t;
typedef void (*esp_event_handler_t)(void *arguments, esp_event_base_t base, int32_t event, void *data);
typedef enum { ESP_HID_TRANSPORT_BT, ESP_HID_TRANSPORT_BLE } esp_hid_transport_t;
typedef enum { ESP_HIDD_START_EVENT = 0, ESP_HIDD_DISCONNECT_EVENT = 6 } esp_hidd_event_t;
typedef struct esp_hidd_dev_s esp_hidd_dev_t;
typedef struct {
  const uint8_t *data;
  uint16_t len;
} esp_hid_raw_report_map_t;
typedef struct {
  uint16_t vendor_id;
  uint16_t product_id;
  uint16_t version;
  const char *device_name;
  const char *manufacturer_name;
  const char *serial_number;
  esp_hid_raw_report_map_t *report_maps;
  uint8_t report_maps_len;
} esp_hid_device_config_t;
extern "C" {
esp_err_t esp_hidd_dev_init(const esp_hid_device_config_t *config, esp_hid_transport_t transport, esp_event_handler_t callback,
                            esp_hidd_dev_t **device);
bool esp_hidd_dev_connected(esp_hidd_dev_t *device);
esp_err_t esp_hidd_dev_input_set(esp_hidd_dev_t *device, size_t map, size_t report, uint8_t *bytes, size_t size);
}
