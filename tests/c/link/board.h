#ifndef TLM_BOARD_H
#define TLM_BOARD_H

#ifndef TLM_BOARD_NAME
#define TLM_BOARD_NAME "stand-in"
#endif
#define TLM_USER_MEMORY_BYTES 200

#endif
