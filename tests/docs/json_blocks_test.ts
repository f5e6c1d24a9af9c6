import { assert, assertEquals } from "@std/assert";
import { noticeOf } from "../../lib/notify/notice.ts";
import { hostStates } from "../../lib/run/host_state.ts";
import { mustFitSchema } from "../schema.ts";
import { blocks, placeOf } from "./blocks.ts";

/** The body of a webhook is what the program makes of its parts. */
function mustBeEvent(document: Record<string, unknown>, place: string) {
  const { target, state, title, text, ...notice } = document;
  const { version, host, repository, ref, at, link, ...parts } = notice;
  const config = { host, repository, ref, "notify.link": template(link) };
  const made = noticeOf(config as never, new Date(String(at)), parts as never);
  assertEquals(made as unknown, notice, place);
  assertEquals(version, 1, place);
  assert(hostStates.some((one) => one === state), place);
  assertEquals(
    target,
    { repository, ref, directory: "", host, operation: "switch" },
    place,
  );
  assertEquals([typeof title, typeof text], ["string", "string"], place);
}

function template(link: unknown): string {
  return String(link).replace(/[0-9a-f]{40}/, "{revision}");
}

Deno.test("each JSON document in the documentation is one of the program", () => {
  const documents = blocks().filter(({ language }) => language === "json");
  assert(documents.length > 0, "the blocks are not found any more");
  for (const block of documents) {
    const document = JSON.parse(block.text);
    if ("command" in document) mustFitSchema(block.text);
    else mustBeEvent(document, placeOf(block));
  }
});
