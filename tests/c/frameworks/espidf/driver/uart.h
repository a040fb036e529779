#pragma once
#include "freertos/FreeRTOS.h"

typedef enum { UART_NUM_0 } uart_port_t;
typedef void *QueueHandle_t;
extern "C" {
esp_err_t uart_driver_install(uart_port_t port, int rx_bytes, int tx_bytes, int queue_size, QueueHandle_t *queue, int flags);
esp_err_t uart_set_baudrate(uart_port_t port, uint32_t baud);
int uart_read_bytes(uart_port_t port, void *bytes, uint32_t size, TickType_t ticks);
int uart_write_bytes(uart_port_t port, const void *bytes, size_t size);
}
