/**
 * Reads one line of Nix's internal-json log, and the errors in it. Pure.
 *
 * @module
 */
import { isObject, type JsonObject, parseJson } from "../base/json.ts";
import { oneLine, safeLines } from "../base/text.ts";

/** The longest line that is kept, in characters. */
export const lineLength = 500;
/** The longest part of a message that is read. */
export const messageLength = 4000;

/** An error of Nix itself, not of a builder. */
export interface NixError {
  /** Without colour, traces and the leading `error:`. */
  text: string;
  /** `flake.nix:8:47`, or empty. */
  position: string;
  /** `Did you mean web?`, or empty. */
  suggestion: string;
  /** Whether Nix gives it a place in the code, even an unknown one. */
  isPlaced: boolean;
  /** What the evaluator was doing, e.g. `while calling the 'throw' builtin`. */
  within: string;
}

/** The JSON of a line. */
export type Entry = JsonObject;

/** Reads an error, a message of level 0; `undefined` if it is only a remark. */
export function readError(entry: Entry): NixError | undefined {
  const raw = entry["raw_msg"], shown = entry["msg"];
  const whole = typeof shown === "string" ? plainText(shown) : "";
  if (typeof raw !== "string" && !/^\s*error:\s/.test(whole)) return undefined;
  const text = typeof raw === "string"
    ? plainText(raw.slice(0, messageLength))
    : innermost(whole);
  if (text === "") return undefined;
  const own = positionOf(entry);
  return {
    text: copy(text.slice(0, messageLength)),
    position: bounded(own || tracedPosition(entry) || positionIn(whole)),
    suggestion: bounded(
      /\n\s*(Did you mean [^\n]{1,200}\?)\s*$/.exec(whole)?.[1] ?? "",
    ),
    isPlaced: typeof entry["file"] === "string",
    within: bounded(innermostFrame(entry)),
  };
}

/**
 * Reads a warning of the flake's own code (`builtins.warn`, and `lib.warn` of
 * nixpkgs, which older versions print as a trace); `undefined` if the entry is
 * something else, such as a warning of Nix itself.
 */
export function readWarning(entry: Entry): string | undefined {
  const { msg } = entry as Record<string, unknown>;
  if (typeof msg !== "string") return undefined;
  const text = plainText(msg.slice(0, messageLength));
  const [, said] =
    /^(?:evaluation warning|trace: (?:evaluation )?warning): (.*)/s
      .exec(text) ?? [];
  if (said === undefined) return undefined;
  const lines = said.split("\n");
  const end = lines.findIndex((line) => isTrace.test(line));
  return bounded(oneLine((end < 0 ? lines : lines.slice(0, end)).join(" ")));
}

/** The lines that Nix adds below a message: where, and on the way to what. */
const isTrace = /^\s*(?:… |at \S+:\d+:\d+:?$|Did you mean )/;

/**
 * Returns the text of the innermost trace, which Nix adds with `--show-trace`.
 */
function innermostFrame(entry: Entry): string {
  const frame = Array.isArray(entry["trace"]) ? entry["trace"][0] : undefined;
  const text = isObject(frame) ? frame["raw_msg"] : undefined;
  return typeof text === "string" ? plainText(text.slice(0, lineLength)) : "";
}

/** Removes colours and control characters; line breaks stay. */
function plainText(text: string): string {
  return safeLines(text).join("\n").trim();
}

/** Returns the part after the last `error:`, without the traces around it. */
function innermost(text: string): string {
  const lines = text.split("\n");
  const at = lines.findLastIndex((line) => /^\s*error:\s+\S/.test(line));
  const [first, ...rest] = lines.slice(at);
  const end = rest.findIndex((line) => isTrace.test(line));
  return [
    (first ?? "").replace(/^\s*error:\s+/, ""),
    ...(end < 0 ? rest : rest.slice(0, end)).map((line) =>
      line.replace(/^ {1,7}/, "")
    ),
  ].join("\n");
}

function positionOf(entry: Entry): string {
  const { file, line, column } = entry as Record<string, unknown>;
  if (typeof file !== "string" || !isCount(line) || !isCount(column)) return "";
  // Places in Nix's own code do not help people.
  if (!/^(?:\/|«git\+file:)/.test(file)) return "";
  const at = `:${line}:${column}`;
  return oneLine(withoutSourcePaths(file.endsWith(at) ? file : file + at));
}

/**
 * Returns the innermost place of `--show-trace`, for a `throw`, which has none.
 */
function tracedPosition(entry: Entry): string {
  if (!Array.isArray(entry["trace"])) return "";
  for (const frame of entry["trace"]) {
    const position = isObject(frame) ? positionOf(frame) : "";
    if (position !== "") return position;
  }
  return "";
}

/**
 * Returns the place in a message that has no fields for it, or in the traces of
 * Nix 2.8.
 */
function positionIn(whole: string): string {
  // Without --show-trace, Nix leaves the innermost places out.
  if (/stack trace truncated/.test(whole)) return "";
  const found = /(?:^|\n)\s*at (\/\S+:\d+:\d+):?(?:\n|$)/.exec(
    whole.slice(Math.max(0, whole.search(/error:\s+\S/))),
  );
  return found ? oneLine(withoutSourcePaths(found[1]!)) : "";
}

/**
 * Reads the part of a line after `@nix `; `undefined` if it is not an object.
 */
export function parse(text: string): Entry | undefined {
  const value = parseJson(text);
  return isObject(value) ? value : undefined;
}

/**
 * Returns the id as text. It is the process id times 2^32 plus a number. A
 * double cannot hold this if the process id is above 2^21.
 */
export function idOf(text: string, entry: Entry): string {
  const id = entry["id"];
  if (typeof id !== "number") return "";
  if (Number.isSafeInteger(id)) return String(id);
  // A quote inside a JSON string has a backslash, so this is not the text of a
  // field.
  return /"id":\s*(\d+)/.exec(text)?.[1] ?? "";
}

/** Returns the fields of an entry; an empty list if it has none. */
export function fieldsOf(entry: Entry): unknown[] {
  return Array.isArray(entry["fields"]) ? entry["fields"] : [];
}

/** Returns whether a value is a valid count. */
export function isCount(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && Number.isFinite(value);
}

/**
 * Removes the store paths of sources and the references to the mirror: they do
 * not help people.
 */
export function withoutSourcePaths(text: string): string {
  return text.replace(
    /\/nix\/store\/[0-9a-z]{32}-source\/|«git\+file:[^»]*»\//g,
    "",
  );
}

/** Shortens `/nix/store/HASH-linux-6.12.8.drv` to `linux-6.12.8`. */
export function storeName(path: string): string {
  const file = bounded(path.slice(path.lastIndexOf("/") + 1));
  return oneLine(
    file.replace(/^[0-9a-z]{32}-/, "").replace(/\.drv$/, ""),
    80,
  );
}

/** Cuts a line to a maximum length, and copies it. */
export function bounded(text: string): string {
  if (text.length <= lineLength) return copy(text);
  return copy(`${text.slice(0, lineLength - 1)}…`);
}

/** Copies a text. A slice would keep the whole original in memory. */
function copy(text: string): string {
  return Array.from(text).join("");
}
