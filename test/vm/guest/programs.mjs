// Hostile and harmless programs, as a caller would send them.

/** More than any limit here, and less than there is of memory and swap: who may swap survives it. */
export const EAT_200_MIB = {
  javascript:
    "globalThis.kept = []; for (let i = 0; i < 200; i++) kept.push(Buffer.alloc(1 << 20, i)); return 'survived'",
  python: "kept = [bytearray(b'x' * (1 << 20)) for _ in range(200)]\nreturn 'survived'",
};
export const FORK_BOMB = "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass";
export const SPIN = "for (;;);";
export const SLEEP_5_S = "import time\ntime.sleep(5)\nreturn 'slept'";
/** Children that outlive their parent, and only SIGKILL ends. */
export const STUBBORN_FAMILY =
  "import os, signal, time\nfor s in (1, 2, 15): signal.signal(s, signal.SIG_IGN)\nfor i in range(4): os.fork()\ntime.sleep(600)";
