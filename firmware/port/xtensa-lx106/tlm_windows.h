/* This core has no register windows. */
#ifndef TLM_WINDOWS_H
#define TLM_WINDOWS_H

    .macro LEAVE_WINDOWS
    .endm

#endif
