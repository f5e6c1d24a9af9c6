import { assert, assertEquals } from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import { foreseen } from "../../lib/base/os_error.ts";
import { inFolder } from "../folder.ts";
import { output } from "../world/program.ts";

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

Deno.test("a program that is not on PATH is no bug", () => {
  const program = new Deno.Command("no-such-program");
  const error = foreseen(thrownBy(() => void program.outputSync()));
  assert(error instanceof SyncError, String(error));
  assertEquals(error.reason, "program-missing");
  assertEquals(
    error.message,
    "Cannot start no-such-program: it is not on PATH",
  );
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
  assertEquals(error.hints, ["Run the command as root, with `sudo`."]);
  assertEquals(error.cause, denied);
});

Deno.test("an error that names no path says what it is about", async () => {
  await inFolder((folder) => {
    const file = `${folder}/file`;
    Deno.writeTextFileSync(file, "");
    const temporary = foreseen(
      thrownBy(() => void Deno.makeTempDirSync({ dir: file })),
    ) as SyncError;
    assertEquals(
      [temporary.reason, temporary.message],
      [
        "path-unusable",
        "Cannot use the folder for temporary files (TMPDIR, or /tmp): Not a directory",
      ],
    );
    const unnamed = foreseen(
      new Deno.errors.PermissionDenied("Permission denied (os error 13)"),
    ) as SyncError;
    assertEquals(
      unnamed.message,
      "Cannot use a file or socket that the system does not name: Permission denied",
    );
  });
});

Deno.test("what the system hands over and is no text is no bug", async () => {
  await inFolder(async (folder) => {
    // Deno itself can neither set such a variable nor go to such a folder.
    const script = `mkdir "$1/$(printf 'a\\377')"
      cd "$1/$(printf 'a\\377')"
      exec env "NAME=$(printf 'a\\377')" "$2" eval --no-lock '
        const said = [];
        for (const read of [() => Deno.env.get("NAME"), Deno.cwd]) {
          try { read() } catch ({ name, message }) { said.push([name, message]) }
        }
        console.log(JSON.stringify(said))'`;
    const said: [string, string][] = JSON.parse(
      await output(["sh", "-euc", script, "sh", folder, Deno.execPath()]),
    );
    assertEquals(said.map(([name]) => name), ["InvalidData", "InvalidData"]);
    const errors = said.map(([, message]) =>
      foreseen(new Deno.errors.InvalidData(message)) as SyncError
    );
    assertEquals(
      errors.map(({ reason, exit }) => [reason, exit]),
      [["variable-not-text", 2], ["path-not-text", 2]],
    );
    assert(!errors[0]!.message.includes("xFF"), "it tells the value");
  });
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
