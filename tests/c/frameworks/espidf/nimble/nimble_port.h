#pragma once
extern "C" {
int nimble_port_init(void);
void nimble_port_run(void);
}
