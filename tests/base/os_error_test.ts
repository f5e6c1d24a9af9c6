import { assert, assertEquals } from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import { foreseen } from "../../lib/base/os_error.ts";
import { inFolder } from "../folder.ts";

Deno.test("an error of the disk or of rights is no bug", async () => {
  await inFolder((folder) => {
    const table: [cause: () => void, reason: string][] = [
      [() => Deno.writeTextFileSync("/dev/full", "x"), "disk-full"],
      [() => Deno.readTextFileSync(folder), "path-unusable"],
      [() => Deno.readTextFileSync("/dev/null/x"), "path-unusable"],
      [() => Deno.mkdirSync(`${folder}/${"x".repeat(300)}`), "path-unusable"],
    ];
    for (const [cause, reason] of table) {
      const error = foreseen(thrownBy(cause));
      assert(error instanceof SyncError, String(error));
      assertEquals(error.reason, reason);
      assertEquals(error.exit, 2);
      assert(error.hints.length > 0);
    }
  });
});

Deno.test("a missing right is told with its path", () => {
  const denied = new Deno.errors.PermissionDenied(
    "Permission denied (os error 13): open '/var/lib/gitops-sync/lock'",
  );
  const error = foreseen(denied) as SyncError;
  assertEquals(
    error.message,
    "Cannot use '/var/lib/gitops-sync/lock': Permission denied",
  );
  assertEquals(error.hints, ["run as root (sudo)"]);
  assertEquals(error.cause, denied);
});

Deno.test("anything else stays what it is", () => {
  const known = new SyncError("no", {
    stage: "fetch",
    reason: "no",
    next: "retry",
  });
  for (const error of [known, new TypeError("x is undefined"), "text", null]) {
    assertEquals(foreseen(error), error);
  }
});

function thrownBy(cause: () => void): unknown {
  try {
    cause();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

Deno.test("a program that can't be started is told by its name", () => {
  const table: [message: string, says: string, reason: string][] = [
    [
      "Failed to spawn '/usr/bin/cat': Too many open files (os error 24)",
      "Cannot start /usr/bin/cat: Too many open files",
      "host-overloaded",
    ],
    // Also where there is no /dev/null.
    [
      "Failed to spawn '/usr/bin/cat': No such file or directory (os error 2)",
      "Cannot start /usr/bin/cat: No such file or directory",
      "program-missing",
    ],
  ];
  for (const [message, says, reason] of table) {
    const error = foreseen(new Error(message)) as SyncError;
    assertEquals([error.message, error.reason], [says, reason]);
    assertEquals(error.next, "retry");
  }
});
