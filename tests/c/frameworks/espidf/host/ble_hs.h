#pragma once
#include <stdint.h>

enum { BLE_GAP_EVENT_REPEAT_PAIRING = 17, BLE_GAP_REPEAT_PAIRING_RETRY = 1, BLE_GAP_CONN_MODE_UND = 2, BLE_GAP_DISC_MODE_GEN = 2 };
enum { BLE_HS_ADV_F_DISC_GEN = 2, BLE_HS_ADV_F_BREDR_UNSUP = 4, BLE_OWN_ADDR_PUBLIC = 0, BLE_SM_IO_CAP_NO_IO = 3 };
enum { BLE_SM_PAIR_KEY_DIST_ENC = 1, BLE_SM_PAIR_KEY_DIST_ID = 2 };
#define BLE_HS_FOREVER INT32_MAX
#define BLE_UUID16_INIT(uuid16) {.u = {.type = 16}, .value = (uint16_t)(uuid16)}
typedef struct {
  uint8_t type;
} ble_uuid_t;
typedef struct {
  ble_uuid_t u;
  uint16_t value;
} ble_uuid16_t;
typedef struct {
  uint8_t type;
  uint8_t val[6];
} ble_addr_t;
struct ble_gap_conn_desc {
  ble_addr_t peer_id_addr;
};
struct ble_gap_event {
  uint8_t type;
  union {
    struct {
      uint16_t conn_handle;
    } repeat_pairing;
  };
};
struct ble_gap_adv_params {
  uint8_t conn_mode;
  uint8_t disc_mode;
};
struct ble_hs_adv_fields {
  uint8_t flags;
  const ble_uuid16_t *uuids16;
  uint8_t num_uuids16;
  unsigned uuids16_is_complete : 1;
  const uint8_t *name;
  uint8_t name_len;
  unsigned name_is_complete : 1;
  uint16_t appearance;
  unsigned appearance_is_present : 1;
};
struct ble_store_status_event;
struct ble_hs_cfg {
  uint8_t sm_io_cap;
  unsigned sm_bonding : 1;
  unsigned sm_sc : 1;
  uint8_t sm_our_key_dist;
  uint8_t sm_their_key_dist;
  int (*store_status_cb)(ble_store_status_event *event, void *argument);
};
typedef int ble_gap_event_fn(ble_gap_event *event, void *argument);
extern "C" {
extern struct ble_hs_cfg ble_hs_cfg;
int ble_gap_conn_find(uint16_t handle, ble_gap_conn_desc *out);
int ble_store_util_delete_peer(const ble_addr_t *peer);
int ble_store_util_status_rr(ble_store_status_event *event, void *argument);
int ble_gap_adv_set_fields(const ble_hs_adv_fields *fields);
int ble_gap_adv_start(uint8_t own, const ble_addr_t *direct, int32_t ms, const ble_gap_adv_params *parameters,
                      ble_gap_event_fn *callback, void *argument);
}
