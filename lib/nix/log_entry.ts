/**
 * One line of Nix's internal-json log, and the errors in it. Pure.
 *
 * @module
 */
import { isObject, type JsonObject, parseJson } from "../base/json.ts";
import { oneLine, safeLines } from "../base/text.ts";

/** The longest line that is kept, in characters. */
export const lineLength = 500;
/** The longest message that is looked at. */
export const messageLength = 4000;

/** An error of Nix itself, not of a builder. */
export interface NixError {
  /** Without colour, traces and the leading `error:`. */
  text: string;
  /** `flake.nix:8:47`, or empty. */
  position: string;
  /** `Did you mean web?`, or empty. */
  suggestion: string;
  /** Whether Nix gives it a place in the code, known or not, as its own. */
  isPlaced: boolean;
  /** What the evaluator was at, e.g. `while calling the 'throw' builtin`. */
  within: string;
}

/** What stands on a line, as JSON. */
export type Entry = JsonObject;

/** Reads a message of level 0; some are remarks, and no errors. */
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

/** The text of the innermost trace, which Nix gives with `--show-trace`. */
function innermostFrame(entry: Entry): string {
  const frame = Array.isArray(entry["trace"]) ? entry["trace"][0] : undefined;
  const text = isObject(frame) ? frame["raw_msg"] : undefined;
  return typeof text === "string" ? plainText(text.slice(0, lineLength)) : "";
}

/** Without colour and control characters, but with its lines. */
function plainText(text: string): string {
  return safeLines(text).join("\n").trim();
}

/** The part after the last `error:`, without the traces on either side. */
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
  // Nix's own code has places too, which say nothing to people.
  if (!/^(?:\/|«git\+file:)/.test(file)) return "";
  const at = `:${line}:${column}`;
  return oneLine(beautiful(file.endsWith(at) ? file : file + at));
}

/** The innermost place of `--show-trace`, for a `throw`, which has none. */
function tracedPosition(entry: Entry): string {
  if (!Array.isArray(entry["trace"])) return "";
  for (const frame of entry["trace"]) {
    const position = isObject(frame) ? positionOf(frame) : "";
    if (position !== "") return position;
  }
  return "";
}

/** The place in a message without fields for it, or of Nix 2.8's traces. */
function positionIn(whole: string): string {
  // Without --show-trace the innermost places are those that are left out.
  if (/stack trace truncated/.test(whole)) return "";
  const found = /(?:^|\n)\s*at (\/\S+:\d+:\d+):?(?:\n|$)/.exec(
    whole.slice(Math.max(0, whole.search(/error:\s+\S/))),
  );
  return found ? oneLine(beautiful(found[1]!)) : "";
}

/** Reads a line after its `@nix `; `undefined` if it is no object. */
export function parse(text: string): Entry | undefined {
  const value = parseJson(text);
  return isObject(value) ? value : undefined;
}

/**
 * The id as text. It is the process id times 2^32 plus a number, which a
 * double can't hold if the process id is above 2^21.
 */
export function idOf(text: string, entry: Entry): string {
  const id = entry["id"];
  if (typeof id !== "number") return "";
  if (Number.isSafeInteger(id)) return String(id);
  // A quote within a JSON string has a backslash, so this is no field's text.
  return /"id":\s*(\d+)/.exec(text)?.[1] ?? "";
}

/** The fields of an entry; none if it has none. */
export function fieldsOf(entry: Entry): unknown[] {
  return Array.isArray(entry["fields"]) ? entry["fields"] : [];
}

/** Whether a value can be counted with. */
export function isCount(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && Number.isFinite(value);
}

/** Store paths of sources and references to the mirror say nothing to people. */
export function beautiful(text: string): string {
  return text.replace(
    /\/nix\/store\/[0-9a-z]{32}-source\/|«git\+file:[^»]*»\//g,
    "",
  );
}

/** `/nix/store/HASH-linux-6.12.8.drv` is `linux-6.12.8`. */
export function storeName(path: string): string {
  const file = bounded(path.slice(path.lastIndexOf("/") + 1));
  return oneLine(
    file.replace(/^[0-9a-z]{32}-/, "").replace(/\.drv$/, ""),
    80,
  );
}

/** A line that is not too long, and keeps nothing else in memory. */
export function bounded(text: string): string {
  if (text.length <= lineLength) return copy(text);
  return copy(`${text.slice(0, lineLength - 1)}…`);
}

/** A part of a text keeps the whole of it in memory; its copy does not. */
function copy(text: string): string {
  return Array.from(text).join("");
}
