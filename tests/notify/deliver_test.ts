import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { deliver, deliverAll } from "../../lib/notify/deliver.ts";
import { pauseAfter } from "../../lib/notify/pause.ts";
import {
  list,
  mostWaiting,
  put,
  readPauses,
  spoolFolder,
  type Waiting,
} from "../../lib/notify/spool.ts";
import { spool } from "../../lib/notify/tell.ts";
import type { Config } from "../../lib/config/schema.ts";
import { Receiver } from "./receiver.ts";
import { event, Setting } from "./setting.ts";

const minute = 60_000;

const hook = ({ url }: Receiver) => `notify: {webhook: {url: "${url}/hook"}}`;

const waitingFor = (config: Config, id: string): Waiting & { version: 1 } => ({
  version: 1,
  at: new Date().toISOString(),
  channel: "webhook",
  notice: event(config, { id }),
});

/** Spools so many events. */
async function spoolMany(setting: Setting, config: Config, many: number) {
  for (let i = 0; i < many; i++) {
    await spool({ effects: setting.effects, config }, {
      id: `20261126-220143-${String(i).padStart(5, "0")}`,
      event: "deployed",
      severity: "info",
      summary: `number ${i}`,
    });
  }
}

Deno.test("messages arrive in order, and once", async () => {
  await using setting = await Setting.make();
  await using receiver = new Receiver();
  const config = await setting.config(hook(receiver));
  await spoolMany(setting, config, 3);
  const [done] = await deliverAll(setting.effects, config, minute);
  assertEquals(done, { channel: "webhook", sent: 3, dropped: 0, waiting: 0 });
  await deliverAll(setting.effects, config, minute);
  assertEquals(
    receiver.bodies.map(({ summary }) => summary),
    ["number 0", "number 1", "number 2"],
  );
  assertEquals(list(config.stateDirectory), []);
});

Deno.test("what is told in one moment arrives in the order of its telling", async () => {
  await using setting = await Setting.make();
  const config = await setting.config("");
  const folder = config.stateDirectory;
  // The end of an id is a digest, which has no order.
  const ids = ["f", "0", "b", "9", "a"].map((end) => `20261126-220143-${end}`);
  for (const id of ids) await put(folder, id, waitingFor(config, id));
  const names = ids.map((id) => `${id}.webhook.json`);
  assertEquals(list(folder).map(({ name }) => name), names);
});

