#pragma once
#include <stddef.h>
#include <stdint.h>

typedef int esp_err_t;
typedef uint32_t TickType_t;
#define portMAX_DELAY 0xFFFFFFFFU
#define pdMS_TO_TICKS(ms) ((TickType_t)(ms) / 10)
#define ESP_ERROR_CHECK(result) (void)(result)
