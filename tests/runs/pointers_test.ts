/** What stands in a tree in place of something else. */
import { assertEquals } from "@std/assert";
import { git } from "../git/remote.ts";
import { prepared, says, syncTo, test } from "./setting.ts";

const pointer = (size: number) =>
  `version https://git-lfs.github.com/spec/v1\noid sha256:${
    "a".repeat(64)
  }\nsize ${size}\n`;

test("pointers that reach the tree are told by name", async (world) => {
  const { repository } = await prepared(world, {}, {
    files: { "small.txt": pointer(7).replace("version", "no version") },
  });
  const quiet = await syncTo(world, 0);
  assertEquals(quiet.stderr.includes("warning: 1 "), false, quiet.stderr);
  // Without attributes it is somebody's text.
  await repository.publish("A text", { files: { "text.bin": pointer(12345) } });
  const text = await syncTo(world, 0);
  assertEquals(text.stderr.includes("Git LFS"), false, text.stderr);
  await repository.publish("With Git LFS", {
    files: {
      ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n",
      "images/a b.bin": pointer(1),
      "other.txt": "x".repeat(130),
    },
  });
  const lfs = await syncTo(world, 0);
  says(
    lfs.stderr,
    "2 files of Git LFS are only a pointer here, without the content: ",
    "images/a b.bin, text.bin",
  );
  // Git takes a repository in a repository for one.
  const inner = `${repository.folder}/modules/lib`;
  await Deno.mkdir(inner, { recursive: true });
  await git(inner, "init", "--quiet");
  await git(inner, "commit", "--quiet", "--allow-empty", "-m", "Empty");
  await repository.publish("A submodule");
  const sub = await syncTo(world, 0);
  says(sub.stderr, "1 submodule is an empty folder here: modules/lib");
});
