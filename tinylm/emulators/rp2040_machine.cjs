/* An RP2040 in rp2040js with one UART on a TCP port: node rp2040_machine.cjs PACKAGE IMAGE BAUD. Prints the port.
 *
 * Plays the boot ROM's part, which rp2040js does not bring: it copies the first 256 bytes of the flash to the top of RAM and
 * jumps there. A line whose rate is not BAUD within 2 %, as the clocks and dividers that the firmware set make it, ends all.
 */
'use strict';
const fs = require('fs');
const net = require('net');

const [rp2040js, imageFile, baud] = process.argv.slice(2);
const { RP2040 } = require(rp2040js);

const RAM = 0x20000000, RAM_BYTES = 264 * 1024, BOOT_BYTES = 256, STACK_REGISTER = 13;
const INSTRUCTIONS_AT_ONCE = 50000, CYCLE_NS = 8;

const image = fs.readFileSync(imageFile);
const chip = new RP2040();
const silent = () => {};
chip.logger = { debug: silent, info: silent, warn: silent, error: (name, text) => process.stderr.write(`${name}: ${text}\n`) };
chip.flash.fill(0xff);
chip.flash.set(image);
chip.sram.set(image.subarray(0, BOOT_BYTES), RAM_BYTES - BOOT_BYTES);
chip.core.registers[STACK_REGISTER] = RAM + RAM_BYTES - BOOT_BYTES;
chip.core.PC = RAM + RAM_BYTES - BOOT_BYTES;

const uart = chip.uart[0];
let client = null, running = false, rateIsRight = false;
let received = [], sent = [];

function checkRate() {
  if (Math.abs(uart.baudRate / baud - 1) > 0.02) {
    process.stderr.write(`the serial line runs at ${uart.baudRate} baud, not at ${baud}\n`);
    process.exit(1);
  }
  rateIsRight = true;
}

uart.onByte = (byte) => {
  if (!rateIsRight) checkRate();
  sent.push(byte);
};

/* Runs a while, then lets the network have its turn; a core that sleeps with nothing to read is left alone. */
function run() {
  for (let i = 0; i < INSTRUCTIONS_AT_ONCE; i++) {
    if (received.length > 0 && uart.rxEnabled && uart.enabled && uart.rxFIFO.empty) uart.feedByte(received.shift());
    if (chip.core.waiting) break;
    chip.clock.tick(chip.core.executeInstruction() * CYCLE_NS);
  }
  if (client !== null && sent.length > 0) client.write(Buffer.from(sent));
  sent = [];
  running = !chip.core.waiting || received.length > 0;
  if (running) setImmediate(run);
}

function wake() {
  if (!running) {
    running = true;
    setImmediate(run);
  }
}

const server = net.createServer((socket) => {
  if (client !== null) {
    socket.destroy();
    return;
  }
  client = socket;
  socket.setNoDelay(true);
  socket.on('data', (bytes) => {
    received.push(...bytes);
    wake();
  });
  socket.on('error', silent);
  socket.on('close', () => { client = null; });
  wake();
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
process.on('SIGINT', silent); /* Ctrl-C is the parent's; it closes this process */
process.stdin.on('end', () => process.exit(0)).resume();
