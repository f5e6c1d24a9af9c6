import { assertEquals } from "@std/assert";
import { readRequests } from "../../lib/serve/actions_read.ts";
import { textOf } from "../../lib/serve/actions_request.ts";
import { ask, TooManyRequests } from "../../lib/serve/actions_ask.ts";

const now = new Date("2026-11-27T10:00:00.000Z");
const revision = "4b112af8390c4b112af8390c4b112af8390c4b11";
const good = {
  version: 1,
  at: "2026-11-27T09:59:58.123Z",
  by: "ada",
  action: "suspend",
  for: "2h",
  reason: "a disk",
} as const;
const text = textOf(good);
const name = `1-${crypto.randomUUID()}.json`;

/** What root's unit makes of a folder. */
async function found(
  folder: string,
  rules: { kind?: "words" | "runs"; owner?: number } = {},
): Promise<unknown[]> {
  const all: unknown[] = [];
  const own = { kind: "words" as const, owner: Deno.uid()!, now };
  for await (const one of readRequests(folder, { ...own, ...rules })) {
    all.push("request" in one ? one.request : one.refused);
  }
  return all;
}

async function inFolder(work: (folder: string) => Promise<void>) {
  const top = await Deno.makeTempDir();
  const folder = `${top}/words`;
  await Deno.mkdir(folder);
  try {
    await work(folder);
  } finally {
    await Deno.remove(top, { recursive: true });
  }
}

Deno.test("root's unit reads what the server writes", async () => {
  await inFolder(async (folder) => {
    await ask(`${folder}/../wanted`, good);
    assertEquals(await found(folder), [good]);
    // Still being written.
    await Deno.writeTextFile(`${folder}/.hidden`, text);
    assertEquals((await found(folder)).length, 1);
  });
});

Deno.test("a text that differs in anything from the one text is no request", async () => {
  const odd = [
    "",
    "\n",
    "null\n",
    "[]\n",
    '"suspend"\n',
    "{}\n",
    text.trim(),
    `${text}\n`,
    `${text}${text}`,
    ` ${text}`,
    `\ufeff${text}`,
    text.replace("}", ",}"),
    text.replace("}", " }"),
    text.replace(":1,", ":1.0,"),
    text.replace('"version":1', '"version":2'),
    text.replace('"version":1', '"version":"1"'),
    text.replace('"version":1,', ""),
    text.replace('"by":"ada"', '"by":"ada","by":"ada"'),
    text.replace('"by":"ada"', '"by":"eve","by":"ada"'),
    text.replace('"by":"ada"', '"by":"a da"'),
    text.replace('"by":"ada"', '"by":""'),
    text.replace('"by":"ada"', '"by":["ada"]'),
    text.replace('"by":"ada"', '"by":"ada (page)"'),
    text.replace('"by":"ada"', '"by":"--help"'),
    text.replace('"by":"ada"', '"by":"ad\\u0061"'),
    text.replace('"by":"ada"', '"by":"ada\\n"'),
    text.replace('"by":"ada"', '"__proto__":{"by":"ada"}'),
    text.replace('"by":"ada",', ""),
    text.replace("suspend", "reboot"),
    text.replace("suspend", "constructor"),
    text.replace("suspend", "suspend "),
    text.replace("suspend", "sync"),
    text.replace("suspend", "approve"),
    text.replace('"suspend"', "{}"),
    text.replace("2h", "2"),
    text.replace("2h", "900d"),
    text.replace('"2h"', "2"),
    text.replace("a disk", "a\\u0000disk"),
    text.replace("a disk", "a\\ndisk"),
    text.replace("a disk", "\\u001b[31m"),
    text.replace("a disk", "x".repeat(201)),
    text.replace("a disk", " a disk"),
    text.replace("}", ',"config":"/tmp/x"}'),
    text.replace("}", `,"revision":"${revision}"}`),
    text.replace(good.at, "2026-11-27T09:59:58Z"),
    text.replace(good.at, "yesterday"),
    text.replace(good.at, "2026-13-27T09:59:58.123Z"),
    text.replace(`"${good.at}"`, "1"),
    textOf({ ...good, action: "approve" } as never),
    textOf(
      {
        version: 1,
        at: good.at,
        by: "ada",
        action: "approve",
        revision: "main",
      },
    ),
    "\0".repeat(100),
    "{".repeat(1_000),
  ];
  await inFolder(async (folder) => {
    for (const one of odd) {
      await Deno.writeTextFile(`${folder}/${name}`, one);
      assertEquals(
        await found(folder),
        ["it is not a valid request"],
        JSON.stringify(one),
      );
    }
    await Deno.writeFile(`${folder}/${name}`, new Uint8Array([0xff, 0xfe]));
    assertEquals(await found(folder), ["TypeError"]);
  });
});

