#pragma once
extern "C" const char *ble_svc_gap_device_name(void);
