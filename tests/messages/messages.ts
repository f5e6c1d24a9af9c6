/**
 * Messages as tests/messages.golden shows them: without what is another with
 * each run, such as hashes, paths, times and counts.
 *
 * @module
 */
import { exitMeanings } from "../../lib/base/errors.ts";
import type { Recorded } from "./record.ts";

/** One message. */
export interface Message {
  /** What it is listed below. */
  group: string;
  /** Its first line, e.g. `error: Cannot …`. */
  text: string;
  /** The first of the lines below it, without indentation. */
  detail: string | undefined;
  hints: string[];
}

/** What makes two messages one; the evidence comes from other programs. */
export function keyOf({ text, hints }: Message): string {
  return [text, ...hints].join("\n");
}

const temporary = Deno.env.get("TMPDIR")?.replace(/\/$/, "") || "/tmp";
const checkout = new URL("../../", import.meta.url).pathname;

type Placeholder = readonly [what: RegExp, name: string];

/** What stands for what is another with each run, one after the other. */
const placeholders: readonly Placeholder[] = [
  // A message in a message: the other one is listed by itself.
  [/(\b(?:held|blocked) since \S+ \S+: ).*/, "$1MESSAGE"],
  [/\bfile:\/\/[^\s"',;)]*\w/g, "URL"],
  [
    /\b(?:http|https|ssh):\/\/[^\s"',;)/]*(?:127\.0\.0\.1|10\.23\.\d+\.\d+|localhost)[^\s"',;)]*\w/g,
    "URL",
  ],
  [new RegExp(`${escape(checkout)}|/opt/gitops-sync/`, "g"), "CHECKOUT/"],
  [new RegExp(`${escape(temporary)}/[^\\s"',:;)]*`, "g"), "PATH"],
  [/\/(?:dev\/shm|run)\/gitops-sync-private[^\s"',:;)]*/g, "PATH"],
  [
    /\/nix\/store\/(?:[a-z0-9]{32}-[^\s"',:;)/]*|[a-z0-9]{0,31}…)/g,
    "STORE-PATH",
  ],
  [/\b(?:127\.0\.0\.1|localhost|10\.23\.\d+\.\d+)(?::\d+)?\b/g, "ADDRESS"],
  [/\bage1[a-z0-9]{58}/g, "AGE-KEY"],
  [/\b(?:SHA256:|sha256-)[A-Za-z0-9+/=]{40,}/g, "FINGERPRINT"],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}\b/g, "ID"],
  [/\b\d{8}-\d{6}-[0-9a-f]{4,}\b/g, "ATTEMPT"],
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z?/g, "TIME"],
  [/\b\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d\b/g, "TIME"],
  [/\b(?!ed25519)(?=[0-9a-f]*\d)[0-9a-f]{7,64}\b/g, "REVISION"],
  [/[a-z-]+( \(process )\d+/g, "COMMAND$1N"],
  [/\b(at the )[a-z]+( stage)\b/g, "$1STAGE$2"],
  [/(; known: ).*/, "$1WORDS"],
];

/** The same for what a message says of a mistake; what is right stays. */
const counts: readonly Placeholder[] = [
  [/\b(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+\b/g, "TIME"],
  [/(?<![\w.@:/"-])\d[\d.]*(?: ?[KMGT]i?B?)?(?![\w:-])/g, "N"],
  [/(?<=:)\d+(?=(?::\d+)?: )/g, "N"],
];

/** A line without what is another with each run. */
export function steady(line: string): string {
  const [mistake, ...right] = replaced(line, placeholders)
    .split(/(?=: expected |such as |for example )/);
  return [replaced(mistake!, counts), ...right].join("");
}

function replaced(line: string, by: readonly Placeholder[]): string {
  return by.reduce((text, [what, name]) => text.replace(what, name), line);
}

function escape(text: string): string {
  return text.replaceAll(/[^\w/]/g, "\\$&");
}

/** Messages that only some runs provoke, because they hang on a race; why. */
const byRace: readonly RegExp[] = [
  // How far a server or a program had come when it was killed.
  /^(error|warning): .*\b(Broken pipe|Connection reset by peer)\b/,
];

/** The messages in what a program wrote to standard error. */
export function messagesIn({ code, stderr }: Recorded): Message[] {
  const blocks = stderr.matchAll(
    /^(?!hint: |[ ]{2})(.+)\n((?:[ ]{2}.*\n)*)((?:hint: .*\n)*)/gm,
  );
  return Array.from(blocks, ([, text, details, hints]) => ({
    group: groupOf(text!, code),
    text: steady(text!),
    detail: linesOf(details!).map(steady)[0],
    hints: linesOf(hints!).map(steady),
  })).filter(({ text, hints }) =>
    (/^(error|warning): /.test(text) || hints.length > 0) &&
    !byRace.some((one) => one.test(text))
  ).map(withoutOther);
}

/** Its hints are those of the message in it. */
function withoutOther(message: Message): Message {
  return message.text.endsWith(": MESSAGE")
    ? { ...message, hints: [] }
    : message;
}

function groupOf(text: string, code: number): string {
  if (text.startsWith("warning: ")) return "warnings";
  if (!text.startsWith("error: ")) return "remarks with a hint";
  const meaning = (exitMeanings as Record<number, string>)[code];
  return meaning === undefined
    ? "other exit codes"
    : `exit ${code}: ${meaning}`;
}

function linesOf(text: string): string[] {
  return text.split("\n").map((line) => line.trim())
    .filter((line) => line !== "");
}
