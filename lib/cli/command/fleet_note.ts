/**
 * Writes a signed note for many hosts: the common part of `fleet approve` and
 * `fleet accept`.
 *
 * @module
 */
import { type ExitCode, exitCodes, usageError } from "../../base/errors.ts";
import { isRevision } from "../../base/names.ts";
import { oneLine, short } from "../../base/text.ts";
import { utc } from "../../base/time.ts";
import {
  longestNote,
  type Note,
  noteName,
  type NoteOperation,
  noteText,
  repositoryName,
} from "../../trust/note.ts";
import type { Call } from "../call.ts";
import { readConfig } from "../config.ts";
import { asPerson, NotePublisher, type SigningKey } from "../note_publisher.ts";
import { neededOperand } from "../operand.ts";
import { realEffects } from "../output/effects.ts";
import { printJson } from "../output/json.ts";
import { print } from "../output/print.ts";
import { timeOf } from "../../report/times.ts";
import { spanOf } from "../span.ts";
import { namesOf } from "./fleet.ts";

/** How long a note is valid by default. */
const defaultSpan = 7 * 24 * 3_600_000;

/** Writes, signs and pushes a note. */
export async function writeNote(
  call: Call,
  operation: NoteOperation,
): Promise<ExitCode> {
  const config = await readConfig(call);
  const name = `fleet ${operation}`;
  const word = neededOperand(
    call,
    operation,
    `${name} REVISION --hosts 'web-*'`,
    "Name the revision that waits or is blocked on the hosts.",
  );
  const hosts = namesOf(call.texts["hosts"]);
  if (hosts.length === 0) {
    throw usageError(
      "hosts-missing",
      `Cannot ${operation} for no host: expected --hosts with names or patterns`,
      "Type `--hosts '*'` for all hosts.",
    );
  }
  const now = new Date();
  const span = spanOf(call) ?? defaultSpan;
  if (span > longestNote) {
    throw usageError(
      "flag-value",
      "Cannot use --for: a note is valid for 90 days at most",
      "Type, for example, `--for 7d`.",
    );
  }
  using effects = await realEffects(call.verbose);
  const person = asPerson(effects);
  const url = config.repository ?? await person.origin();
  const from = await fromOf(call, operation, person.revision);
  const note: Note = {
    version: 1,
    operation,
    repository: repositoryName(url),
    ref: config.ref,
    revision: await person.revision(word),
    from,
    hosts,
    at: utc(now)!,
    until: utc(now.getTime() + span)!,
    reason: oneLine(call.texts["reason"] ?? "", 500),
  };
  const key = keyOf(call) ?? await person.signingKey();
  await using publisher = await NotePublisher.make(person, url, note.revision);
  await publisher.publish(
    noteName(note),
    noteText(note),
    key,
    config["approvals.ref"],
    now,
  );
  if (call.json) {
    const { version: _, ...content } = note;
    printJson(name, exitCodes.ok, { result: "signed", ...content });
  } else {
    print(
      `Signed: ${note.ref} at ${short(note.revision)} is ${
        operation === "approve" ? "approved" : "accepted"
      } on ${hosts.join(", ")} until ${
        timeOf(note.until)
      }. Each host applies it with its next run.`,
    );
  }
  return exitCodes.ok;
}

/** Returns the key that the flags name. */
function keyOf({ texts }: Call): SigningKey | undefined {
  const [ssh, openpgp] = [texts["key"], texts["gpg-key"]];
  if (ssh !== undefined) return { kind: "ssh", key: ssh };
  return openpgp === undefined ? undefined : { kind: "openpgp", key: openpgp };
}

/** Returns the revisions of `--from`, in full. */
async function fromOf(
  { texts }: Call,
  operation: NoteOperation,
  inFull: (word: string) => Promise<string>,
): Promise<string[]> {
  if (operation === "approve") return [];
  const words = (texts["from"] ?? "").split(/[,\s]+/)
    .filter((word) => word !== "");
  if (words.length === 0) {
    throw usageError(
      "from-missing",
      "Cannot accept the move: expected --from with the revisions that the hosts deployed last",
      "Run `gitops-sync fleet` to see the revision of each host.",
    );
  }
  const all: string[] = [];
  for (const word of words) {
    all.push(isRevision(word) ? word : await inFull(word));
  }
  return all;
}
