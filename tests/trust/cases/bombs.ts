/** What is small on the way, and of any size once it is unpacked. */
import { Buffer } from "node:buffer";
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import type { Case, Expected, Lab } from "../lab.ts";
import {
  commitText,
  gzipEndless,
  headOf,
  idOfLong,
  type Long,
  type ObjectType,
  Pack,
  packHead,
} from "../packs.ts";
import { line, names, serve } from "../servers.ts";

const [mega, giga] = [2 ** 20, 2 ** 30];

const tooLarge = { exit: 3, reason: "too-large" };
const outOfTime = { exit: 3, reason: "unreachable" };
const refused = (reason: string) => ({ exit: 4, reason });

const zeros = (times: number): Long => ({ begins: "", letter: "\0", times });

const main = "refs/heads/main";

const someId = "a".repeat(40);

/** The tree without files. */
const noFiles = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

type Answer = (request: Request) => Response;

const asResult = { "content-type": "application/x-git-upload-pack-result" };

/** What a name points to; for a tag, the commit behind it as well. */
type Named = readonly [id: string, behind?: string];

/** A server with a delta of eleven kilobytes that makes a terabyte. */
export function terabyte(): Answer {
  return giving((pack) => {
    const id = pack.commitOf(someId);
    const base = pack.addLong("blob", zeros(8 * mega));
    pack.addCopies(base, 8 * mega, 128 * 1024);
    return [id];
  });
}

/** A server with one branch or tag, and a pack for whoever fetches it. */
function giving(fill: (pack: Pack) => Named, ref = main): Answer {
  const pack = new Pack();
  const [id, behind] = fill(pack);
  const refs = [`${id} ${ref}`, ...behind ? [`${behind} ${ref}^{}`] : []];
  const body = new Blob([line("NAK\n"), pack.bytes()]);
  return ({ method }) =>
    method === "GET"
      // Without bands, so the pack comes as it is.
      ? names(refs, "ofs-delta")
      : new Response(body, { headers: asResult });
}

/** A file, and nothing that harms. */
const harmless = (pack: Pack): Named => [
  pack.commitOf(pack.add("blob", "a file\n")),
];

/**
 * A server with a bomb, which is mended afterwards: nothing of the bomb may be
 * in the way of the next run.
 */
function bomb(
  name: string,
  make: () => Answer,
  expected: Expected,
  settings: Record<string, unknown> = {},
): Case {
  let answer: Answer;
  return {
    name,
    make: () => {
      answer = make();
      const server = serve((request) => answer(request));
      return {
        settings: {
          repository: `${server.url}/x.git`,
          shallow: false,
          "timeouts.fetch": "30s",
          ...settings,
        },
        done: () => server.close(),
      };
    },
    expected,
    then: async (lab, { all }) => {
      assert(!/"hints": \[\]/.test(all), all);
      answer = giving(harmless, String(settings.ref ?? main));
      await isMended(lab);
    },
  };
}

async function isMended(lab: Lab): Promise<void> {
  const next = await lab.call("sync", "--json");
  assert(next.evaluated, next.all);
  const packs = join(lab.folder, "repo/.git/objects/pack");
  const left = await Array.fromAsync(Deno.readDir(packs), ({ name }) => name);
  assertEquals(left.filter((name) => name.startsWith("tmp_")), []);
}

/** An object of any length on the way to main, whose id nobody gets to. */
const long = (type: ObjectType, long: Long) => () =>
  giving((pack) => {
    const id = pack.commitOf(someId);
    pack.addLong(type, long);
    return [id];
  });

/** A message that is longer than anybody's, of an object that is whole. */
const times = 96 * mega;

/** A commit whose message begins so and goes on. */
const longCommit = (begins: string) => () =>
  giving((pack) => {
    const text = commitText(pack.add("tree", ""), begins);
    const long = { begins: text, letter: "x", times };
    pack.addLong("commit", long);
    return [idOfLong("commit", long)];
  });

const longTag = () =>
  giving((pack) => {
    const commit = pack.add("commit", commitText(pack.add("tree", "")));
    const long = { begins: tagText(commit), letter: "x", times };
    pack.addLong("tag", long);
    return [idOfLong("tag", long), commit];
  }, "refs/tags/v1");

const tagText = (commit: string) =>
  `object ${commit}\ntype commit\ntag v1\ntagger A <a@x> 1767225600 +0000\n\n`;

/** Files that are one in the pack. */
const files = (each: number, count: number) => () =>
  giving((pack) => {
    pack.addLong("blob", zeros(each));
    const all = Array.from({ length: count }, (_, i) => `f${100_000 + i}`);
    return [pack.commitOf(idOfLong("blob", zeros(each)), all)];
  });

/** A body that grows without end once it is unpacked. */
const gzipped = (first: string | Uint8Array, again: Uint8Array, type: string) =>
  new Response(gzipEndless(Buffer.from(first as Uint8Array), again), {
    headers: { "content-type": type, "content-encoding": "gzip" },
  });

