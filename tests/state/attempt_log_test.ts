import { assert, assertEquals } from "@std/assert";
import type { Event } from "../../lib/base/effects.ts";
import { AttemptLog } from "../../lib/state/attempt_log.ts";
import {
  type LogEntry,
  logFolder,
  loggedAttempts,
} from "../../lib/state/log_entries.ts";
import { LogReader, readLog } from "../../lib/state/log_reader.ts";
import { inFolder, modeOf } from "../folder.ts";

const id = "20260301-140509-0a1b";
const now = () => new Date("2026-03-01T14:05:09Z");

function open(state: string, faults: string[] = [], name = id): AttemptLog {
  return new AttemptLog(state, name, now, (why) => faults.push(why));
}

const line = (text: string): Event => ({ kind: "line", stage: "build", text });

/** All that a log has, without times. */
function all(state: string): string[] {
  return [...readLog(state, id)].flat().map((entry) =>
    entry.kind === "line"
      ? entry.text
      : entry.kind === "omitted"
      ? "…"
      : entry.kind
  );
}

Deno.test("a log has what was told, clean and for its owner alone", () =>
  inFolder((state) => {
    const log = open(state);
    log.tell({ kind: "attempt", id, revision: "a".repeat(40) });
    log.tell({ kind: "start", stage: "build" });
    log.tell(line("\x1b[31mred\x1b[0m\tand \x07bell"));
    log.tell(line("fetch https://me:hunter2@forge.example/x?token=geheim"));
    log.tell(line("one\ntwo"));
    log.tell({
      kind: "message",
      level: "error",
      text: "no",
      details: ["see https://me:hunter2@forge.example"],
      hints: [],
    });
    log.tell({ kind: "message", level: "debug", text: "not this" });
    log.tell({ kind: "failed", stage: "build", ms: 5 });
    log.end("failed", 6, "no");
    assertEquals(all(state), [
      "attempt",
      "start",
      "red  and ?bell",
      "fetch https://forge.example/x?token=…",
      "one two",
      "message",
      "failed",
      "end",
    ]);
    const path = `${logFolder(state, id)}/head.jsonl`;
    assert(!/hunter2|geheim/.test(Deno.readTextFileSync(path)));
    assertEquals(modeOf(path), 0o600);
    assertEquals(modeOf(logFolder(state, id)), 0o700);
  }));

Deno.test("a long log keeps its beginning and its end, and says what is missing", () =>
  inFolder((state) => {
    const log = open(state);
    const most = 60_000;
    for (let i = 0; i < most; i++) {
      log.tell(line(`line ${i} ${"x".repeat(40)}`));
    }
    log.end("deployed", 0, "");
    const entries = [...readLog(state, id)].flat();
    const numbers = entries.flatMap((one) =>
      one.kind === "line" ? [Number(one.text.split(" ")[1])] : []
    );
    const gap = entries.findIndex(({ kind }) => kind === "omitted");
    assertEquals(numbers[0], 0);
    assertEquals(numbers.at(-1), most - 1);
    assertEquals(numbers.slice(0, gap), numbers.slice(0, gap).map((_, i) => i));
    const end = numbers.slice(gap);
    assertEquals(end, end.map((_, i) => most - end.length + i));
    const bytes = (entries[gap] as LogEntry & { kind: "omitted" }).bytes;
    assert(bytes > 1024 * 1024, `${bytes}`);
    assertEquals(entries.filter(({ kind }) => kind === "omitted").length, 1);
    const size = [...Deno.readDirSync(logFolder(state, id))].reduce(
      (sum, { name }) =>
        sum + Deno.statSync(`${logFolder(state, id)}/${name}`).size,
      0,
    );
    assert(size < 2.5 * 1024 * 1024, `${size}`);

    // A later run goes on with it, and knows what was missing.
    const again = open(state);
    for (let i = 0; i < most; i++) {
      again.tell(line(`line ${i} ${"x".repeat(40)}`));
    }
    again.close();
    const later = [...readLog(state, id)].flat()
      .find(({ kind }) => kind === "omitted") as LogEntry & { kind: "omitted" };
    assert(later.bytes > bytes + 1024 * 1024, `${later.bytes}`);
  }));

Deno.test("a log is read as it grows, over each of its parts", () =>
  inFolder((state) => {
    const log = open(state);
    using reader = new LogReader(state, id);
    let next = 0, gaps = 0;
    for (let i = 0; i < 60_000; i++) {
      log.tell(line(`${i} ${"x".repeat(60)}`));
      if (i % 1000 !== 0) continue;
      log.tell({ kind: "message", level: "info", text: "written" });
      for (const entry of [...reader.read()].flat()) {
        if (entry.kind === "omitted") gaps++;
        if (entry.kind !== "line") continue;
        assertEquals(Number(entry.text.split(" ")[0]), next++);
      }
    }
    log.close();
    assertEquals([next > 59_000, gaps], [true, 0]);
  }));

Deno.test("a damaged or cut log is shown as far as it goes", () =>
  inFolder(async (state) => {
    const log = open(state);
    for (const text of ["one", "two", "three"]) log.tell(line(text));
    log.close();
    const path = `${logFolder(state, id)}/head.jsonl`;
    const text = Deno.readTextFileSync(path);
    const cut = text.slice(0, -10);
    Deno.writeTextFileSync(path, cut);
    assertEquals(all(state), ["one", "two"]);
    Deno.writeTextFileSync(path, cut.replace('"text":"one"', '"text":1'));
    assertEquals(all(state), ["two"]);
    const noise = [
      "\0\xff\x1b[2J",
      '{"at":1,"kind":"constructor"}',
      '{"at":"x","kind":"line","stage":"build","text":"y"}',
      "null",
      "[]",
      text,
    ];
    Deno.writeTextFileSync(path, noise.join("\n"));
    assertEquals(all(state), ["one", "two", "three"]);
    // A run that goes on after a cut writes on a line of its own.
    Deno.writeTextFileSync(path, cut);
    const again = open(state);
    again.tell(line("four"));
    again.close();
    assertEquals(all(state), ["one", "two", "four"]);
    await Deno.remove(path);
    assertEquals(all(state), []);
  }));

Deno.test("a log that can't be written is told once, and goes on when it can", () =>
  inFolder(async (state) => {
    const faults: string[] = [];
    const message: Event = { kind: "message", level: "info", text: "so" };
    await Deno.writeTextFile(`${state}/attempts`, "");
    const log = open(state, faults);
    log.tell(message);
    log.tell({ kind: "progress", stage: "build", now: () => ({ text: "" }) });
    log.tell(message);
    assertEquals(faults.length, 1, faults.join());
    await Deno.remove(`${state}/attempts`);
    await Deno.mkdir(logFolder(state, id), { recursive: true });
    log.tell(message);
    log.end("deployed", 0, "");
    assertEquals(all(state), ["…", "message", "end"]);
    assertEquals(faults.length, 1);
  }));

Deno.test("the last 32 attempts have a log", () =>
  inFolder(async (state) => {
    const ids = Array.from(
      { length: 40 },
      (_, i) => `20260301-1405${String(i).padStart(2, "0")}-0a1b`,
    );
    await Deno.mkdir(`${state}/attempts/not-ours`, { recursive: true });
    for (const one of ids) open(state, [], one).close();
    assertEquals(loggedAttempts(state), ids.slice(-32));
    assert(Deno.statSync(`${state}/attempts/not-ours`).isDirectory);
  }));
