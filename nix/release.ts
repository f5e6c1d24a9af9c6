/**
 * Makes a release of the committed state: version, changelog, the files for tests
 * of later versions, a commit and a tag with the release notes.
 *
 *     ./dev release VERSION [FLAG OF NIX…]
 *
 * Nothing is pushed.
 *
 * @module
 */
import { join } from "node:path";

const top = join(import.meta.dirname!, "..");
const pathOf = (name: string) => join(top, name);

/** A person's mistake, with a hint. */
class Refusal extends Error {
  constructor(message: string, readonly hint: string) {
    super(message);
  }
}

if (import.meta.main) {
  try {
    await release(Deno.args);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    console.error(`release: ${error.message}\nhint: ${error.hint}`);
    Deno.exit(2);
  }
}

async function release([version, ...nixFlags]: readonly string[]) {
  if (version === undefined || !/^\d+\.\d+\.\d+$/.test(version)) {
    throw new Refusal(
      `expected a version, not ${version ?? "nothing"}`,
      "run ./dev release 1.2.3, with the new version",
    );
  }
  if (await output("git", "status", "--porcelain") !== "") {
    throw new Refusal(
      "there are uncommitted changes",
      "commit them",
    );
  }
  const tag = `v${version}`;
  if (await output("git", "tag", "--list", tag) !== "") {
    throw new Refusal(`the tag ${tag} exists already`, "use the next version");
  }
  const changelog = await Deno.readTextFile(pathOf("CHANGELOG.md"));
  const today = new Date().toISOString().slice(0, 10);
  const { text, section } = withRelease(changelog, version, today);
  await Deno.writeTextFile(pathOf("CHANGELOG.md"), text);
  const old = await setVersion(version);
  await keepFiles(old, version);
  const shown = await output(
    ...["nix", "flake", "show", "--no-write-lock-file", `path:${top}`],
    ...nixFlags,
  );
  await output("git", "add", "--all");
  await output("git", "commit", "--quiet", "--message", `release: ${version}`);
  const notes = notesOf(version, section, shown);
  // Lines with # are headings here, and no comments.
  await output("git", "tag", "--cleanup=verbatim", "--message", notes, tag);
  console.log(notes);
  console.log(`Tagged ${tag}. To publish it: git push --follow-tags`);
}

/**
 * Moves the unreleased changes of the changelog under a version.
 *
 * @returns the new text, and the section of the version.
 * @throws {Refusal} if there are none, or the version exists already.
 */
export function withRelease(
  changelog: string,
  version: string,
  date: string,
): { text: string; section: string } {
  const heading = "\n## Unreleased\n";
  const [before, after] = changelog.split(heading);
  if (before === undefined || after === undefined) {
    throw new Refusal(
      "CHANGELOG.md has no section Unreleased",
      "add the section",
    );
  }
  if (changelog.includes(`\n## ${version} `)) {
    throw new Refusal(
      `CHANGELOG.md already has ${version}`,
      "use the next version",
    );
  }
  const end = after.search(/^## /m);
  const section = (end === -1 ? after : after.slice(0, end)).trim();
  if (section === "") {
    throw new Refusal(
      "the section Unreleased of CHANGELOG.md is empty",
      "list the changes there",
    );
  }
  const text = `${before}${heading}\n## ${version} - ${date}\n${after}`;
  return { text, section };
}

/** Returns the release notes, which are the text of the tag. */
export function notesOf(
  version: string,
  section: string,
  shown: string,
): string {
  const parts = section.split(/\n(?=### )/);
  const isToKnow = (part: string) => /^### (Changed|Removed)\n/.test(part);
  const toKnow = parts.filter(isToKnow)
    .map((part) => part.replace(/^### /, "#### ")).join("\n\n");
  return `gitops-sync ${version}

${section}

### Upgrade

To upgrade a host, run \`nix flake update gitops\` and switch. This version reads
the existing state; the host needs nothing else.${
    toKnow ? ` Before that, read these changes:\n\n${toKnow}` : ""
  }

### The flake

${shown.replace(/^(?=.)/gm, "    ")}
`;
}

/** Writes the new version, and returns the old one. */
async function setVersion(version: string): Promise<string> {
  const file = pathOf("deno.json");
  const text = await Deno.readTextFile(file);
  const old: string = JSON.parse(text).version;
  const line = (one: string) => `"version": "${one}"`;
  await Deno.writeTextFile(file, text.replace(line(old), line(version)));
  // The units that the tests compare name the package.
  const golden = pathOf("tests/nix/golden");
  for await (const { name } of Deno.readDir(golden)) {
    const unit = await Deno.readTextFile(join(golden, name));
    const updated = unit.replaceAll(
      `gitops-sync-${old}/`,
      `gitops-sync-${version}/`,
    );
    await Deno.writeTextFile(join(golden, name), updated);
  }
  return old;
}

/** Stores the host files of this version, for the tests of later versions. */
async function keepFiles(old: string, version: string): Promise<void> {
  // The first release has the version that is already written.
  if (old === version) return;
  const folder = (one: string) => pathOf(`tests/upgrade/${one}`);
  await Deno.mkdir(folder(version));
  await Deno.copyFile(
    `${folder(old)}/config.yaml`,
    `${folder(version)}/config.yaml`,
  );
  await output(Deno.execPath(), "run", "-A", "tests/upgrade/story.ts", version);
}

async function output(program: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args,
    cwd: top,
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (code === 0) return text(stdout).trimEnd();
  throw new Refusal(
    `${program} ${args[0]} failed:\n${text(stderr)}`,
    "run git restore . to discard the changes so far",
  );
}
