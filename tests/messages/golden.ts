/**
 * The file tests/messages.golden: each message that the tests provoke.
 *
 *     golden.ts compare FOLDER [--whole]   prints what the file lacks, and with
 *                                          --whole what was not provoked
 *     golden.ts write FOLDER [--keep]      writes it anew, or adds to it
 *
 * FOLDER holds a recording (record.ts). If the file lacks a message, compare ends
 * with 1.
 *
 * @module
 */
import { exitMeanings } from "../../lib/base/errors.ts";
import { keyOf, type Message, messagesIn } from "./messages.ts";
import type { Recorded } from "./record.ts";

const path = new URL("../messages.golden", import.meta.url);

const head =
  `# Each message that the tests provoke, with what the program ended with; the
# first line of the evidence is indented. Words in capitals stand for what is
# another with each run. After a whole ./dev test, ./dev messages writes this
# file anew; ./dev messages --keep adds what the last tests provoked.
`;

const groups = [
  ...Object.entries(exitMeanings).map(([code, text]) =>
    `exit ${code}: ${text}`
  ),
  "other exit codes",
  "warnings",
  "remarks with a hint",
];

/**
 * Messages by their key. Of equal ones that in the first group counts, with the
 * first evidence, so that the order of the tests does not matter.
 */
export function gathered(messages: readonly Message[]): Map<string, Message> {
  const found = new Map<string, Message>();
  for (const message of messages) {
    const key = keyOf(message);
    const other = found.get(key);
    if (!other || rankOf(message) < rankOf(other)) found.set(key, message);
  }
  return found;
}

function rankOf({ group, detail = "" }: Message): string {
  return `${String(groups.indexOf(group)).padStart(2, "0")} ${detail}`;
}

/** The text of the file. */
export function written(messages: ReadonlyMap<string, Message>): string {
  const sections = groups.map((group) => {
    const blocks = [...messages.values()].filter((one) => one.group === group)
      .map(blockOf).sort();
    return blocks.length === 0 ? "" : `\n== ${group}\n\n${blocks.join("\n")}`;
  });
  return head + sections.join("");
}

function blockOf({ text, detail, hints }: Message): string {
  const evidence = detail === undefined ? [] : [`  ${detail}`];
  return [text, ...evidence, ...hints].map((line) => `${line}\n`).join("");
}

/** The messages of the file. */
export function read(text: string): Map<string, Message> {
  const found: Message[] = [];
  let group = "";
  for (const block of text.split("\n\n")) {
    const lines = block.split("\n").filter((line) =>
      line !== "" && !line.startsWith("# ")
    );
    const [first, ...rest] = lines;
    if (first?.startsWith("== ")) group = first.slice(3);
    else if (first !== undefined) found.push(messageOf(group, first, rest));
  }
  return gathered(found);
}

function messageOf(group: string, text: string, rest: string[]): Message {
  const detail = rest.find((line) => line.startsWith("  "))?.trim();
  const hints = rest.filter((line) => !line.startsWith("  "));
  return { group, text, detail, hints };
}

/** All messages of a recording. */
function recorded(folder: string): Map<string, Message> {
  const lines = [...Deno.readDirSync(folder)].filter(({ isFile }) => isFile)
    .flatMap(({ name }) =>
      Deno.readTextFileSync(`${folder}/${name}`).split("\n")
    ).filter((line) => line !== "");
  return gathered(
    lines.flatMap((line) => messagesIn(JSON.parse(line) as Recorded)),
  );
}

function fileText(): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/** Prints how a recording differs; gives how many messages the file lacks. */
function compare(folder: string, isWhole: boolean): number {
  const [now, before] = [recorded(folder), read(fileText())];
  const lacks = (one: typeof now, other: typeof now) =>
    [...one].filter(([key]) => !other.has(key)).map(([, message]) => message);
  const added = lacks(now, before);
  for (const message of added) {
    console.log(`tests/messages.golden lacks:\n${blockOf(message)}`);
  }
  if (isWhole) {
    for (const message of lacks(before, now)) {
      console.log(`note: no test provoked:\n${blockOf(message)}`);
    }
  }
  console.log(`tests/messages.golden lacks ${added.length} messages`);
  if (added.length > 0) {
    console.log("hint: Read them, then add them: ./dev messages --keep");
  }
  return added.length;
}

if (import.meta.main) {
  const [action, folder, flag] = Deno.args;
  if (action === "compare") {
    Deno.exit(compare(folder!, flag === "--whole") === 0 ? 0 : 1);
  }
  const kept = flag === "--keep" ? [...read(fileText()).values()] : [];
  const all = gathered([...kept, ...recorded(folder!).values()]);
  Deno.writeTextFileSync(path, written(all));
  console.log(`tests/messages.golden has ${all.size} messages`);
}