const asNames = "application/x-git-upload-pack-advertisement";

/** A list of names that is small on the way. */
const gzippedNames = () => () =>
  gzipped(
    line("# service=git-upload-pack\n") + "0000",
    Buffer.from(line(`${someId} refs/heads/${"x".repeat(200)}\n`).repeat(4000)),
    asNames,
  );

/** A pack that is small on the way, of a file that is not packed at all. */
const gzippedPack = (): Answer => {
  const block = Buffer.concat([
    Buffer.of(0, 0xff, 0xff, 0, 0),
    Buffer.alloc(0xffff),
  ]);
  const first = Buffer.concat([
    Buffer.from(line("NAK\n")),
    packHead(1),
    headOf(3, 2 ** 50),
    Buffer.of(0x78, 0x9c),
  ]);
  return ({ method }) =>
    method === "GET"
      ? names([`${someId} refs/heads/main`], "ofs-delta")
      : gzipped(
        first,
        Buffer.concat(Array(16).fill(block)),
        asResult["content-type"],
      );
};

/** Progress without end, small on the way. */
const gzippedProgress = (text: string) => (): Answer => ({ method }) =>
  method === "GET" ? names([`${someId} ${main}`]) : gzipped(
    line("NAK\n"),
    Buffer.from(line(`\x02${text}`).repeat(1000)),
    asResult["content-type"],
  );

export const cases: Case[] = [
  bomb("a delta of a terabyte", terabyte, tooLarge),
  bomb(
    "deltas of deltas",
    () =>
      giving((pack) => {
        const id = pack.commitOf(someId);
        const first = pack.addLong("blob", zeros(1024));
        const second = pack.addCopies(first, 1024, 8192);
        const third = pack.addCopies(second, 8 * mega, 16);
        pack.addCopies(third, 128 * mega, 16 * 1024);
        return [id];
      }),
    tooLarge,
  ),
  bomb(
    "two thousand deltas that each may be",
    () =>
      giving((pack) => {
        const id = pack.commitOf(someId);
        const base = pack.addLong("blob", zeros(8 * mega));
        // So small that they fit into memory, as many as are made at once.
        for (let n = 0; n < 2000; n++) pack.addCopies(base, 8 * mega, 8);
        return [id];
      }),
    outOfTime,
    { "timeouts.fetch": "3s" },
  ),
  bomb(
    "a file of sixteen gigabytes of zeros",
    long("blob", zeros(16 * giga)),
    outOfTime,
    { "timeouts.fetch": "3s" },
  ),
  bomb(
    "a commit of four gigabytes",
    long("commit", {
      begins: commitText(noFiles),
      letter: "x",
      times: 4 * giga,
    }),
    tooLarge,
  ),
  bomb(
    "a tag of four gigabytes",
    long("tag", { begins: tagText(someId), letter: "x", times: 4 * giga }),
    tooLarge,
  ),
  bomb(
    "a tree of four gigabytes",
    long("tree", zeros(4 * giga)),
    tooLarge,
  ),
  bomb(
    "a commit whose subject does not end",
    longCommit(""),
    tooLarge,
  ),
  bomb(
    "a commit whose text does not end",
    longCommit("Short\n\n"),
    tooLarge,
  ),
  bomb(
    "a tag whose text does not end",
    longTag,
    tooLarge,
    { ref: "refs/tags/v1" },
  ),
  {
    name: "a long commit between signed ones",
    make: async (lab) => {
      await lab.begin();
      const tree = await lab.repository.git("rev-parse", "HEAD^{tree}");
      const text = commitText(`${tree}\nparent ${lab.base}`, "Long\n\n");
      const long = await lab.object("commit", text.padEnd(times, "x"));
      await lab.begin("ada", long);
      await lab.repository.commit("A change");
      const followed = await lab.branch();
      lab.deployed(lab.base, followed);
      return {
        settings: {
          ...followed,
          ...lab.trusting("ada"),
          "verify.mode": "range",
        },
      };
    },
    expected: refused("too-large"),
  },
  bomb(
    "a file that is larger than what Git may hold",
    files(giga + mega, 1),
    refused("file-too-large"),
  ),
  bomb(
    "files that are larger together than the mirror may be",
    files(64 * mega, 129),
    refused("files-too-large"),
  ),
  bomb(
    "files that fill the disk",
    files(64 * mega, 100_000),
    { exit: 6, reason: "disk-low" },
    { "limits.fetch": "1000T" },
  ),
  bomb("gzip: names without end", gzippedNames, tooLarge, {
    "timeouts.remote": "20s",
  }),
  bomb("gzip: a pack without end", gzippedPack, tooLarge, {
    "limits.fetch": "64MiB",
  }),
  bomb(
    "gzip: progress without end",
    gzippedProgress(".\n".repeat(500)),
    outOfTime,
    { "timeouts.fetch": "3s" },
  ),
  bomb(
    "gzip: a line of progress without end",
    gzippedProgress(".".repeat(1000)),
    tooLarge,
  ),
];