Deno.test("a request counts for five minutes, and for its own unit", async () => {
  await inFolder(async (folder) => {
    const at = async (time: string) => {
      await Deno.writeTextFile(
        `${folder}/${name}`,
        textOf({ ...good, at: time }),
      );
      return (await found(folder))[0];
    };
    const old = "it is too old: press again";
    assertEquals(await at("2026-11-27T09:54:59.999Z"), old);
    assertEquals(typeof await at("2026-11-27T09:55:00.000Z"), "object");
    assertEquals(typeof await at("2026-11-27T10:00:05.000Z"), "object");
    assertEquals(
      await at("2026-11-27T10:00:05.001Z"),
      "its time is in the future",
    );
    assertEquals(await at("1970-01-01T00:00:00.000Z"), old);
    await at(good.at);
    assertEquals(
      await found(folder, { kind: "runs" }),
      ["suspend is not for this unit"],
    );
  });
});

const isRoot = Deno.uid() === 0;
if (!isRoot) console.log("planted files are not tested: that needs root");

Deno.test({
  name: "what is planted in place of a file or the folder is not read",
  ignore: !isRoot,
  fn: refusesPlants,
});

async function refusesPlants() {
  const run = async (...argv: string[]) => {
    const [program, ...args] = argv;
    const { success } = await new Deno.Command(program!, { args }).output();
    if (!success) throw new Error(argv.join(" "));
  };
  const secret = "the secret of root";
  const plants: Record<string, (path: string) => Promise<unknown>> = {
    "it is not a regular file": (path) => run("mkfifo", path),
    "it is not a regular file ": (path) => Deno.mkdir(path),
    "it is not a regular file  ": (path) => Deno.symlink("/etc/passwd", path),
    "it is not a regular file   ": (path) => Deno.symlink("/dev/zero", path),
    "it is not a regular file    ": (path) => Deno.symlink(path, path),
    "it is not a regular file     ": (path) =>
      run("mknod", path, "c", "1", "5"),
    "it has more than one hard link": async (path) => {
      await Deno.writeTextFile(`${path}.x`, text);
      await Deno.link(`${path}.x`, path);
      await Deno.rename(`${path}.x`, path.replace(/[^/]*$/, ".hidden"));
    },
    "it is too long": (path) => Deno.writeTextFile(path, "x".repeat(2049)),
    "it is too long ": async (path) => {
      await Deno.writeTextFile(path, "");
      await Deno.truncate(path, 1e12);
    },
    "the server does not own it": async (path) => {
      await Deno.writeTextFile(path, text);
      await Deno.chown(path, 12345, null);
    },
  };
  for (const [why, plant] of Object.entries(plants)) {
    await inFolder(async (folder) => {
      await plant(`${folder}/${name}`);
      assertEquals(await found(folder), [why.trim()], why);
    });
  }
  const names = ["x.json", "1.json", `${name}.sh`, "-rf", "a\nb", "$(id).json"];
  for (const odd of names) {
    await inFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/${odd}`, secret);
      const told = ["its name does not have the format of the server"];
      assertEquals(await found(folder), told);
    });
  }
  const folders: ((folder: string) => Promise<unknown>)[] = [
    (folder) => Deno.symlink("/etc", folder),
    (folder) => Deno.writeTextFile(folder, text),
    (folder) => run("mkfifo", folder),
    (folder) => run("install", "-d", "-o", "12345", folder),
  ];
  for (const plant of folders) {
    await inFolder(async (folder) => {
      await Deno.remove(folder);
      await plant(folder);
      const told = ["the server did not create the folder"];
      assertEquals(await found(folder), told);
    });
  }
  // Nothing is there: another start of the unit took it.
  assertEquals(await found("/nonexistent/words"), []);
}

Deno.test("no more is done at once than a few people could ask for", async () => {
  await inFolder(async (folder) => {
    const wanted = `${folder}/../wanted`;
    for (let i = 0; i < 16; i++) await ask(wanted, good);
    const over = await ask(wanted, good).then(
      () => undefined,
      (error) => error,
    );
    assertEquals(over instanceof TooManyRequests, true);
    for (let i = 0; i < 30; i++) {
      const file = `${folder}/9-${crypto.randomUUID()}.json`;
      await Deno.writeTextFile(file, text);
    }
    const all = await found(folder);
    assertEquals(all.filter((one) => typeof one === "object").length, 16);
    assertEquals(all.at(-1), "30 requests too many");
  });
});