Deno.test("a webhook can check who sent it", async () => {
  await using setting = await Setting.make();
  await using receiver = new Receiver();
  const secretFile = setting.write("key", "a long key\n");
  const config = await setting.config(
    `notify: {webhook: {url: "${receiver.url}/hook", secretFile: ${secretFile}}}`,
  );
  await spoolMany(setting, config, 1);
  await deliverAll(setting.effects, config, minute);
  const { headers, text, method } = receiver.got[0]!;
  assertEquals(method, "POST");
  assertEquals(headers.get("X-Gitops-Sync-Event"), "deployed");
  assertEquals(headers.get("X-Gitops-Sync-Delivery"), JSON.parse(text).id);
  // By another program than ours.
  const openssl = new Deno.Command("openssl", {
    args: ["dgst", "-sha256", "-hmac", "a long key"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = openssl.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { stdout } = await openssl.output();
  const digest = new TextDecoder().decode(stdout).trim().split("= ")[1];
  assertEquals(headers.get("X-Signature"), `sha256=${digest}`);
});

Deno.test("what a receiver answers decides whether it is tried again", async () => {
  const table: [Response, "done" | "refused" | "later", after?: number][] = [
    [new Response("", { status: 200 }), "done"],
    [new Response(null, { status: 204 }), "done"],
    [new Response("", { status: 400 }), "refused"],
    [new Response("", { status: 413 }), "refused"],
    [new Response("", { status: 422 }), "refused"],
    [
      new Response("", { status: 307, headers: { Location: "/else" } }),
      "later",
    ],
    [new Response("", { status: 401 }), "later"],
    [new Response("", { status: 404 }), "later"],
    [new Response("", { status: 500 }), "later"],
    [
      new Response("", { status: 429, headers: { "Retry-After": "7200" } }),
      "later",
      7_200_000,
    ],
    [
      new Response("", {
        status: 503,
        headers: { "Retry-After": "9".repeat(30) },
      }),
      "later",
      24 * 3_600_000,
    ],
  ];
  await using setting = await Setting.make();
  await using receiver = new Receiver();
  const config = await setting.config(hook(receiver));
  for (const [answer, result, after] of table) {
    // Where a redirect leads all is well.
    receiver.answer = ({ path }) =>
      path === "/hook" ? answer : new Response("ok");
    const waiting = waitingFor(config, "1");
    const sent = await deliver(setting.effects, config, waiting);
    assertEquals(sent.result, result, `${answer.status}`);
    assertEquals("after" in sent ? sent.after : undefined, after);
  }
  assertEquals(receiver.got.length, table.length, "no redirect is followed");
});

Deno.test("a limit of rate is waited for to its end", async () => {
  await using setting = await Setting.make();
  await using receiver = new Receiver();
  const config = await setting.config(hook(receiver));
  const reset = Math.floor(Date.now() / 1000) + 3 * 3600;
  receiver.answer = () =>
    new Response("", {
      status: 403,
      headers: {
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": String(reset),
      },
    });
  await spoolMany(setting, config, 1);
  await deliverAll(setting.effects, config, minute);
  const { webhook } = readPauses(config.stateDirectory);
  const pause = Date.parse(webhook!.notBefore) / 1000;
  assert(Math.abs(pause - reset) < 5, webhook!.notBefore);
});

Deno.test("an answer without end holds nobody up", async () => {
  await using setting = await Setting.make();
  await using receiver = new Receiver();
  let stopped = () => {};
  const stop = new Promise<void>((resolve) => stopped = resolve);
  receiver.answer = () =>
    new Response(
      new ReadableStream({
        async pull(controller) {
          controller.enqueue(new Uint8Array(64 * 1024));
          await new Promise((resolve) => setTimeout(resolve, 1));
        },
        cancel: () => stopped(),
      }),
    );
  const config = await setting.config(hook(receiver));
  await spoolMany(setting, config, 1);
  const [done] = await deliverAll(setting.effects, config, minute);
  assertEquals(done!.sent, 1);
  await stop;
});

Deno.test("a receiver that is down is left alone for longer and longer", async () => {
  await using setting = await Setting.make();
  const receiver = new Receiver();
  const { port } = receiver;
  const config = await setting.config(hook(receiver));
  await receiver[Symbol.asyncDispose]();
  await spoolMany(setting, config, 2);
  const pauses: number[] = [];
  for (let i = 0; i < 9; i++) {
    await deliverAll(setting.effects, config, minute);
    const { webhook } = readPauses(config.stateDirectory);
    const now = setting.effects.now().getTime();
    pauses.push(Math.round((Date.parse(webhook!.notBefore) - now) / minute));
    // A moment before its end nobody is asked.
    const { failures } = webhook!;
    setting.later += Date.parse(webhook!.notBefore) - now - 10_000;
    await deliverAll(setting.effects, config, minute);
    assertEquals(readPauses(config.stateDirectory).webhook!.failures, failures);
    setting.later += 10_001;
  }
  assertEquals(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
  assertStringIncludes(setting.said[0]!, "Cannot deliver to the webhook");
  await using again = new Receiver(port);
  const [done] = await deliverAll(setting.effects, config, minute);
  assertEquals(done!.sent, 2);
  assertEquals(again.got.length, 2);
  assertEquals(readPauses(config.stateDirectory), {});
});

Deno.test("one receiver that hangs keeps no other one waiting", async () => {
  await using setting = await Setting.make();
  await using slow = new Receiver();
  await using quick = new Receiver();
  let release = () => {};
  const held = new Promise<void>((resolve) => release = resolve);
  slow.answer = async () => {
    await held;
    return new Response();
  };
  const config = await setting.config(
    `notify: {webhook: {url: "${slow.url}/"}, alertmanager: {url: "${quick.url}"}}`,
  );
  await spool({ effects: setting.effects, config }, {
    id: "1",
    event: "failed",
    severity: "error",
    summary: "failed",
    since: "2026-11-26T22:01:43Z",
  });
  const all = deliverAll(setting.effects, config, minute);
  await slow.until(1);
  await quick.until(1);
  release();
  assertEquals((await all).map(({ sent }) => sent), [1, 1]);
});

Deno.test("what is refused is given up, and what comes after it is sent", async () => {
  await using setting = await Setting.make();
  await using receiver = new Receiver();
  receiver.answer = ({ text }) =>
    new Response("", { status: text.includes("number 1") ? 400 : 200 });
  const config = await setting.config(hook(receiver));
  await spoolMany(setting, config, 3);
  const [done] = await deliverAll(setting.effects, config, minute);
  assertEquals(done, { channel: "webhook", sent: 2, dropped: 1, waiting: 0 });
});

/** Puts a commit status into the spool. */
async function putStatus(
  { stateDirectory }: Config,
  revision: string,
  [order, state]: readonly [0 | 1, "pending" | "success"],
): Promise<void> {
  const id = `20261127-000000-${revision.slice(0, 4)}`;
  await put(stateDirectory, `${id}.${order}-${state}`, {
    version: 1,
    at: new Date().toISOString(),
    channel: "forge",
    status: { id, revision, state, description: "" },
  });
}

/** A forge that has these commits alone, and what it has taken of each. */
function forgeWith(
  receiver: Receiver,
  refusal: () => Response,
  known: Set<string>,
): string[] {
  const taken: string[] = [];
  receiver.answer = ({ path, text }) => {
    const revision = path.split("/").at(-1)!;
    if (!known.has(revision)) return refusal();
    taken.push(`${revision[0]} ${JSON.parse(text).state}`);
    return new Response("{}", { status: 201 });
  };
  return taken;
}

Deno.test("a commit that a forge has not yet holds no other one's status", async (t) => {
  const refusals: Record<string, () => Response> = {
    // As each forge answers for a commit that it does not have.
    github: () =>
      new Response('{"message":"No commit found for SHA: a"}', { status: 422 }),
    gitlab: () =>
      new Response('{"message":"404 Commit Not Found"}', { status: 404 }),
    gitea: () =>
      new Response('{"message":"object does not exist"}', { status: 500 }),
    forgejo: () => new Response("", { status: 404 }),
  };
  for (const [forge, refusal] of Object.entries(refusals)) {
    await t.step(forge, async () => {
      await using setting = await Setting.make();
      await using receiver = new Receiver();
      const tokenFile = setting.write("token", "t");
      const config = await setting.config(
        `commitStatus: {forge: ${forge}, url: "${receiver.url}", tokenFile: ${tokenFile}}`,
      );
      const [a, b] = ["a".repeat(40), "b".repeat(40)] as const;
      const known = new Set([b]);
      const taken = forgeWith(receiver, refusal, known);
      const now = () => deliverAll(setting.effects, config, minute);
      await putStatus(config, a, [0, "pending"]);
      await putStatus(config, b, [1, "success"]);
      const [first] = await now();
      assertEquals(taken, ["b success"]);
      assertEquals([first!.sent, first!.waiting], [1, 1]);
      assertStringIncludes(setting.said[0]!, "the forge for aaaaaaaaaaaa");
      // What is new goes at once, and what is stuck is asked for in a while.
      await putStatus(config, b, [0, "pending"]);
      const asked = receiver.got.length;
      await now();
      assertEquals(receiver.got.length, asked + 1);
      known.add(a);
      setting.later += 61_000;
      await now();
      assertEquals(taken, ["b success", "b pending", "a pending"]);
      assertEquals(list(config.stateDirectory), []);
    });
  }
});

Deno.test("a status never overtakes an earlier one of its commit", async () => {
  await using setting = await Setting.make();
  await using receiver = new Receiver();
  const tokenFile = setting.write("token", "t");
  const config = await setting.config(
    `commitStatus: {forge: gitea, url: "${receiver.url}", tokenFile: ${tokenFile}}`,
  );
  const a = "a".repeat(40);
  const known = new Set<string>();
  const taken = forgeWith(
    receiver,
    () => new Response("", { status: 404 }),
    known,
  );
  const folder = config.stateDirectory;
  const status = { revision: a, description: "" };
  // Of two attempts: the first one's end, and the second one's.
  for (const [id, state] of [["1", "failure"], ["2", "success"]] as const) {
    await put(folder, `${id}.1-${state}`, {
      version: 1,
      at: new Date().toISOString(),
      channel: "forge",
      status: { ...status, id, state },
    });
  }
  await deliverAll(setting.effects, config, minute);
  assertEquals(receiver.got.length, 1);
  known.add(a);
  await deliverAll(setting.effects, config, minute);
  assertEquals(taken, []);
  setting.later += 61_000;
  await deliverAll(setting.effects, config, minute);
  assertEquals(taken, ["a failure", "a success"]);
});

Deno.test("a wrong project is told, and the forge is left alone", async () => {
  await using setting = await Setting.make();
  await using receiver = new Receiver();
  const tokenFile = setting.write("token", "t");
  const config = await setting.config(
    `commitStatus: {forge: github, url: "${receiver.url}", project: a/b, tokenFile: ${tokenFile}}`,
  );
  forgeWith(
    receiver,
    () => new Response('{"message":"Not Found"}', { status: 404 }),
    new Set(),
  );
  for (const digit of "0123456789") {
    await putStatus(config, digit.repeat(40), [1, "success"]);
  }
  const [done] = await deliverAll(setting.effects, config, minute);
  assertEquals(receiver.got.length, 3);
  assertEquals(done!.waiting, 10);
  assertStringIncludes(done!.why!, "no project a/b (commitStatus.project)");
  assertStringIncludes(setting.said.at(-1)!, "commitStatus.project");
  assert(readPauses(config.stateDirectory).forge);
});

Deno.test("a power cut after a delivery makes a double with the same id", async () => {
  await using setting = await Setting.make();
  await using receiver = new Receiver();
  const config = await setting.config(hook(receiver));
  await spoolMany(setting, config, 1);
  const folder = spoolFolder(config.stateDirectory);
  const { name } = list(config.stateDirectory)[0]!;
  const text = Deno.readTextFileSync(`${folder}/${name}`);
  await deliverAll(setting.effects, config, minute);
  // The file comes back as it would without the last write of the folder.
  Deno.writeTextFileSync(`${folder}/${name}`, text);
  await deliverAll(setting.effects, config, minute);
  const ids = receiver.bodies.map(({ id }) => id);
  assertEquals(ids.length, 2);
  assertEquals(new Set(ids).size, 1);
});

Deno.test("a file of the spool that is broken is passed over", async () => {
  await using setting = await Setting.make();
  await using receiver = new Receiver();
  const config = await setting.config(hook(receiver));
  await spoolMany(setting, config, 1);
  const folder = spoolFolder(config.stateDirectory);
  for (const text of ["", "{", "null", "[]", '{"channel":"webhook"}']) {
    Deno.writeTextFileSync(`${folder}/0.deployed.webhook.json`, text);
    await spoolMany(setting, config, 1);
    const [done] = await deliverAll(setting.effects, config, minute);
    assertEquals([done!.sent, done!.waiting], [1, 0], text);
  }
});

Deno.test("of 10,000 messages the newest thousand wait", async () => {
  await using setting = await Setting.make();
  await using receiver = new Receiver();
  const config = await setting.config(hook(receiver));
  const folder = config.stateDirectory;
  await spoolMany(setting, config, 1);
  // As a program without the bound would leave them.
  const text = JSON.stringify(waitingFor(config, "1"));
  for (let i = 0; i < 10_000; i++) {
    const id = `20261126-220143-${String(i).padStart(5, "0")}`;
    const path = `${spoolFolder(folder)}/${id}.deployed.webhook.json`;
    Deno.writeTextFileSync(path, text);
  }
  await put(folder, "20261126-220143-99999.deployed", waitingFor(config, "z"));
  const left = list(folder);
  assertEquals(left.length, mostWaiting);
  assertEquals(
    left.at(-1)!.name,
    "20261126-220143-99999.deployed.webhook.json",
  );
  const [done] = await deliverAll(setting.effects, config, 10 * minute);
  assertEquals(done!.sent, mostWaiting);
});

Deno.test("what is older than a week is given up when it can't be sent", async () => {
  await using setting = await Setting.make();
  await using receiver = new Receiver();
  receiver.answer = () => new Response("", { status: 500 });
  const config = await setting.config(hook(receiver));
  await spoolMany(setting, config, 3);
  setting.later = 7 * 24 * 60 * minute + 1000;
  await put(
    config.stateDirectory,
    "20991231-000000-z.deployed",
    { ...waitingFor(config, "z"), at: setting.effects.now().toISOString() },
  );
  const [done] = await deliverAll(setting.effects, config, minute);
  assertEquals([done!.sent, done!.dropped, done!.waiting], [0, 3, 1]);
  assertEquals(receiver.got.length, 1, "it is left alone all the same");
});

Deno.test("a clock that was wrong gives nothing up unsent", async () => {
  await using setting = await Setting.make();
  await using receiver = new Receiver();
  const config = await setting.config(hook(receiver));
  // A machine without a clock of its own begins in the past.
  setting.later = -20 * 365 * 24 * 60 * minute;
  await spoolMany(setting, config, 1);
  setting.later = 0;
  const [done] = await deliverAll(setting.effects, config, minute);
  assertEquals([done!.sent, done!.dropped], [1, 0]);
});

Deno.test("a channel that is configured no longer leaves nothing", async () => {
  await using setting = await Setting.make();
  await using receiver = new Receiver();
  const config = await setting.config(hook(receiver));
  await spoolMany(setting, config, 2);
  const other = await setting.config(
    `notify: {alertmanager: {url: "${receiver.url}"}}`,
  );
  await deliverAll(setting.effects, other, minute);
  assertEquals(list(config.stateDirectory), []);
  assertEquals(receiver.got, []);
});

Deno.test("two deliveries at once send nothing twice", async () => {
  await using setting = await Setting.make();
  await using receiver = new Receiver();
  const config = await setting.config(hook(receiver));
  await spoolMany(setting, config, 20);
  await Promise.all(
    [1, 2, 3].map(() => deliverAll(setting.effects, config, minute)),
  );
  const ids = receiver.bodies.map(({ id }) => id);
  assertEquals(new Set(ids).size, ids.length);
});

Deno.test("a pause never ends before a server wants it to", () => {
  const now = new Date("2026-11-26T22:00:00Z");
  const pause = pauseAfter(undefined, {
    result: "later",
    why: "",
    after: 90 * minute,
  }, now);
  assertEquals(pause.notBefore, "2026-11-26T23:30:00.000Z");
});

Deno.test("a secret is in no message, whatever is wrong with its file", async () => {
  await using setting = await Setting.make();
  await using receiver = new Receiver();
  const key = "s3cret value\nof two lines";
  const files = {
    "notify: {alertmanager: {url: URL, tokenFile: FILE}}": "alertmanager",
    "commitStatus: {forge: gitea, url: URL, tokenFile: FILE}": "forge",
  };
  for (const [text, channel] of Object.entries(files)) {
    const file = setting.write("token", key);
    const config = await setting.config(
      text.replace("URL", `"${receiver.url}"`).replace("FILE", file),
    );
    const at = new Date().toISOString();
    const sent = await deliver(
      setting.effects,
      config,
      channel === "forge"
        ? {
          version: 1,
          at,
          channel: "forge",
          status: {
            id: "1",
            revision: "0".repeat(40),
            state: "success",
            description: "",
          },
        }
        : {
          version: 1,
          at,
          channel: "alertmanager",
          notice: event(config, { since: at }),
        },
    );
    assertEquals(sent.result, "later");
    assert(!JSON.stringify(sent).includes("s3cret"), JSON.stringify(sent));
  }
  assertEquals(receiver.got, []);
});
