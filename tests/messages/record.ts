/**
 * Keeps what gitops-sync says in the tests, if GITOPS_SYNC_MESSAGES names a
 * folder: `./dev test` compares it with tests/messages.golden.
 *
 * @module
 */
import { basename } from "node:path";

/** What a program of a test wrote, as the recording keeps it. */
export interface Recorded {
  /** Its exit code. */
  code: number;
  stderr: string;
}

/** Test files whose input is made by chance record nothing. */
const byChance = /\/tests\/(faults\/|mutants\/|bench\/|.*hostile)/;

const folder = Deno.env.get("GITOPS_SYNC_MESSAGES");
const isRecording = folder !== undefined && !byChance.test(Deno.mainModule);

/** Keeps what a program wrote to standard error, if it is gitops-sync. */
export function record(
  argv: readonly string[],
  { code, stderr }: Recorded,
): void {
  if (isRecording && stderr !== "" && isOurs(argv)) keep({ code, stderr });
}

/** Keeps an error that a test provoked without starting the program. */
export function recordError(
  { exit, message, hints }: {
    exit: number;
    message: string;
    hints: readonly string[];
  },
): void {
  if (!isRecording) return;
  const lines = [`error: ${message}`, ...hints.map((hint) => `hint: ${hint}`)];
  keep({ code: exit, stderr: `${lines.join("\n")}\n` });
}

/** Several processes record at once, each in a file of its own. */
function keep(what: Recorded): void {
  const line = `${JSON.stringify(what)}\n`;
  Deno.writeTextFileSync(`${folder}/${Deno.pid}`, line, { append: true });
}

/** Whether a command line starts gitops-sync, by itself or in a shell line. */
function isOurs(argv: readonly string[]): boolean {
  return argv.some((word) =>
    ["gitops-sync", "gitops_sync.ts"].includes(basename(word)) ||
    /\bgitops-sync [a-z-]/.test(word)
  );
}
