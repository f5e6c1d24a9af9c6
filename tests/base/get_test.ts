import { assertEquals, assertMatch } from "@std/assert";
import { getJson } from "../../lib/base/get.ts";
import { CutServer } from "../gates/unkind.ts";
import { Receiver } from "../notify/receiver.ts";

const get = (url: string, ms = 120_000) =>
  getJson({ url, signal: AbortSignal.timeout(ms) }, new Date());

Deno.test("JSON comes with its headers, and no redirect is followed", async () => {
  await using receiver = new Receiver();
  receiver.answer = ({ headers }) =>
    Response.json({ is: headers.get("X-Is") }, { headers: { Link: "next" } });
  const got = await getJson({
    url: receiver.url,
    headers: { "X-Is": "here" },
    signal: AbortSignal.timeout(120_000),
  }, new Date());
  if (got.why !== undefined) throw new Error(got.why);
  assertEquals([got.json, got.headers.get("Link")], [{ is: "here" }, "next"]);
  await using other = new Receiver();
  receiver.answer = () => Response.redirect(other.url);
  assertMatch(
    (await get(receiver.url)).why!,
    /redirect, which is not followed/,
  );
  assertEquals(other.got, []);
});

Deno.test("what is cut off, packed without end, or nowhere is no answer", async () => {
  using cut = new CutServer('{"status": "success"}');
  assertMatch((await get(cut.url)).why!, /did not answer/);
  await using receiver = new Receiver();
  const zeros = new Blob([new Uint8Array(64 * 1024 * 1024)]).stream()
    .pipeThrough(new CompressionStream("gzip"));
  const packed = new Uint8Array(await new Response(zeros).arrayBuffer());
  receiver.answer = () =>
    new Response(packed, { headers: { "Content-Encoding": "gzip" } });
  assertEquals((await get(receiver.url)).why, "its answer is too long");
  const letGo = Promise.withResolvers<Response>();
  receiver.answer = () => letGo.promise;
  assertMatch((await get(receiver.url, 20)).why!, /no answer in time/);
  letGo.resolve(new Response());
  assertMatch((await get("http://127.0.0.1:1")).why!, /did not answer/);
});
