import { assertEquals, assertRejects } from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import { parse } from "../../lib/cli/arguments.ts";
import { tellPublished } from "../../lib/cli/command/status_published.ts";

Deno.test("what runs have published is nothing to wait for", async () => {
  // A run of root asks the remote: only it knows that there is something new.
  for (const flag of ["--wait", "--wait=1s", "--watch"]) {
    const call = await parse(["status", flag]);
    const error = await assertRejects(
      () => tellPublished(call),
      SyncError,
    ) as SyncError;
    assertEquals([error.reason, error.exit], ["root-needed", 2], flag);
  }
});
