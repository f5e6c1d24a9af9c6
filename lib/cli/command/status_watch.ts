/**
 * `gitops-sync status --watch`: draws the status repeatedly.
 *
 * @module
 */
import { type ExitCode, exitCodes } from "../../base/errors.ts";
import { redact, shown } from "../../base/redact.ts";
import type { Config } from "../../config/schema.ts";
import type { Call } from "../call.ts";
import { realEffects } from "../output/effects.ts";
import { columnsOf, inkFor } from "../output/ink.ts";
import { inks } from "../../report/row.ts";
import { Interruption } from "../output/interruption.ts";
import { writeTo } from "../output/print.ts";
import { rowLines } from "../output/rows.ts";
import { timeOf } from "../../report/times.ts";
import { agreement, type Facts } from "../../report/agreement.ts";
import { LiveStatus } from "./status_live.ts";
import { tellStatus } from "./status_tell.ts";
import { statusRows } from "../../report/status_text.ts";
import { statusLine } from "../output/status_line.ts";

/** Milliseconds between two drawings. */
const pause = 1000;

// Control sequences of xterm: an alternate screen, which keeps the earlier
// content, without a cursor.
const enter = "\x1b[?1049h\x1b[?25l", leave = "\x1b[?25h\x1b[?1049l";
const home = "\x1b[H", endOfLine = "\x1b[K", below = "\x1b[J";

/**
 * Draws the status until a person ends it. The last status stays on the
 * terminal.
 *
 * @returns 0 after `q`, 130 after Ctrl-C.
 */
export async function watch(call: Call, config: Config): Promise<ExitCode> {
  using interruption = new Interruption();
  using effects = await realEffects(call.verbose);
  using keys = new Keys();
  const live = new LiveStatus(effects, config, call.switches.has("offline"));
  let facts = await live.facts();
  if (interruption.hasCome) return exitCodes.interrupted;
  write(enter);
  try {
    while (!interruption.hasCome && !keys.isEnd) {
      draw(call, facts);
      await Promise.race([interruption.pause(pause), keys.end]);
      facts = await live.facts();
    }
  } finally {
    write(leave);
  }
  await tellStatus(call, facts);
  return interruption.hasCome ? exitCodes.interrupted : exitCodes.ok;
}

const write = (text: string) => writeTo(Deno.stdout, text, redact);

function draw({ switches }: Call, facts: Facts): void {
  const ink = inkFor(Deno.stdout);
  const columns = columnsOf(Deno.stdout);
  const lines = switches.has("oneline")
    ? [shown(statusLine(facts, columns))]
    : rowLines(statusRows(facts, agreement(facts)), { ink, columns });
  const foot = `${timeOf(facts.now.toISOString())}, press q to quit`;
  const all = [...lines, "", ink(inks.dim, foot)];
  const drawn = all.map((line) => `${line}${endOfLine}`).join("\r\n");
  write(`${home}${drawn}${below}`);
}

/** Reads the keys of a terminal, each when it is pressed. */
class Keys implements Disposable {
  /** Whether a person pressed the key that ends the command. */
  isEnd = false;
  /** Resolves when that key is pressed. */
  readonly end: Promise<void>;
  readonly #isTerminal = Deno.stdin.isTerminal();
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;

  constructor() {
    if (!this.#isTerminal) {
      this.end = new Promise(() => {});
      return;
    }
    // Ctrl-C still sends a signal.
    Deno.stdin.setRaw(true, { cbreak: true });
    this.#reader = Deno.stdin.readable.getReader();
    this.end = this.#read(this.#reader);
  }

  async #read(
    reader: ReadableStreamDefaultReader<Uint8Array>,
  ): Promise<void> {
    for (;;) {
      const { value, done } = await reader.read();
      // The terminal was closed.
      if (done) break;
      if (new TextDecoder().decode(value).toLowerCase().includes("q")) break;
    }
    this.isEnd = true;
  }

  [Symbol.dispose](): void {
    if (!this.#isTerminal) return;
    Deno.stdin.setRaw(false);
    this.#reader?.cancel().catch(() => {});
  }
}
