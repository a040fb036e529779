/* A human at a terminal program. Needs no more of the terminal than a VT100: CR, LF, ESC [ K, J, A, nC, m.
 * Each key draws the end of the typed line and, on the row below, the suggestions; then the cursor goes back up. */
#include "tlm_link.h"

enum {
    LINE_COLUMNS = 70,      /* shown of the typed line: with the prompt it never reaches column 80, so nothing wraps */
    LIST_COLUMNS = 76,      /* suggestions that would pass it are not shown */
    LIST_GAP = 4,           /* columns of "1 " and of the two spaces after a word */
    ENTERS = 3,
    KEY_ESCAPE = 27,
    KEY_DELETE = 127
};

static void print(const char *text)
{
    for (; *text != 0; text++) {
        tlm_port_write((uint8_t)*text);
    }
}

/* UTF-8: whether a byte begins a character (and so takes a column). */
static bool begins(char byte) { return ((uint8_t)byte & 0xC0u) != 0x80u; }

static uint8_t columns_of(const char *word)
{
    uint8_t columns = 0;
    for (uint8_t i = 0; i < TLM_WORD_BYTES - 1 && word[i] != 0; i++) {
        columns = (uint8_t)(columns + (begins(word[i]) ? 1 : 0));
    }
    return columns;
}

static void print_line(const tlm_engine_t *engine, uint16_t from)
{
    print("\r\033[J> ");
    for (uint16_t i = from; i < engine->line_bytes; i++) {
        tlm_port_write((uint8_t)engine->line[i]);
    }
}

static void print_suggestions(tlm_link_t *link)
{
    uint8_t columns = 0;
    int found = tlm_suggest(link->engine, TLM_TEXT_SUGGESTIONS);
    link->text.suggestions = 0;
    print("\033[2m");
    for (uint8_t i = 0; i < TLM_TEXT_SUGGESTIONS && i < found; i++) {
        const char *word = link->engine->suggestions[i].text;
        columns = (uint8_t)(columns + columns_of(word) + LIST_GAP); /* at most 3 * (48 + 4) */
        if (columns > LIST_COLUMNS) {
            break;
        }
        tlm_port_write((uint8_t)('1' + i));
        tlm_port_write(' ');
        print(word);
        print("  ");
        link->text.suggestions++;
    }
    print("\033[0m");
}

static void draw(tlm_link_t *link)
{
    const tlm_engine_t *engine = link->engine;
    uint16_t from = engine->line_bytes;
    uint8_t columns = 0;
    while (from > 0 && columns < LINE_COLUMNS) {
        from--;
        columns = (uint8_t)(columns + (begins(engine->line[from]) ? 1 : 0));
    }
    print_line(engine, from);
    print("\r\n");
    print_suggestions(link);
    columns = (uint8_t)(columns + 2); /* the prompt */
    print("\r\033[A\033[");
    tlm_port_write((uint8_t)('0' + columns / 10)); /* at most 72 */
    tlm_port_write((uint8_t)('0' + columns % 10));
    tlm_port_write('C');
}

void tlm_text_greet(tlm_link_t *link)
{
    tlm_text_t *text = &link->text;
    text->quiet = text->after_return = text->literal = false;
    text->enters = text->escape = text->suggestions = 0;
    print("\r\033[Jtinylm ");
    print(tlm_model_of(link->engine)->name);
    print(" on ");
    print(link->board);
    if (tlm_link_fault(link) < 0) {
        print(link->checks.language == TLM_ERR_FIRMWARE ? ": its model is another firmware's, flash both\r\n"
              : link->checks.language < 0               ? ": model damaged, flash again\r\n"
                                                        : ": self-test failed\r\n");
        return;
    }
    print(", type; 1 2 3 take a suggestion\r\n");
    draw(link);
}

/* A program may have died with the line in its hands: three Enter keys take it back. LF between them is no key. */
static void key_while_quiet(tlm_link_t *link, uint8_t byte)
{
    tlm_text_t *text = &link->text;
    if (byte == '\r') {
        text->enters++;
        if (text->enters == ENTERS) {
            tlm_link_release(link);
        }
    } else if (byte != '\n') {
        text->enters = 0;
    }
}

/* Arrow and function keys send ESC, then a letter or [ (or O), parameters and a final byte. Returns whether `byte` is
 * part of such a sequence. */
static bool skip_escape(tlm_text_t *text, uint8_t byte)
{
    if (byte == KEY_ESCAPE) {
        text->escape = 1;
    } else if (text->escape == 1) {
        text->escape = byte == '[' || byte == 'O' ? 2 : 0;
    } else if (text->escape == 2) {
        text->escape = byte >= 0x40 && byte <= 0x7E ? 0 : 2;
    } else {
        return false;
    }
    return true;
}

static int end_line(tlm_link_t *link)
{
    print_line(link->engine, 0); /* whole: it may be longer than was shown */
    print("\r\n");
    return tlm_feed(link->engine, '\n');
}

static int press(tlm_link_t *link, uint8_t byte)
{
    tlm_text_t *text = &link->text;
    bool is_number = !text->literal && byte >= '1' && byte < '1' + text->suggestions;
    if (is_number || (byte == '\t' && text->suggestions > 0)) {
        return tlm_accept(link->engine, (uint8_t)(is_number ? byte - '1' : 0));
    }
    if (byte == '\r' || byte == '\n') {
        return end_line(link);
    }
    if (byte == '\b' || byte == KEY_DELETE) {
        return tlm_backspace(link->engine);
    }
    if (byte == 'U' - '@') { /* Ctrl-U */
        tlm_reset(link->engine);
        return 0;
    }
    if (byte == 'V' - '@') { /* Ctrl-V */
        text->literal = true;
        return 0;
    }
    if (byte < ' ') {
        return 0;
    }
    text->literal = false;
    return tlm_feed(link->engine, byte);
}

void tlm_text_key(tlm_link_t *link, uint8_t byte)
{
    tlm_text_t *text = &link->text;
    bool second_half = byte == '\n' && text->after_return;
    text->after_return = byte == '\r';
    if (text->quiet) {
        key_while_quiet(link, byte);
    } else if (second_half || skip_escape(text, byte)) {
        return;
    } else if (tlm_link_fault(link) < 0) {
        if (byte == '\r' || byte == '\n') {
            tlm_text_greet(link);
        }
    } else {
        if (press(link, byte) < 0) {
            tlm_port_write('\a');
        }
        if (link->engine->pending_bytes == 0) { /* the character is whole */
            draw(link);
        }
    }
}
