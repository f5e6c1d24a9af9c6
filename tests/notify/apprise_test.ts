import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { toApprise } from "../../lib/notify/apprise.ts";
import { Receiver } from "./receiver.ts";
import { has } from "./programs.ts";
import { event, Setting } from "./setting.ts";

const ignore = !await has("apprise");

/** Sends one event by the real Apprise to what the text of a file names. */
async function send(text: string, more = "") {
  const setting = await Setting.make();
  const file = setting.write("urls", text);
  const config = await setting.config(
    `notify: {apprise: {urlsFile: ${file}}}\n${more}`,
  );
  const notice = event(config, {
    event: "failed",
    severity: "error",
    summary: "failed at build: builder-failed",
    message: "The build failed",
    hints: ["look at the log"],
  });
  const sent = await toApprise(setting.effects, config, notice);
  return { setting, sent };
}

const test = (name: string, fn: () => Promise<void>) =>
  Deno.test({ name, ignore, fn });

test("Apprise sends the same to services of different kinds", async () => {
  await using receiver = new Receiver();
  const at = `127.0.0.1:${receiver.port}`;
  const { setting, sent } = await send(
    [
      `json://${at}/json`,
      `ntfy://${at}/topic`,
      `gotify://${at}/gotifytoken`,
      `mmost://${at}/mattermosttoken`,
      `xml://${at}/xml`,
      `tagged=form://${at}/form`,
    ].join("\n"),
  );
  assertEquals(sent, { result: "done" });
  assertEquals(receiver.got.length, 6, "the one with a tag, too");
  const about = (path: string) =>
    receiver.got.find((one) => one.path.startsWith(path))!;
  const json = JSON.parse(about("/json").text);
  assertEquals(json.title, "web-1: failed at build: builder-failed");
  assertEquals(json.message, "The build failed\nhint: look at the log");
  assertEquals(json.type, "failure");
  const gotify = about("/message");
  assertEquals(gotify.headers.get("x-gotify-key"), "gotifytoken");
  assertStringIncludes(JSON.parse(gotify.text).message, "The build failed");
  assertStringIncludes(
    about("/hooks/mattermosttoken").text,
    "The build failed",
  );
  const made = [...Deno.readDirSync(setting.folder)].map(({ name }) => name);
  assertEquals(made.filter((name) => name !== "state"), ["urls"]);
  await setting[Symbol.asyncDispose]();
});

test("what Apprise can't do is told apart, and no token is told", async () => {
  await using receiver = new Receiver();
  receiver.answer = ({ path }) =>
    new Response("", { status: path.startsWith("/bad") ? 500 : 200 });
  const at = `127.0.0.1:${receiver.port}`;
  const table: [string, text: string, result: string, why: string][] = [
    ["down", `json://${at}/bad`, "later", "no service accepted"],
    [
      "in part",
      `json://${at}/a\njson://${at}/bad`,
      "refused",
      "some services did not accept the message, but others did",
    ],
    ["empty", "\n", "later", "names no service"],
    ["no URL", "T0KEN of mine\n", "later", "names no service"],
    ["unknown", "nosuch://T0KEN@host\n", "later", "names no service"],
    [
      "one of two",
      `json://${at}/a\nnosuch://T0KEN@host\n`,
      "refused",
      "sent to some services only: Apprise can't read some lines of ",
    ],
    ["YAML", "urls:\n  - json://T0KEN:T0KEN@\n", "later", "names no service"],
  ];
  for (const [name, text, result, why] of table) {
    const { setting, sent } = await send(text);
    assertEquals(sent.result, result, `${name}: ${JSON.stringify(sent)}`);
    assertStringIncludes("why" in sent ? sent.why : "", why, name);
    const all = JSON.stringify([sent, setting.said]);
    assert(!all.includes("T0KEN"), all);
    await setting[Symbol.asyncDispose]();
  }
});

test("a missing file and a missing program are told as such", async () => {
  await using setting = await Setting.make();
  const config = await setting.config(
    "notify: {apprise: {urlsFile: /nowhere/urls}}",
  );
  const sent = await toApprise(setting.effects, config, event(config));
  assertStringIncludes(JSON.stringify(sent), "file not found");
});
