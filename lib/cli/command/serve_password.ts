/**
 * `gitops-sync serve --hash-password`: makes a line for
 * `serve.auth.passwordFile`.
 *
 * @module
 */
import {
  type ExitCode,
  exitCodes,
  SyncError,
  usageError,
} from "../../base/errors.ts";
import { oneLine } from "../../base/text.ts";
import { isUserName } from "../../config/serve_kinds.ts";
import { hashPassword, passwordLength } from "../../serve/password.ts";
import { printRaw, writeTo } from "../output/print.ts";

/** The bytes that a terminal sends for some keys (ASCII). */
const keys = {
  interrupt: 0x03,
  backspace: 0x08,
  lineFeed: 0x0a,
  enter: 0x0d,
  delete: 0x7f,
} as const;

/** The maximum number of bytes to read. */
const maxBytes = 4096;

/**
 * Reads a password twice from the terminal, or a line from standard input, and
 * prints the line with its hash. The password is never an argument, because
 * every user can see arguments.
 *
 * @throws {SyncError} `user-name`, `password-differs` or `password-length`,
 * exit 2.
 */
export async function printHash(name: string): Promise<ExitCode> {
  if (!isUserName(name)) {
    throw usageError(
      "user-name",
      `Cannot use "${
        oneLine(name, 80)
      }" as a name: expected letters, digits and _ . @ + - \\`,
    );
  }
  const password = Deno.stdin.isTerminal() ? askTwice(name) : readLine();
  const { least } = passwordLength;
  if (password.length < least || password.length > passwordLength.most) {
    throw usageError(
      "password-length",
      `Cannot use this password: expected ${least} to ${passwordLength.most} characters`,
    );
  }
  printRaw(await hashPassword(name, password));
  return exitCodes.ok;
}

function askTwice(name: string): string {
  const password = askHidden(`Password of ${name}: `);
  if (askHidden("Once more: ") === password) return password;
  throw usageError(
    "password-differs",
    "Cannot use this password: the two passwords differ",
  );
}

/** Reads a line without showing it on the terminal. */
function askHidden(question: string): string {
  writeTo(Deno.stderr, question);
  // In raw mode we handle Ctrl-C: a signal would leave the terminal in raw
  // mode.
  Deno.stdin.setRaw(true);
  try {
    return readLine();
  } finally {
    Deno.stdin.setRaw(false);
    writeTo(Deno.stderr, "\n");
  }
}

function readLine(): string {
  const bytes: number[] = [];
  const byte = new Uint8Array(1);
  while (bytes.length < maxBytes && Deno.stdin.readSync(byte) === 1) {
    const [letter] = byte;
    if (letter === keys.interrupt) throw interrupted();
    if (letter === keys.lineFeed || letter === keys.enter) break;
    // A raw terminal does not handle backspace. This removes a whole character.
    if (letter === keys.delete || letter === keys.backspace) {
      while (((bytes.pop() ?? 0) & 0xc0) === 0x80);
    } else bytes.push(letter!);
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

function interrupted(): SyncError {
  return new SyncError("Interrupted: nothing was printed", {
    stage: "config",
    reason: "interrupted",
    next: "stop",
    exit: exitCodes.interrupted,
  });
}
